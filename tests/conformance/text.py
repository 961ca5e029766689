#!/usr/bin/env python3
"""Conformance of text/ against the data sets of HANGU_SHARED (or ../shared): text.py PROGRAM [SUITE]...

charset: each *_in.txt decoded is its *_in_ref.txt byte for byte. Each suite prints a line with its counts; the last line is `N passed, N failed`.
Without the data every suite is a printed skip, and with CI=true a failure.
"""
import ast
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

LABELS = {"jis0208": "euc-jp", "jis0212": "euc-jp", "euc_kr": "euc-kr", "iso_2022_jp": "iso-2022-jp"}


def first_difference(one, other):
    """The line where two texts part, for the reader of a failure."""
    for number, (a, b) in enumerate(zip(one.split(b"\n"), other.split(b"\n")), 1):
        if a != b:
            return "line %d: %s, wanted %s" % (number, a.hex(), b.hex())
    return "%d bytes, wanted %d" % (len(one), len(other))


def charset(program):
    folder = places.SHARED / "conformance/charset/data/encoding_rs"
    if not folder.exists():
        return None
    passed, failed = 0, []
    for reference in sorted(folder.glob("*_in_ref.txt")):
        name = reference.name[:-len("_in_ref.txt")]
        source = folder / (name + "_in.txt")
        run = subprocess.run([program, "decode", LABELS.get(name, name), str(source)], stdout=subprocess.PIPE, check=False)
        if run.returncode == 0 and run.stdout == reference.read_bytes():
            passed += 1
        else:
            failed.append("%s: %s" % (source.name, first_difference(run.stdout, reference.read_bytes())))
    return passed, failed


def skeletons(program, texts):
    source = places.scratch() / "skeletons.txt"
    source.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    run = subprocess.run([program, "skeleton", str(source)], stdout=subprocess.PIPE, check=True)
    return dict(zip(texts, run.stdout.decode("utf-8").split("\n")))


def unicode(program):
    """similar.txt is UTS 39's table by groups: a row whose first character is ASCII begins one, and all of a group look like it."""
    folder = places.SHARED / "conformance/unicode/data"
    if not folder.exists():
        return None
    rows = [line.rsplit(" ", 1) for line in (folder / "emailtesttools/similar.txt").read_text("utf-8").splitlines()]
    pairs, head = [], ""
    for text, code in rows:
        head = text if int(code, 16) < 0x80 else head
        pairs.append((head, text))
    bones = skeletons(program, sorted({text for pair in pairs for text in pair}))
    wrong = ["%s and %s: %s, %s" % (a, b, bones[a], bones[b]) for a, b in pairs if bones[a] != bones[b]]
    han(program, folder / "confusables.txt")
    return len(pairs) - len(wrong), wrong


def han(program, path):
    """For the record: pairs of ideographs that a trained model held for alike. No skeleton can join them: their chains run through 5,752 characters."""
    pairs = [(line[0], other) for line in path.read_text("utf-8").splitlines() for other in ast.literal_eval(line.split(": ", 1)[1])]
    bones = skeletons(program, sorted({text for pair in pairs for text in pair}))
    print("note unicode    %d of %d pairs of ideographs have one skeleton" % (sum(bones[a] == bones[b] for a, b in pairs), len(pairs)))


SUITES = {"charset": charset, "unicode": unicode}


def main():
    program, only = sys.argv[1], sys.argv[2:]
    passed = failed = skipped = 0
    for name, suite in SUITES.items():
        if only and name not in only:
            continue
        answer = suite(program)
        if answer is None:
            skipped += 1
            print("skip %-10s there is no data of it under %s" % (name, places.SHARED))
            continue
        good, bad = answer
        print("%s %-10s %d agree, %d differ" % ("FAIL" if bad else "ok  ", name, good, len(bad)))
        for line in bad[:20]:
            print("     " + line)
        passed, failed = passed + good, failed + len(bad)
    print("%d passed, %d failed" % (passed, failed))
    if skipped and not passed + failed:
        return 1 if os.environ.get("CI") == "true" else 77
    return failed != 0 or (skipped != 0 and os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main())
