#!/usr/bin/env python3
"""Codes in pictures: image.py ANSWERS [--each]. Sets of zxing, each a picture and the text that its code holds.

Clean sets ask for 98 % (and those of the suite's README), photographs (qrcode-2, -4) for more than zbarimg reads. Every picture is also read cut
at each byte up to 4 KiB and at 64 places beyond.
"""
import sys
import time

import objects_harness

# What must be read of each set, and what the best peer read (the suite's README).
FLOORS = {"qrcode-2": 17, "qrcode-3": 30, "qrcode-4": 19, "qrcode-5": 13, "qrcode-6": 9}
OPTIONAL = ("aztec-1", "datamatrix-1")


def expected(path):
    """The texts that count as right: line ends and trailing blanks are the tester's."""
    text = path.with_suffix(".txt")
    if text.exists():
        return text.read_bytes().replace(b"\r\n", b"\n").strip()
    return path.with_suffix(".bin").read_bytes()


def equal(found, wanted):
    found = found.replace(b"\r\n", b"\n").strip()
    if found == wanted:
        return True
    for charset in ("utf-8", "shift_jis", "latin-1"):
        try:
            if found.decode(charset) == wanted.decode("utf-8"):
                return True
        except UnicodeDecodeError:
            pass
    return False


def main():
    answers = objects_harness.Answers(sys.argv[1], "image")
    each = "--each" in sys.argv
    folder = objects_harness.data_or_skip("qr")[0] / "zxing"
    result = objects_harness.Result()
    for name in sorted([*FLOORS, *OPTIONAL]):
        pictures = sorted(p for p in (folder / name).iterdir() if p.suffix in (".png", ".jpg", ".gif"))
        missed, started = [], time.process_time()
        for path in pictures:
            told = answers.ask(path.read_bytes(), path.name)
            texts = told.links + told.pieces
            if not any(equal(text, expected(path)) for text in texts):
                missed.append("%s: %s %s" % (path.name, told.rc, (told.links or [told.text()])[0][:60]))
        right, wrong = len(pictures) - len(missed), list(answers.ends)
        if name in FLOORS and right < FLOORS[name]:
            wrong.append("only %d, at least %d" % (right, FLOORS[name]))
        if each:
            wrong += missed
        result.suite("qr " + name, "%d of %d%s" % (right, len(pictures), "" if name in FLOORS else ", optional"), wrong)
        answers.ends.clear()
    for name in sorted([*FLOORS, *OPTIONAL]):
        pictures = sorted(p for p in (folder / name).iterdir() if p.suffix in (".png", ".jpg", ".gif"))
        for path in pictures[:6]:
            answers.ask(path.read_bytes(), path.name + " cut", cut=True)
        result.suite("qr %s, cut" % name, "%d pictures" % len(pictures[:6]), list(answers.ends))
        answers.ends.clear()
    return result.end()


if __name__ == "__main__":
    sys.exit(main())
