#!/usr/bin/env python3
"""docs/rfc-coverage.md against the tree: every file it names is there, and every case it names stands in its file.

    coverage.py [ROOT]
"""
import pathlib
import re
import sys

CASE = re.compile(r'`([^`]+)` "([^"]+)"')


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    rows = wrong = 0
    for number, line in enumerate((root / "docs/rfc-coverage.md").read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("| ") or line.startswith("| ---") or len(cells) != 4 or cells[0] in ("section", "RFC, section"):
            continue
        rows += 1
        problems = []
        for name in re.findall(r"`([^`]+)`", cells[2]):
            if not (root / name).is_file():
                problems.append("there is no " + name)
        cases = CASE.findall(cells[3])
        if not cases:
            problems.append("no case")
        for name, text in cases:
            # A name in a table of C is written with its own escapes; none of ours has any.
            if not (root / name).is_file() or text not in (root / name).read_text(encoding="utf-8"):
                problems.append('%s has no "%s"' % (name, text))
        for problem in problems:
            print("docs/rfc-coverage.md:%d: %s" % (number, problem))
        wrong += bool(problems)
    print("%d passed, %d failed" % (rows - wrong, wrong))
    return 1 if wrong or rows == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
