"""The suites beside the project that the scanner reads: every message of them, and real mail of the corpora, through tests/conformance/scan_files.

What must hold for all: no internal error, the same answer twice, steps and memory within bounds, findings that survive the wire. What each suite
asks for of the scanner as it is now stands in CHECKS. The data is absent on other people's machines: then each suite is a printed skip, and a failure
where CI=true.
"""
import collections
import email
import email.policy
import email.utils
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import corpus, places  # noqa: E402

CORPUS_EACH = int(os.environ.get("HANGU_CORPUS_EACH", "120"))

Row = collections.namedtuple("Row", "path action authors author parts kinds")


def scan(program, folders):
    """One Row a file, and the sums of the last line."""
    run = subprocess.run([program, *map(str, folders)], stdout=subprocess.PIPE, check=False)
    rows, sums, internal = {}, {}, []
    for line in run.stdout.decode("utf-8", "replace").split("\n"):
        if line.startswith("INTERNAL"):
            internal.append(line)
        elif line.startswith("SUM "):
            words = line.split()[1:]
            sums = dict(zip(words[::2], map(int, words[1::2])))
        elif line:
            fields = line.split("\t")
            count, _, author = fields[2].partition(":")
            kinds = set(fields[4].split(" ")) if len(fields) > 4 else set()
            rows[fields[0]] = Row(fields[0], fields[1], int(count), author, int(fields[3]), kinds)
    if run.returncode not in (0, 1) or (run.returncode == 1 and not internal):
        internal.append("the program ended with %d" % run.returncode)
    return rows, sums, internal


def from_fuzz_folder():
    """The header texts of from.json as whole messages."""
    texts = json.loads((places.SHARED / "conformance/from-fuzz/data/from.json").read_text("utf-8"))
    folder = places.scratch() / "from-fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate(texts):
        raw = text.encode("latin-1") if all(ord(c) < 256 for c in text) else text.encode("utf-8", "surrogatepass")
        raw += b"" if raw.endswith(b"\n") else b"\r\n"
        (folder / ("%04d.eml" % index)).write_bytes(raw + b"To: <v@victim.com>\r\nDate: Thu, 05 Jan 2023 08:54:00 +0000\r\nMessage-ID: <a@b>\r\n\r\nhi\r\n")
    return folder


def from_fuzz(rows):
    """Exactly one author that Python's two readers also see, or a finding about From."""
    wrong, one = [], 0
    for path, row in rows.items():
        if any(kind.startswith("header.from") for kind in row.kinds):
            continue
        one += 1
        raw = pathlib.Path(path).read_bytes()
        old = [address for _, address in email.utils.getaddresses(email.message_from_bytes(raw).get_all("From") or [])]
        try:
            new = [address.addr_spec for address in email.message_from_bytes(raw, policy=email.policy.default)["From"].addresses]
        except AttributeError:  # a fault of Python's own: it has no opinion
            new = old
        if row.authors != 1 or old != [row.author] or new != [row.author]:
            wrong.append("%s: %s, Python %s and %s" % (path, row.author, old, new))
    return "%d with one author, %d found unclear" % (one, len(rows) - one), wrong


def espoofer(rows):
    """The cases whose author is unclear in the message itself; the others are about the session."""
    wanted = {"server_a10", "server_a12", "server_a15", "server_a16", "server_a18", "client_a1"}
    found = {pathlib.Path(path).stem for path, row in rows.items() if any(kind.startswith("header.from") for kind in row.kinds)}
    return "unclear author in %d: %s" % (len(found), " ".join(sorted(found))), ["%s: nothing found" % name for name in sorted(wanted - found)]


def at_least(what, floor):
    def check(rows):
        count = sum(bool(row.kinds & what) for row in rows.values())
        return "%d of %d" % (count, len(rows)), [] if count >= floor else ["only %d, at least %d were found before" % (count, floor)]
    return check


def none_held_for_content(rows):
    bad = [path for path, row in rows.items() if "content.eicar" in row.kinds]
    return "%d of %d tagged or held" % (sum(row.action != "deliver" for row in rows.values()), len(rows)), bad


def actions(rows):
    counts = collections.Counter(row.action for row in rows.values())
    return ", ".join("%s %d" % pair for pair in sorted(counts.items())), []


EICAR = {"content.eicar"}
TOP = "conformance/"
CHECKS = [
    ("mime-messages", TOP + "mime-messages", actions),
    ("mimeminer cases, EICAR found", TOP + "mimeminer/data/cases", at_least(EICAR, 134)),
    ("mimeminer decoding, EICAR found", TOP + "mimeminer/data/decoding", at_least(EICAR, 29)),
    ("mimeminer controls", TOP + "mimeminer/data/control", none_held_for_content),
    ("mime-is-broken content", TOP + "mime-is-broken/data/hide-content.d", actions),
    ("mime-is-broken names", TOP + "mime-is-broken/data/hide-filename.d", actions),
    ("rspamd-messages", TOP + "rspamd-messages/data", actions),
    ("spamassassin-messages", TOP + "spamassassin-messages/data", actions),
    ("stalwart-antispam", TOP + "stalwart-antispam/data", actions),
    ("bounces", TOP + "bounces/data", actions),
    ("reports", TOP + "reports/data", actions),
    ("mail-objects", TOP + "mail-objects/data", actions),
    ("dsn-expected", TOP + "dsn-expected/data", actions),
    ("espoofer", TOP + "espoofer/data", espoofer),
    ("from-fuzz", None, from_fuzz),
]


def run_one(program, name, folders, check):
    rows, sums, internal = scan(program, folders)
    text, wrong = check(rows)
    wrong = internal + wrong + ([] if rows else ["no message was read"])
    print("%s %-34s %5d messages, arena %4d KiB: %s" % ("FAIL" if wrong else "ok  ", name, len(rows), sums.get("arena_max", 0) >> 10, text))
    for line in wrong[:20]:
        print("     " + line)
    return not wrong


def main():
    program = sys.argv[1]
    only = sys.argv[2:]
    if not (places.SHARED / "conformance").exists():
        print("skip: %d suites, there is no %s" % (len(CHECKS), places.SHARED))
        return 1 if os.environ.get("CI") == "true" else 77
    passed = failed = 0
    for name, folder, check in CHECKS:
        if only and not any(word in name for word in only):
            continue
        good = run_one(program, name, [from_fuzz_folder() if folder is None else places.SHARED / folder], check)
        passed, failed = passed + good, failed + (not good)
    for source in corpus.SOURCES if not only or "corpus" in only else ():
        folders = sorted({path.parent for path in corpus.unpacked(source, CORPUS_EACH)})
        good = run_one(program, "corpus " + source, folders, actions)
        passed, failed = passed + good, failed + (not good)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
