"""The helper program objects_answers: files in, what their openers tell out."""
import os
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402


class Told:
    """All that was told about one file."""

    def __init__(self):
        self.members, self.texts, self.pieces, self.links, self.facts, self.rc = [], {}, [], [], {}, ""

    def take(self, line):
        words = line.split(" ")
        plain = lambda word: b"" if word == "-" else bytes.fromhex(word)  # noqa: E731
        if words[0] == "member":
            self.members.append({"flags": int(words[1]), "size": int(words[2]), "sha256": words[3], "kind": plain(words[4]), "name": plain(words[5])})
        elif words[0] == "text":
            self.pieces.append(plain(words[2]))
            self.texts[int(words[1])] = self.texts.get(int(words[1]), b"") + plain(words[2])
        elif words[0] == "link":
            self.links.append(plain(words[2]))
        elif words[0] == "fact":
            self.facts[words[1]] = plain(words[2])

    def text(self):
        return b"".join(self.texts.values())


class Answers:
    """The program, one file at a time; it is started again when it ended."""

    def __init__(self, program, kind):
        self.command, self.process, self.ends = [program, kind], None, []

    def ask(self, data, name, cut=False):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        told = Told()
        try:
            self.process.stdin.write(struct.pack("<IB", len(data), cut) + data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        while True:
            line = self.process.stdout.readline().decode().rstrip("\n")
            if not line:
                self.ends.append("%s: the program ended with %s" % (name, self.process.wait()))
                self.process, told.rc = None, "ended"
                return told
            if line.startswith("end "):
                told.rc = line[4:]
                return told
            told.take(line)


class Result:
    """Prints a line a suite and the sum."""

    def __init__(self):
        self.passed = self.failed = 0

    def suite(self, name, text, wrong):
        print("%s %-34s %s" % ("FAIL" if wrong else "ok  ", name, text), flush=True)
        for line in wrong[:20]:
            print("     " + line)
        self.passed, self.failed = self.passed + (not wrong), self.failed + bool(wrong)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        return self.failed != 0


def data_or_skip(*suites):
    """The folders of the suites, or an exit: a counted skip where the data is absent, a failure where CI says it must be there."""
    folders = [places.SHARED / "conformance" / suite / "data" for suite in suites]
    absent = [folder for folder in folders if not folder.exists()]
    if absent:
        print("skip: %d suites, there is no %s" % (len(absent), absent[0]))
        print("0 passed, 0 failed, %d skipped" % len(absent))
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    return folders
