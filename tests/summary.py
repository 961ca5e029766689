#!/usr/bin/env python3
"""Sum up what meson ran: the ten slowest tests, the failed ones with their last lines, and `N passed, N failed[, N skipped]`.

    summary.py [--broken NAME]... BUILD-FOLDER...

Reads meson-logs/testlog.json of each folder. A test that prints its own `N passed, N failed[, N skipped]` counts as so many, a cmocka
program as many as it ran, any other one as one. With CI=true in the environment a skip is a failure, since there everything must be at
hand; only what the kernel cannot give may be missing, and is named.
The last line is also left in build/summary.txt. Exit code 0 only when nothing failed and something ran.
"""
import argparse
import json
import os
import pathlib
import re
import sys

OWN_LINE = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.M)
CMOCKA_RUN = re.compile(r"^\[ RUN      \] (\S+)", re.M)
CMOCKA_OK = re.compile(r"^\[       OK \] (\S+)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (\S+)", re.M)
CMOCKA_SAYS = re.compile(r"\[  SKIPPED \]|SKIPPED TEST\(S\)")
# The end-to-end runner's lines: a name, and below it (and below what the test printed) how it went and how long it took.
NAME_LINE = re.compile(r"^[\w.]+$")
TIMED_LINE = re.compile(r"^  (passed|FAILED|skipped) +([\d.]+) s(?:  (.*))?$")
SKIP_REASON = re.compile(r"^.*\bskip(?:ped)?\b.*$", re.M | re.I)
# Why a test may be skipped even where everything must be at hand: the machine's kernel or container has no such thing to give, or a
# sanitizer cannot run it at all; then the other builds do.
KERNEL_LACKS = re.compile(r"no loop devices|this kernel has no|mount refused|no mount namespace|cannot mount|ThreadSanitizer (?:allows|does not know)")
OUTPUT_LINES = 40


class Test:
    """What one entry of the log amounts to."""

    def __init__(self, build, entry):
        self.name = "%s %s" % (build, entry["name"].split(" / ")[-1])
        self.result, self.seconds = entry["result"], float(entry.get("duration", 0))
        self.output = entry.get("stdout", "") + entry.get("stderr", "")
        self.passed, self.failed, self.skipped = self.count()

    def count(self):
        own, ran = OWN_LINE.findall(self.output), CMOCKA_RUN.findall(self.output)
        if own:
            passed, failed, skipped = (int(number or 0) for number in own[-1])
        elif ran:
            skipped = len(set(CMOCKA_SKIPPED.findall(self.output)) & set(ran))  # cmocka names each twice, and their number
            passed = len(CMOCKA_OK.findall(self.output))
            failed = len(ran) - passed - skipped
        elif self.result == "SKIP":
            return 0, 0, 1
        else:
            passed, failed, skipped = int(self.result == "OK"), int(self.result != "OK"), 0
        # A program that ended badly has failed, whatever it had printed before.
        if self.result not in ("OK", "SKIP") and failed == 0:
            failed = 1
        return passed, failed, skipped

    def parts(self):
        """(name, word, seconds, why) of each part that the end-to-end runner tells."""
        name = None
        for line in self.output.splitlines():
            timed = TIMED_LINE.match(line)
            if timed and name:
                yield name, timed.group(1), float(timed.group(2)), timed.group(3) or ""
                name = None
            elif NAME_LINE.match(line) and name is None:
                name = line

    def timed(self):
        """(seconds, name) of its parts where it tells them, else of the whole."""
        parts = [(seconds, "%s %s" % (self.name.split()[0], name)) for name, _, seconds, _ in self.parts()]
        return parts or [(self.seconds, self.name)]

    def reasons(self):
        lines = ["%s: %s" % (name, why) for name, word, _, why in self.parts() if word == "skipped"]
        return lines or [line.strip() for line in SKIP_REASON.findall(self.output) if not OWN_LINE.match(line) and not CMOCKA_SAYS.search(line)][:5] or ["no reason given"]

    def excused(self):
        """Is each of its skips one that only another kernel could mend?"""
        return all(KERNEL_LACKS.search(reason) for reason in self.reasons())


def read(folder):
    log = pathlib.Path(folder) / "meson-logs" / "testlog.json"
    return [Test(pathlib.Path(folder).name, json.loads(line)) for line in log.read_text().splitlines() if line.strip()]


def summarise(tests, broken, strict):
    """The text of the report, its last line, and whether all is well."""
    lines = []
    slowest = sorted((part for test in tests for part in test.timed()), reverse=True)[:10]
    lines.append("\nslowest:")
    lines += ["  %8.2f s  %s" % part for part in slowest]
    for test in tests:
        if test.failed:
            lines.append("\n== %s: %s" % (test.name, test.result))
            lines += test.output.rstrip().splitlines()[-OUTPUT_LINES:]
    for name in broken:
        lines.append("\n== %s: did not build, or ran no test" % name)
    skips = [(test.name, reason) for test in tests if test.skipped for reason in test.reasons()]
    if skips:
        lines.append("\nskipped:")
        lines += ["  %s: %s" % skip for skip in skips]
    passed, failed, skipped = (sum(getattr(test, word) for test in tests) for word in ("passed", "failed", "skipped"))
    failed += len(broken)
    if strict:
        wanting = sum(test.skipped for test in tests if not test.excused())
        failed, skipped = failed + wanting, skipped - wanting
    last = "%d passed, %d failed" % (passed, failed) + (", %d skipped" % skipped if skipped else "")
    return "\n".join(lines), last, failed == 0 and passed != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--broken", action="append", default=[])
    parser.add_argument("folders", nargs="*")
    options = parser.parse_args()
    tests = [test for folder in options.folders for test in read(folder)]
    report, last, well = summarise(tests, options.broken, os.environ.get("CI") == "true")
    print(report + "\n")
    print(last)
    build = pathlib.Path(__file__).resolve().parents[1] / "build"
    if build.is_dir():
        (build / "summary.txt").write_text(last + "\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
