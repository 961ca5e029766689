#!/usr/bin/env python3
"""PDF: pdf.py ANSWERS. What stands in each file by its bytes (found here with patterns, in the file and in what its streams inflate to) must be told:
targets of /URI, scripts, launches, embedded files, forms, encryption. Every file is also read cut at each byte up to 4 KiB and at 64 places beyond.
"""
import os
import pathlib
import re
import sys
import zlib

import objects_harness

# What each key or name in a file must be told as.
FACTS = {
    rb"/JS\b|/JavaScript\b": "pdf.script",
    rb"/S\s*/Launch\b": "pdf.launch",
    rb"/EF\b\s*(<<|\d)": "pdf.embedded",
    rb"/XFA\b": "pdf.xfa",
    rb"/S\s*/SubmitForm\b": "pdf.submit",
}


def unfolded(data):
    """The file, and what every stream in it inflates to."""
    pieces = [data]
    for match in re.finditer(rb"stream\r?\n", data):
        try:
            pieces.append(zlib.decompressobj().decompress(data[match.end():]))
        except zlib.error:
            pass
    return b"\n".join(pieces)


def literal(text):
    """A string's bytes without escapes, as far as these files use them."""
    return re.sub(rb"\\(.)", rb"\1", text, flags=re.S)


def targets(data):
    for match in re.finditer(rb"/URI\s*\(((?:\\.|[^\\()])*)\)", data, re.S):
        yield literal(match.group(1))


def check(path, data, told):
    """What is wrong, as text."""
    sealed = b"/Encrypt" in data
    wrong = []
    if told.rc != "ok":
        wrong.append("%s: %s" % (path.name, told.rc))
    if sealed and "pdf.encrypted" not in told.facts:
        wrong.append("%s: not told as encrypted" % path.name)
    plain = data if sealed else unfolded(data)
    for pattern, fact in FACTS.items():
        if re.search(pattern, plain) and fact not in told.facts:
            wrong.append("%s: no %s" % (path.name, fact))
    for target in () if sealed else targets(plain):
        if target and target not in told.links:
            wrong.append("%s: no link %r" % (path.name, target))
    if "pdf.embedded" in told.facts and not sealed and not any(m["name"] for m in told.members):
        wrong.append("%s: no embedded file" % path.name)
    return wrong


# What these files are known to hold, beside what a pattern can see: their names in the origin say so.
KNOWN = {
    "encrypted-attachment.pdf": lambda told: "content.encrypted" not in told.facts and any(m["name"] for m in told.members),
    "attachment.pdf": lambda told: any(m["name"] and m["size"] for m in told.members),
    "js-buttons.pdf": lambda told: any(m["flags"] & 64 for m in told.members),
    "doc_actions.pdf": lambda told: "pdf.open_action" in told.facts,
    "testPassword4Spaces.pdf": lambda told: "content.password" in told.facts,
    "testUnicodePassword.pdf": lambda told: "content.encrypted" in told.facts,
}


def bomb(kind):
    """A document with a link, and a stream that expands beyond measure."""
    zeros = zlib.compress(b"\0" * (200 << 20), 9)
    link = b"9 0 obj <</S/URI/URI(http://after.test/)>> endobj\n"
    one = b"<</Filter/FlateDecode/Length %d%s>> stream\n%s\nendstream endobj\n"
    if kind == "embedded file":
        body = b"1 0 obj " + one % (len(zeros), b"/Type/EmbeddedFile", zeros)
    elif kind == "object stream":
        body = b"1 0 obj " + one % (len(zeros), b"/Type/ObjStm/N 1/First 4", zeros)
    elif kind == "packed twice":
        twice = zlib.compress(zeros, 9)
        body = b"1 0 obj <</Type/EmbeddedFile/Filter[/Fl/Fl]/Length %d>> stream\n%s\nendstream endobj\n" % (len(twice), twice)
    elif kind == "page":
        body = b"1 0 obj <</Type/Page/Contents[%s]>> endobj\n2 0 obj " % (b"2 0 R " * 200) + one % (len(zeros), b"", zeros)
    elif kind == "forms in forms":
        body = b"1 0 obj <</Type/Page/Contents 2 0 R/Resources 3 0 R>> endobj\n3 0 obj <</XObject<</X 2 0 R>>>> endobj\n2 0 obj "
        body += one.replace(b"/Filter/FlateDecode", b"") % (7000, b"/Subtype/Form/Resources 3 0 R", b"/X Do  " * 1000)
    elif kind == "scripts":
        body = b"2 0 obj " + one % (len(zeros), b"", zeros) + b"".join(b"%d 0 obj <</JS 2 0 R>> endobj\n" % (100 + i) for i in range(1000))
    elif kind == "objects":
        body = b"".join(b"%d 0 obj <<>> endobj\n" % (10 + i) for i in range(300000))
    else:
        body = b"1 0 obj " + b"[" * 3000000
    return b"%PDF-1.7\n" + link + body


BOMBS = ["embedded file", "object stream", "packed twice", "page", "forms in forms", "scripts", "objects", "arrays in arrays"]
BOMB_SECONDS = 2


def cpu_seconds(answers):
    """What the program has used; 0 when it ended."""
    if answers.process is None:
        return 0
    fields = pathlib.Path("/proc/%d/stat" % answers.process.pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bombs(answers):
    """Each is read to its end in time, and does not hide the link beside it."""
    wrong = []
    answers.ask(b"%PDF-", "warm")
    for kind in BOMBS:
        data = bomb(kind)
        started = cpu_seconds(answers)
        told = answers.ask(data, kind)
        took = cpu_seconds(answers) - started
        if b"http://after.test/" not in told.links:
            wrong.append("%s: %s, no link" % (kind, told.rc))
        if took > BOMB_SECONDS * (4 if "asan" in sys.argv[1] else 1):
            wrong.append("%s: %.1f s" % (kind, took))
        if "-v" in sys.argv:
            print("%-18s %-6s %.2f s %s" % (kind, told.rc, took, sorted(told.facts)))
    return "%d, none longer than %d s" % (len(BOMBS), BOMB_SECONDS), wrong


def main():
    answers = objects_harness.Answers(sys.argv[1], "pdf")
    pdf, mail = objects_harness.data_or_skip("pdf", "mail-objects")
    result = objects_harness.Result()
    files = sorted([*(pdf / "pdfjs").glob("*.pdf"), *(mail / "tika").glob("*.pdf")])
    wrong, links, texts = [], 0, 0
    for path in files:
        data = path.read_bytes()
        told = answers.ask(data, path.name)
        links, texts = links + len(told.links), texts + bool(told.texts.get(0))
        wrong += check(path, data, told)
        if path.name in KNOWN and not KNOWN[path.name](told):
            wrong.append("%s: %s, %d members" % (path.name, sorted(told.facts), len(told.members)))
        if "-v" in sys.argv:
            print(path.name, told.rc, sorted(told.facts), [(m["name"], m["kind"], m["size"]) for m in told.members][:4], told.links[:4],
                  {k: v[:120] for k, v in told.texts.items()})
    result.suite("pdf", "%d files, %d links, %d with text" % (len(files), links, texts), wrong + answers.ends)
    answers.ends.clear()
    text, wrong = bombs(answers)
    result.suite("pdf bombs", text, wrong + answers.ends)
    answers.ends.clear()
    for path in files:
        answers.ask(path.read_bytes(), path.name + " cut", cut=True)
    result.suite("pdf, cut", "%d files" % len(files), answers.ends)
    return result.end()


if __name__ == "__main__":
    sys.exit(main())
