#!/usr/bin/env python3
"""TNEF and Outlook messages: objects.py ANSWERS. Names and bytes of attachments, and the RTF and HTML of bodies, must equal what the suites expect; every file is also read cut
at each byte up to 4 KiB and at 64 places beyond.
"""
import hashlib
import re
import sys

import objects_harness


# What stands in a message that is attached, and the names of what else is.
MESSAGES = {}


def plain_name(name):
    """As the tnef program writes a name: what could harm becomes an underscore; one that is missing gets a name of its own."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name) or "Untitled_Attachment"


def tnef_expected(folder, stem):
    """Name and digest of each file in a list; without a baseline of the file itself the name alone."""
    for name in (folder / "datafiles" / (stem + ".list")).read_text().split("\n"):
        if name:
            baseline = folder / "baselines" / (name + ".baseline")
            yield name, hashlib.sha256(baseline.read_bytes()).hexdigest() if baseline.exists() else None


def check(path, told, expected):
    wrong = [] if told.rc == "ok" else ["%s: %s" % (path.name, told.rc)]
    have = {}
    for member in told.members:
        name = member["name"].decode("utf-8", "replace")
        have.setdefault(plain_name(path.stem + "-" + name if name in ("body.rtf", "body.html") else name), []).append(member["sha256"])
    for name, digest in expected:
        if name not in have:
            wrong.append("%s: no %s among %s" % (path.name, name, sorted(have)))
        elif digest is not None and digest not in have[name]:
            wrong.append("%s: %s has other bytes" % (path.name, name))
    return wrong


def ytnef_expected(folder):
    """The files that were taken out of all samples together, as name and digest."""
    return {(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in (folder / "results").iterdir() if path.is_file()}


def main():
    answers = objects_harness.Answers(sys.argv[1], "tnef")
    tnef, mail = objects_harness.data_or_skip("tnef", "mail-objects")
    result = objects_harness.Result()
    files = sorted((tnef / "tnef/datafiles").glob("*.tnef"))
    wrong, count = [], 0
    for path in files:
        told = answers.ask(path.read_bytes(), path.name)
        expected = list(tnef_expected(tnef / "tnef", path.stem))
        count += len(expected)
        wrong += check(path, told, expected)
    result.suite("tnef", "%d files, %d parts" % (len(files), count), wrong + answers.ends)
    answers.ends.clear()
    others, wanted, wrong = sorted(p for p in (tnef / "ytnef").iterdir() if p.is_file()), ytnef_expected(tnef / "ytnef"), []
    for path in others:
        told = answers.ask(path.read_bytes(), path.name)
        wanted -= {(re.sub(" ", "_", m["name"].decode("utf-8", "replace")), m["sha256"]) for m in told.members}
        wanted -= {(m["name"].decode("utf-8", "replace"), m["sha256"]) for m in told.members}
    result.suite("ytnef", "%d files" % len(others), ["not taken out: %s" % name for name, _ in sorted(wanted)] + answers.ends)
    answers.ends.clear()
    winmail = mail / "tika/testWINMAIL.dat"
    told = answers.ask(winmail.read_bytes(), winmail.name)
    result.suite("testWINMAIL.dat", "%d members" % len(told.members), [] if told.rc == "ok" and told.members else [told.rc])
    outlook = objects_harness.Answers(sys.argv[1], "msg")
    messages, wrong = sorted((mail / "tika").glob("*.msg")), []
    for path in messages:
        told = outlook.ask(path.read_bytes(), path.name)
        if told.rc != "ok" or not told.texts.get(0, b"").strip():
            wrong.append("%s: %s, %s" % (path.name, told.rc, told.texts))
        for fragment in MESSAGES.get(path.name, ()):
            if fragment not in told.text() and not any(fragment in (m["name"], m["kind"]) for m in told.members):
                wrong.append("%s: no %r" % (path.name, fragment))
        if "-v" in sys.argv:
            print(path.name, told.rc, sorted(told.facts), [(m["name"], m["kind"], m["size"]) for m in told.members], {k: v[:300] for k, v in told.texts.items()})
    result.suite("msg", "%d files" % len(messages), wrong + outlook.ends)
    outlook.ends.clear()
    for path in messages:
        outlook.ask(path.read_bytes(), path.name + " cut", cut=True)
    result.suite("msg, cut", "%d files" % len(messages), outlook.ends)
    for path in [*files, *others, winmail]:
        answers.ask(path.read_bytes(), path.name + " cut", cut=True)
    result.suite("tnef, cut", "%d files" % (len(files) + len(others) + 1), answers.ends)
    return result.end()


if __name__ == "__main__":
    sys.exit(main())
