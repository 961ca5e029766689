#!/usr/bin/env python3
"""Run the end-to-end tests.

    run.py [--soak] [--list] [PATTERN...]

A pattern is part of a test's name (module.Class.test). Each test prints one line with its time; the last line is `N
passed, N failed, N skipped`. With HANGU_STRICT=1 a skip counts as a failure (.ci/run). HANGU_KEEP=1 leaves run
folders behind.
"""
import argparse
import os
import pathlib
import signal
import sys
import time
import traceback
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.places import Unavailable  # noqa: E402

LIMIT_S = 120


class TooLong(Exception):
    """A test took longer than it may."""


def every_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from every_test(item)
        else:
            yield item


def marked(test, name, standard):
    method = getattr(test, test._testMethodName, None)
    return getattr(method, name, getattr(type(test), name, standard))


class Result(unittest.TestResult):
    """One line a test; details of failures at the end."""

    def __init__(self):
        super().__init__()
        self.passed, self.failed, self.details = 0, 0, []

    def startTest(self, test):
        super().startTest(test)
        self._started, self._word, self._why = time.monotonic(), "passed", ""
        print(test.id().removeprefix("e2e."), flush=True)

    def _fail(self, test, error, what):
        self._word, self._why = "FAILED", what + str(error[1]).strip().split("\n")[0][:300]
        self.details.append((test.id(), "".join(traceback.format_exception(*error))))

    def addFailure(self, test, error):
        self._fail(test, error, "")

    def addError(self, test, error):
        if isinstance(error[1], Unavailable):
            return self.addSkip(test, str(error[1]))
        self._fail(test, error, error[0].__name__ + ": ")

    def addSubTest(self, test, subtest, error):
        if error:
            self._fail(subtest, error, "")

    def addSkip(self, test, why):
        super().addSkip(test, why)
        self._word, self._why = "skipped", why

    def stopTest(self, test):
        seconds = time.monotonic() - self._started
        if self._word == "passed":
            self.passed += 1
        elif self._word == "FAILED":
            self.failed += 1
        print("  %-7s %6.2f s%s" % (self._word, seconds, "  " + self._why if self._why else ""), flush=True)


def limited(test, result):
    def over(*_):
        raise TooLong("longer than %d s" % seconds)

    seconds = marked(test, "limit_s", LIMIT_S) * float(os.environ.get("HANGU_PATIENCE", "1"))
    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        test.run(result)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--soak", action="store_true", help="the long runs, and only those")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tests = [
        t
        for t in every_test(unittest.TestLoader().discover(str(HERE), "test_*.py", str(HERE.parent)))
        if options.patterns == [] or any(p in t.id() for p in options.patterns)
    ]
    tests = [t for t in tests if bool(marked(t, "soak", False)) == options.soak]
    if options.list:
        print("\n".join(t.id().removeprefix("e2e.") for t in tests))
        return 0
    result = Result()
    for test in tests:
        limited(test, result)
    for name, text in result.details:
        print("\n== %s\n%s" % (name, text))
    skipped = len(result.skipped)
    print("%d passed, %d failed, %d skipped" % (result.passed, result.failed, skipped))
    strict = os.environ.get("HANGU_STRICT") == "1"
    return 1 if result.failed or (strict and skipped) or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
