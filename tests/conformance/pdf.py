#!/usr/bin/env python3
"""PDF: pdf.py ANSWERS. What stands in each file by its bytes (found here with patterns, in the file and in what its streams inflate to) must be told:
targets of /URI, scripts, launches, embedded files, forms, encryption. Every file is also read cut at each byte up to 4 KiB and at 64 places beyond.
"""
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
    for path in files:
        answers.ask(path.read_bytes(), path.name + " cut", cut=True)
    result.suite("pdf, cut", "%d files" % len(files), answers.ends)
    return result.end()


if __name__ == "__main__":
    sys.exit(main())
