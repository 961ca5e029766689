#!/usr/bin/env python3
"""The summariser: what each kind of log entry amounts to, and that no failure can hide."""
import sys
import unittest

import summary

CMOCKA = "[==========] Running 3 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n%s[ RUN      ] c\n[       OK ] c\n%s"
ROWS = [
    # name, result, output, passed, failed, skipped
    ("a plain program", "OK", "12 inputs\n", 1, 0, 0),
    ("a plain failure", "FAIL", "", 0, 1, 0),
    ("a timeout", "TIMEOUT", "", 0, 1, 0),
    ("an error", "ERROR", "", 0, 1, 0),
    ("a skip", "SKIP", "", 0, 0, 1),
    ("cmocka", "OK", CMOCKA % ("[       OK ] b\n", "[  PASSED  ] 3 test(s).\n"), 3, 0, 0),
    ("cmocka with a failure, listed twice", "FAIL", CMOCKA % ("[  FAILED  ] b\n", "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n"), 2, 1, 0),
    ("cmocka with a skip", "OK", CMOCKA % ("[  SKIPPED ] b\n", ""), 2, 0, 1),
    ("cmocka with a skip, listed twice", "OK", CMOCKA % ("[  SKIPPED ] b\n", "[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] b\n"), 2, 0, 1),
    ("cmocka that crashed in its second test", "FAIL", "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n", 1, 1, 0),
    ("cmocka that passed and then leaked", "FAIL", "[ RUN      ] a\n[       OK ] a\n", 1, 1, 0),
    ("own counts", "OK", "x\n7 passed, 0 failed\n", 7, 0, 0),
    ("own counts with skips", "OK", "7 passed, 0 failed, 2 skipped\n", 7, 0, 2),
    ("own counts with failures", "FAIL", "7 passed, 3 failed\n", 7, 3, 0),
    ("own counts, then a crash", "FAIL", "7 passed, 0 failed\n", 7, 1, 0),
    ("the last of two counts", "OK", "1 passed, 1 failed\n2 passed, 0 failed\n", 2, 0, 0),
    ("counts inside a line are none", "OK", "he said 7 passed, 1 failed today\n", 1, 0, 0),
]
RUNNER = "m.C.one\n  passed    1.50 s\nm.C.two\nsome noise\n  skipped   0.10 s  no kernel\n1 passed, 0 failed, 1 skipped\n"


def test_of(result, output, name="x"):
    return summary.Test("gcc", {"name": "hangu:unit / " + name, "result": result, "duration": 0.5, "stdout": output, "stderr": ""})


class Counts(unittest.TestCase):
    def test_rows(self):
        for name, result, output, *counts in ROWS:
            with self.subTest(name):
                test = test_of(result, output)
                self.assertEqual([test.passed, test.failed, test.skipped], counts)

    def test_parts_have_their_own_times_and_reasons(self):
        test = test_of("OK", RUNNER)
        self.assertEqual(test.timed(), [(1.5, "gcc m.C.one"), (0.1, "gcc m.C.two")])
        self.assertEqual(test.reasons(), ["m.C.two: no kernel"])


class Summary(unittest.TestCase):
    def test_all_well(self):
        report, last, well = summary.summarise([test_of("OK", ""), test_of("OK", RUNNER)], [], False)
        self.assertEqual((last, well), ("2 passed, 0 failed, 1 skipped", True))
        self.assertIn("no kernel", report)

    def test_a_skip_is_a_failure_where_all_must_be_at_hand(self):
        self.assertEqual(summary.summarise([test_of("OK", RUNNER)], [], True)[1:], ("1 passed, 1 failed", False))

    def test_what_the_kernel_cannot_give_is_named_and_not_held_against_us(self):
        test = test_of("SKIP", "SKIP powercut on xfs: this kernel has no xfs\n")
        report, last, well = summary.summarise([test, test_of("OK", "")], [], True)
        self.assertEqual((last, well), ("1 passed, 0 failed, 1 skipped", True))
        self.assertIn("no xfs", report)

    def test_what_a_sanitizer_cannot_run_is_named_and_not_held_against_us(self):
        output = CMOCKA % ("skipped: ThreadSanitizer allows no thread after a fork\n[  SKIPPED ] b\n", "\n 1 SKIPPED TEST(S)\n")
        test = test_of("OK", output)
        self.assertEqual(test.reasons(), ["skipped: ThreadSanitizer allows no thread after a fork"])
        self.assertEqual(summary.summarise([test], [], True)[1:], ("2 passed, 0 failed, 1 skipped", True))

    def test_a_broken_build_is_a_failure(self):
        self.assertEqual(summary.summarise([test_of("OK", "")], ["clang"], False)[1:], ("1 passed, 1 failed", False))

    def test_nothing_ran(self):
        self.assertEqual(summary.summarise([], [], False)[1:], ("0 passed, 0 failed", False))

    def test_failures_are_shown(self):
        self.assertIn("the reason", summary.summarise([test_of("FAIL", "the reason\n")], [], False)[0])


if __name__ == "__main__":
    result = unittest.TextTestRunner(stream=sys.stdout).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    bad = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (max(result.testsRun - bad, 0), bad))
    sys.exit(bad != 0)
