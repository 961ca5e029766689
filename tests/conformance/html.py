#!/usr/bin/env python3
"""Conformance of the HTML room against the data sets of HANGU_SHARED (or ../shared): html.py ANSWERS [SUITE]...

ANSWERS is the helper program (html_answers.c), which holds the real tokenizer and the real reader. Each suite prints a line with its counts; the
last line is `N passed, N failed`. Where a case is answered otherwise on purpose, html_differences.tsv names it and says why; a case named there
that agrees after all is a failure. Without the data every suite is a printed skip, and with CI=true a failure.
"""
import codecs
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MODES = {"Data state": 0, "RCDATA state": 1, "RAWTEXT state": 2, "Script data state": 3, "PLAINTEXT state": 4, "CDATA section state": 5}
SELF_CLOSING, QUIRKS, PUBLIC, SYSTEM, NAME, CDATA = 1, 16, 32, 64, 128, 1024


class Answers:
    """The helper program, one question at a time."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        line = " ".join(w if isinstance(w, str) else (w.hex() or "-") for w in words)
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode()
        if not answer.endswith("\n"):
            raise SystemExit("the helper ended at: " + line[:200])
        return [item.split(":") for item in answer.split()]


def _text(octets_):
    """UTF-8 with surrogates; what is none is read as Latin-1, so that nothing is lost."""
    try:
        return octets_.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return octets_.decode("latin-1")


def plain(word):
    return "" if word == "-" else _text(bytes.fromhex(word))


class Suite:
    """Counts, and the differences that were looked at."""

    def __init__(self, name, differences):
        self.name, self.passed, self.failed = name, 0, 0
        self.differences = {key: why for (suite, key), why in differences.items() if suite == name}
        self.used = set()

    def check(self, key, agrees, told):
        why = self.differences.get(key)
        if why is not None:
            self.used.add(key)
            if agrees:
                print("  %s %s: named as a difference, but it agrees" % (self.name, key))
        if agrees != (why is not None):
            self.passed += 1
            return
        self.failed += 1
        if why is None:
            print("  %s %s: %s" % (self.name, key, told))

    def end(self):
        for key in sorted(set(self.differences) - self.used):
            print("  %s %s: named as a difference, but there is no such case" % (self.name, key))
            self.failed += 1
        print("%s: %d passed, %d failed (%d of them agreed differences)" % (self.name, self.passed, self.failed, len(self.used)))


def read_differences():
    differences = {}
    for number, line in enumerate((HERE / "html_differences.tsv").read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            suite, key, why = line.split("\t")
            if (suite, key) in differences or not why:
                raise SystemExit("html_differences.tsv line %d" % number)
            differences[suite, key] = why
    return differences


# --- html5lib ---

def unescape(value):
    """The second unescaping of doubleEscaped cases, through all of a value."""
    if isinstance(value, str):
        return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m.group(1), 16)), value)
    if isinstance(value, list):
        return [unescape(item) for item in value]
    if isinstance(value, dict):
        return {unescape(key): unescape(item) for key, item in value.items()}
    return value


def octets(text):
    """UTF-8; pairs of surrogates become one character, single ones stay as they are."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass") \
        if not any(0xD800 <= ord(c) <= 0xDFFF for c in text) else text.encode("utf-8", "surrogatepass")


def tokens_of(items):
    """What the helper answered, in the form of html5lib's tests."""
    tokens = []
    for item in items:
        kind = item[0]
        if kind == "T":
            if tokens and tokens[-1][0] == "Character":
                tokens[-1][1] += plain(item[1])
            else:
                tokens.append(["Character", plain(item[1])])
        elif kind == "S":
            attributes = {}
            for part in item[3:]:
                name, _, value = part.partition("=")
                attributes[plain(name)] = plain(value or "-")
            tokens.append(["StartTag", plain(item[1]), attributes] + ([True] if int(item[2]) & SELF_CLOSING else []))
        elif kind == "E":
            tokens.append(["EndTag", plain(item[1])])
        elif kind == "C":
            tokens.append(["Comment", plain(item[1])])
        else:
            flags = int(item[4])
            tokens.append(["DOCTYPE", plain(item[1]) if flags & NAME else None, plain(item[2]) if flags & PUBLIC else None,
                           plain(item[3]) if flags & SYSTEM else None, not flags & QUIRKS])
    return tokens


def expected_of(output):
    tokens = []
    for token in output:
        if token[0] == "Character" and tokens and tokens[-1][0] == "Character":
            tokens[-1][1] += token[1]
        elif token[0] == "DOCTYPE":
            tokens.append([token[0], token[1] or None, *token[2:]])
        else:
            tokens.append(list(token))
    return tokens


def coerced(tokens):
    """What xmlViolation.test asks for on top: HTML 13.2.9, "coercing an HTML DOM into an infoset"."""
    def text(value):
        return re.sub("[\uFFFE\uFFFF]", "\uFFFD", value).replace("\f", " ")
    out = []
    for token in tokens:
        if token[0] == "Character":
            token = [token[0], text(token[1])]
        elif token[0] == "Comment":
            token = [token[0], re.sub("-(?=-)", "- ", token[1])]
        out.append(token)
    return out


def tokenizer(answers, data, suite):
    for path in sorted((data / "html/data/html5lib/tokenizer").glob("*.test")):
        cases = json.loads(path.read_text(encoding="utf-8"))
        xml = "xmlViolationTests" in cases
        for number, case in enumerate(cases.get("tests") or cases.get("xmlViolationTests") or []):
            if case.get("doubleEscaped"):
                case = unescape(case)
            for state in case.get("initialStates", ["Data state"]):
                items = answers.ask("tokens", str(MODES[state]), "1" if state == "CDATA section state" else "0",
                                    case.get("lastStartTag", "").encode(), octets(case["input"]))
                got, want = tokens_of(items), expected_of(case["output"])
                got = coerced(got) if xml else got
                suite.check("%s-%d-%s" % (path.stem, number, state.split()[0]), got == want,
                            "%s: %s, not %s" % (ascii(case["input"]), ascii(got), ascii(want)))


def label(text):
    """Labels mean the same where they name one codec; browsers read Latin-1 and ASCII as windows-1252."""
    try:
        name = codecs.lookup(text.strip()).name
    except LookupError:
        return text.strip().lower()
    return {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030"}.get(name, name)


def known(text):
    return text if label(text) != text.strip().lower() or text.strip().lower() in ("utf-8", "x-x-big5", "big5") else ""


def encoding(answers, data, suite):
    """tests*.dat: what a page without another label is read in. scripted/ asks for a browser that runs scripts."""
    for path in sorted((data / "html/data/html5lib/encoding").glob("*.dat")):
        cases = re.findall(rb"#data\n(.*?)\n?#encoding\n([^\n]*)", path.read_bytes(), re.S)
        for number, (page, want) in enumerate(cases):
            found = plain(answers.ask("sniff", page)[0][1])
            got = label(found) if found else "cp1252"
            suite.check("%s-%d" % (path.stem, number), got == label(want.decode()), "%s: %s, not %s" % (page[:120], got, want))


# --- MimeKit ---

def mimekit_lines(path):
    """Its token list, with neighbours of text joined and names without case."""
    out = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        kind, _, text = line.partition(": ")
        if kind in ("Data", "ScriptData", "CData"):
            text = text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
            if out and out[-1][0] == "text":
                out[-1] = ("text", out[-1][1] + text)
            else:
                out.append(("text", text))
        elif kind == "Tag":
            out.append(("tag", text))
        elif kind == "Comment":
            out.append(("comment", text))
        elif kind == "DocType":
            out.append(("doctype", text.lower()))
        elif out and line:
            out[-1] = (out[-1][0], out[-1][1] + "\n" + line)
        elif out and out[-1][0] == "comment":
            out[-1] = ("comment", out[-1][1] + "\n")
    return [(kind, re.sub(r"\s+", " ", text).strip()) for kind, text in out if text.strip() or kind != "text"]


def quoted(value):
    """As it writes values: quotes and backslashes escaped."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_mimekit(items):
    out = []
    for item in items:
        kind = item[0]
        if kind == "T" or (kind == "C" and int(item[2]) & CDATA):
            text = plain(item[1])
            text = text[7:].removesuffix("]]") if kind == "C" else text
            if out and out[-1][0] == "text":
                out[-1] = ("text", out[-1][1] + text)
            else:
                out.append(("text", text))
        elif kind == "S":
            parts = [plain(item[1])]
            for part in item[3:]:
                name, _, value = part.partition("=")
                parts.append(plain(name) + ("=" + quoted(plain(value)) if value else ""))
            out.append(("tag", "<" + " ".join(parts) + ("/" if int(item[2]) & SELF_CLOSING else "") + ">"))
        elif kind == "E":
            out.append(("tag", "</" + plain(item[1]) + ">"))
        elif kind == "C":
            out.append(("comment", plain(item[1])))
        else:
            flags = int(item[4])
            text = "<!doctype " + plain(item[1])
            text += ' public "%s"' % plain(item[2]) if flags & PUBLIC else ""
            text += (" system" if not flags & PUBLIC else "") + ' "%s"' % plain(item[3]) if flags & SYSTEM else ""
            out.append(("doctype", text.lower() + ">"))
    return [(kind, re.sub(r"\s+", " ", text).strip()) for kind, text in out if text.strip() or kind != "text"]


def without_empties(pair):
    """Case of names, empty values and the slash of empty elements are written in many ways."""
    kind, text = pair
    if kind != "tag":
        return pair
    text = re.sub(r'=""(?=[\s/>])', "", text)
    text = re.sub(r"\s*/?>$", ">", text)
    return kind, re.sub(r'("(?:\\.|[^"\\])*")|([^"]+)', lambda m: m.group(1) or m.group(2).lower(), text)


def mimekit(answers, data, suite):
    """The tokens of each page; blanks in a run count as one, and text that is only blanks not at all."""
    for path in sorted((data / "html/data/mimekit").glob("*.tokens")):
        page = path.with_suffix(".html").read_bytes()
        try:
            page.decode("utf-8")
        except UnicodeDecodeError:
            page = page.decode("cp1252").encode("utf-8")
        got = [without_empties(pair) for pair in as_mimekit(answers.ask("tokens", "0", "2", b"", page))]
        want = [without_empties(pair) for pair in mimekit_lines(path)]
        first = next((i for i, pair in enumerate(zip(got, want)) if pair[0] != pair[1]), min(len(got), len(want)))
        suite.check(path.stem, got == want, "token %d of %d: %s, not %s" % (first, len(want), ascii(got[first:first + 2])[:600], ascii(want[first:first + 2])[:600]))


# --- Scripts ---

ACTIVE = {"html.script", "html.script_remote", "html.handler", "html.script_url", "html.style_script"}


def removed_script(case):
    """Whether the sanitiser's authors hold it for one that runs something: it does, and none of their results keeps that."""
    runs = re.compile(r"<script|[\s/\"']on[a-z]{3,}\s*=|(java|vb)script:|expression\s*\(|alert\s*\(|alert`|import\(", re.I)
    safe = case["safe_outputs"]
    safe = [safe] if isinstance(safe, str) else safe
    return bool(runs.search(case["payload"])) and not any(runs.search(text) for text in safe)


def xss(answers, data, suite):
    """Each vector that bears a script yields a script, a handler or an address that is one."""
    seen = set()
    for number, case in enumerate(json.loads((data / "xss/data/dompurify.json").read_text(encoding="utf-8"))):
        if not removed_script(case) or "payload" not in case:
            continue
        facts = {item[1] for item in answers.ask("read", "0", octets(case["payload"])) if item[0] == "fact"}
        facts |= {item[1] for item in answers.ask("read", "1", octets(case["payload"])) if item[0] == "fact"}
        seen.add(number)
        suite.check("%d" % number, bool(facts & ACTIVE), "%s %s: %s" % (case.get("title"), ascii(case["payload"])[:400], sorted(facts)))


SUITES = {"html5lib-tokenizer": tokenizer, "html5lib-encoding": encoding, "mimekit-html": mimekit, "xss": xss}


def main():
    data = places.SHARED / "conformance"
    if not (data / "html").exists():
        print("skip: %d suites, there is no %s" % (len(SUITES), data))
        return 1 if os.environ.get("CI") == "true" else 77
    differences, answers = read_differences(), Answers(sys.argv[1])
    passed = failed = 0
    for name, run in SUITES.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        suite = Suite(name, differences)
        run(answers, data, suite)
        suite.end()
        passed, failed = passed + suite.passed, failed + suite.failed
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
