"""URLs, names and links in text: the suites of ../shared/conformance/url through tests/conformance/link_answers.

    link.py PROGRAM [SUITE...]

Each suite has its floor; what is not answered as the suite asks stands in link_differences.tsv with its reason where that is agreed, and is
counted as different all the same. A difference that has no line there, or a line that has no difference, is a failure.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

DATA = places.SHARED / "conformance/url/data"
GUESS, LIKELY, SURE = 0, 1, 2
LONGER = 1 << 8


def hexed(text):
    raw = text if isinstance(text, bytes) else text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace").encode("utf-8")
    return raw.hex() or "''"


def plain(word):
    return b"" if word == "''" else bytes.fromhex(word)


def ask(program, lines):
    run = subprocess.run([program], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    answers = run.stdout.split("\n")[:-1]
    assert len(answers) == len(lines), (len(answers), len(lines))
    return [answer.strip() for answer in answers]


def one_text(answer):
    return None if answer == "-" else plain(answer or "''").decode("utf-8", "replace")


def links(answer):
    """[(certainty, flags, text, written, href, written undecoded)]"""
    words = answer.split()[:-1]
    return [(int(words[i]), int(words[i + 1]), *(plain(word).decode("utf-8", "replace") for word in words[i + 2:i + 6]))
            for i in range(0, len(words), 6)]


# Each suite yields (name of the case, what is wrong or None).

def whatwg(program):
    cases = [case for case in json.loads((DATA / "whatwg/urltestdata.json").read_text("utf-8")) if isinstance(case, dict)]
    lines = ["url %s%s" % (hexed(case["input"]), "" if case.get("base") is None else " " + hexed(case["base"])) for case in cases]
    for case, answer in zip(cases, ask(program, lines)):
        got, want = one_text(answer), None if case.get("failure") else case["href"]
        yield "%s | %s" % (ascii(case["input"]), ascii(case.get("base"))), None if got == want else "%r, not %r" % (got, want)


def unescaped(text):
    text = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m.group(1), 16)), text)
    text = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda m: chr(int(m.group(1), 16)), text)
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def idna(program):
    cases = []
    for line in (DATA / "idna/IdnaTestV2.txt").read_text("utf-8").split("\n"):
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) < 7:
            continue
        fields = [unescaped("" if field == '""' else field) if i in (0, 1, 3) else field for i, field in enumerate(fields)]
        raw = line.split("#")[0].split(";")
        source = fields[0]
        unicode_form = fields[1] if raw[1].strip() else source
        ascii_form = fields[3] if raw[3].strip() else unicode_form
        status = fields[4] if fields[4] else fields[2]
        bad = [code for code in status.strip("[]").split(",") if code.strip()]
        cases.append((source, None if bad else ascii_form, status))
    # A lone surrogate is no text: it cannot be asked for.
    cases = [case for case in cases if not re.search("[\ud800-\udfff]", case[0])]
    for (source, want, status), answer in zip(cases, ask(program, ["ascii " + hexed(source) for source, _, _ in cases])):
        got = one_text(answer)
        yield ascii(source), None if got == want else "%r, not %r %s" % (got, want, status)


def punycode(program):
    for name, bad in (("punycode_tests", False), ("bad_punycode_tests", True)):
        cases = json.loads((DATA / "idna" / (name + ".json")).read_text("utf-8"))
        decoded = ask(program, ["decode " + hexed(case.get("encoded", "")) for case in cases])
        encoded = ask(program, ["encode " + hexed(case["decoded"]) for case in cases])
        for i, (case, there, back) in enumerate(zip(cases, decoded, encoded)):
            title = "%s %d %s" % (name, i, case.get("description", ""))
            if bad:
                yield title, None if back == "-" else "encoded"
            else:
                good = one_text(there) == case["decoded"] and one_text(back) == case["encoded"]
                yield title, None if good else "%r and %r" % (one_text(there), one_text(back))


def linkify_cases(name):
    rows, pending = [], None
    for line in (DATA / "linkify-it" / name).read_text("utf-8").split("\n"):
        if line.startswith("%"):
            continue
        text = line.split(" %")[0].rstrip() if " %" in line else line
        if not text.strip():
            if pending is not None:
                rows.append((pending, pending))
            pending = None
        elif pending is None:
            pending = text
            if name != "links.txt":
                rows.append((pending, None))
                pending = None
        else:
            rows.append((pending, text))
            pending = None
    return rows + ([(pending, pending)] if pending is not None else [])


def linkify(program):
    rows = [row for name in ("links.txt", "not_links.txt") for row in linkify_cases(name)]
    for (text, want), answer in zip(rows, ask(program, ["find " + hexed(text) for text, _ in rows])):
        found = [link[2] for link in links(answer) if link[0] != GUESS and not link[1] & LONGER]
        first = found[0] if found else None
        yield ascii(text), None if first == want else "%s, not %s" % (ascii(first), ascii(want))


def spamassassin(program):
    """Over the list of URIs found, as theirs: as written, with our scheme, percent-decoded, normalised, and targets. An attribute's value is a
    URI whatever it holds."""
    cases = json.loads((DATA / "spamassassin/uri.json").read_text("utf-8"))
    found = [links(answer) for answer in ask(program, ["find " + hexed(case["text"]) for case in cases])]
    targets = ask(program, ["unwrap " + hexed(case["text"]) for case in cases])
    for case, uris, more in zip(cases, found, targets):
        listed = [form for link in uris if link[0] == SURE for form in (link[3], link[4], link[5])]
        if case["kind"] == "html":
            listed += [case["text"]] + [plain(word).decode("utf-8", "replace") for word in more.split() if word != "-"]
        missing = [p for p in case["must_match"] if not any(re.search(p, uri) for uri in listed)]
        wrong = [p for p in case["must_not_match"] if any(re.search(p, uri) for uri in listed)]
        yield "%s %s %r" % (case["id"], case["kind"], case["text"]), "missing %s, wrong %s in %s" % (missing, wrong, listed) if missing or wrong else None


def data_urls(program):
    cases = json.loads((DATA / "data-url/data-urls.json").read_text("utf-8"))
    cases = [(case[0], case[1], case[2] if len(case) > 2 else None) for case in cases]
    cases += [("data:;base64," + urllib.parse.quote(text), "text/plain;charset=US-ASCII", body)
              for text, body in json.loads((DATA / "data-url/base64.json").read_text("utf-8"))]
    for (text, kind, body), answer in zip(cases, ask(program, ["data " + hexed(text) for text, _, _ in cases])):
        got = None if answer == "-" else tuple(map(plain, answer.split()))
        want = None if body is None else (kind.encode("utf-8"), bytes(body))
        yield ascii(text), None if got == want else "%r, not %r" % (got, want)


def mime_types(program):
    for name in ("mime-types", "generated-mime-types"):
        cases = [case for case in json.loads((DATA / "data-url" / (name + ".json")).read_text("utf-8")) if isinstance(case, dict)]
        for case, answer in zip(cases, ask(program, ["type " + hexed(case["input"]) for case in cases])):
            got = one_text(answer)
            yield ascii(case["input"]), None if got == case["output"] else "%r, not %r" % (got, case["output"])


SUITES = {
    "urltestdata": (whatwg, 0.995),
    "IdnaTestV2": (idna, 1.0),
    "punycode": (punycode, 1.0),
    "data-urls": (data_urls, 1.0),
    "mime-types": (mime_types, 1.0),
    "linkify": (linkify, 0.95),
    "spamassassin": (spamassassin, 0.92),
}


def agreed_differences():
    path = pathlib.Path(__file__).with_name("link_differences.tsv")
    rows = [line.split("\t") for line in path.read_text("utf-8").split("\n") if line and not line.startswith("#")]
    return {(row[0], row[1]): row[2] for row in rows}


def main():
    program, only = sys.argv[1], sys.argv[2:]
    if not DATA.exists():
        print("skip: %d suites, there is no %s" % (len(SUITES), DATA))
        return 1 if os.environ.get("CI") == "true" else 77
    agreed, passed, failed = agreed_differences(), 0, 0
    for name, (suite, floor) in SUITES.items():
        if only and name not in only:
            continue
        results = list(suite(program))
        wrong = [(case, what) for case, what in results if what is not None]
        new = [(case, what) for case, what in wrong if (name, case) not in agreed]
        gone = [case for where, case in agreed if where == name and case not in dict(wrong)]
        good = len(results) - len(wrong) >= floor * len(results) and not new and not gone
        print("%s %-14s %5d of %5d (%.2f %%, at least %.1f %%), %d agreed differences" % (
            "ok  " if good else "FAIL", name, len(results) - len(wrong), len(results), 100 * (1 - len(wrong) / len(results)), 100 * floor,
            len(wrong) - len(new)))
        for case, what in new[:int(os.environ.get("HANGU_SHOW", "20"))]:
            print("     %s: %s" % (case, what))
        for case in gone:
            print("     no difference any more: " + case)
        passed, failed = passed + good, failed + (not good)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
