#!/usr/bin/env python3
"""The three suites about MIME of HANGU_SHARED (or ../shared): mime.py TREE SCAN_FILES [SUITE]...

TREE (mime_tree.c) prints how mail/ reads each message, in every reading; SCAN_FILES (scan_files.c) what the scanner finds and what the shipped
table does. Each suite prints a line; the last line is `N passed, N failed`. Messages of mime-messages that are read otherwise on purpose stand in
mime_differences.tsv with the reason; one that agrees again fails until its line is taken out.
"""
import collections
import io
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree
import zipfile
import zlib
import json

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

CONFORMANCE = places.SHARED / "conformance"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

Part = collections.namedtuple("Part", "depth kind type charset encoding body names others")
Other = collections.namedtuple("Other", "how name body")


def unhex(word):
    return b"" if word == "-" else bytes.fromhex(word)


def trees(program, paths):
    """path -> ([(rules, [Part])], [Other]): the readings of each message, the primary one first, and all other decodings."""
    run = subprocess.run([program], input="".join("%s\n" % path for path in paths).encode(), stdout=subprocess.PIPE, check=True)
    result, readings, others = {}, None, None
    for line in run.stdout.decode("ascii", "surrogateescape").split("\n"):
        words = line.split(" ")
        if words[0] == "F":
            readings, others = [], []
            result[line[2:]] = (readings, others)
        elif words[0] == "R":
            readings.append((int(words[1]), []))
        elif words[0] == "P":
            names = [unhex(name) for name in words[7].split(",")] if words[7] != "-" else []
            readings[-1][1].append(Part(int(words[1]), words[2], unhex(words[3]).decode("latin-1"), unhex(words[4]).decode("latin-1"),
                                        int(words[5]), unhex(words[6]), names, []))
        elif words[0] == "O":
            others.append(Other(int(words[1]), unhex(words[2]), unhex(words[3])))
            if readings:
                readings[-1][1][-1].others.append(others[-1])
    return result


def scanned(program, folder):
    """path below the folder -> (action, kinds)"""
    run = subprocess.run([program, str(folder)], stdout=subprocess.PIPE, check=False)
    rows = {}
    for line in run.stdout.decode("utf-8", "replace").split("\n"):
        fields = line.split("\t")
        if len(fields) >= 4:
            rows[fields[0]] = (fields[1], set(fields[4].split(" ")) if len(fields) > 4 else set())
        elif line.startswith("INTERNAL"):
            print("     " + line)
    return rows


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ---- opening what readings hold ----

def opened(data, depth=0):
    """The bytes and what stands packed in them, as any archive engine would open it."""
    yield data
    if depth == 2:
        return
    if data[:2] == b"\x1f\x8b":
        try:
            yield from opened(zlib.decompressobj(31).decompress(data, 1 << 20), depth + 1)
        except zlib.error:
            pass
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield from opened(archive.read(info), depth + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError):
        pass
    for at in (match.start() for match in re.finditer(b"PK\x03\x04", data)):
        name, extra = (int.from_bytes(data[at + i:at + i + 2], "little") for i in (26, 28))
        try:
            yield zlib.decompressobj(-15).decompress(data[at + 30 + name + extra:], 1 << 20)
        except zlib.error:
            pass


def holds_eicar(reading):
    readings, others = reading
    bodies = {part.body for _, parts in readings for part in parts} | {other.body for other in others}
    return any(EICAR in data for body in bodies for data in opened(body))


HELD = ("hold", "reject", "discard")


def mimeminer(tree, scan_files):
    base = CONFORMANCE / "mimeminer/data"
    wrong, words = [], []
    for folder, floor in (("cases", 120), ("decoding", 26)):
        rows = scanned(scan_files, base / folder)
        found = {path for path, (_, kinds) in rows.items() if "content.eicar" in kinds}
        lost = sorted(path for path, (action, _) in rows.items() if path not in found and action not in HELD)
        words.append("%s: %d of %d by content, %d held for ambiguity" % (folder, len(found), len(rows), len(rows) - len(found) - len(lost)))
        wrong += lost + (["%s: %d by content, at least %d" % (folder, len(found), floor)] if len(found) < floor else [])
    rows = scanned(scan_files, base / "control")
    stopped = sorted(path for path, (action, _) in rows.items() if action in HELD)
    doubted = sum(any(kind.startswith("mime.") for kind in kinds) for _, kinds in rows.values())
    wrong += [path for path, (_, kinds) in rows.items() if "content.eicar" in kinds] + (stopped if len(stopped) > 20 else [])
    words.append("controls: %d, %d held, %d with a finding about MIME" % (len(rows), len(stopped), doubted))
    return "; ".join(words), wrong


def expected_levels():
    levels = {}
    for line in (CONFORMANCE / "mime-is-broken/expected.tsv").read_text("latin-1").split("\n")[1:]:
        fields = line.split("\t")
        if len(fields) == 3:
            levels[str(CONFORMANCE / "mime-is-broken" / fields[0])] = (int(fields[1]), fields[2].split(" ")[0])
    return levels


def hide_content(tree, scan_files):
    folder = CONFORMANCE / "mime-is-broken/data/hide-content.d"
    levels, read, rows = expected_levels(), trees(tree, files_of(folder)), scanned(scan_files, folder)
    content = {path for path in read if holds_eicar(read[path])}
    scanner = {path for path, (_, kinds) in rows.items() if "content.eicar" in kinds}
    held = {path for path, (action, _) in rows.items() if action in HELD}
    wrong = ["level %d %s: %s" % (*levels[path], path) for path in read if path not in content | held or (path not in content and levels[path][0] >= 2)]
    return "%d of %d in the bytes of a reading (%d named by the scanner itself), %d more held" % (
        len(content), len(read), len(scanner), len(held - content)), wrong


def hide_filename(tree, _):
    folder = CONFORMANCE / "mime-is-broken/data/hide-filename.d"
    levels, read = expected_levels(), trees(tree, files_of(folder))
    wrong, controls = [], 0
    for path, (readings, _) in read.items():
        if levels[path][1].endswith(".png"):
            controls += 1  # plainly named file.png, both parts of them: nothing is hidden, no rule about names can fire
            continue
        names = {name.lower().rstrip(b". ") for _, parts in readings for part in parts for name in part.names}
        if not any(name.endswith(b".zip") for name in names):
            wrong.append("%s: %s %s" % (levels[path][1], path, sorted(names)))
    return "%d of %d named file.zip, and %d controls that name no such file" % (len(read) - controls - len(wrong), len(read) - controls, controls), wrong


# ---- mime-messages: expectations as (kind, names, body, children) ----

def plain(data):
    """Line ends made alike: the corpora went through tools that changed them."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def to_texts(part, body):
    """What a reader may make of it: by its charset or, where that does not fit, by the usual ones; with marks for what is of none."""
    for name in [part.charset or "utf-8", "utf-8", "latin-1", "ascii"]:
        for errors in ("strict", "replace"):
            try:
                yield body.decode(name, errors).replace("\r\n", "\n")
            except (LookupError, UnicodeDecodeError, ValueError):
                continue


def stalwart(path):
    def node(message, index):
        part = message["parts"][index]
        kind, body = next(iter(part["body"].items()))
        if kind == "Multipart":
            return ("M", [], None, [node(message, child) for child in body])
        if kind == "Message":
            return ("R", [], None, [node(body, 0)])
        names = []
        for header in part["headers"]:
            value = header["value"]
            if header["name"] in ("content_type", "content_disposition") and isinstance(value, dict) and "ContentType" in value:
                names += [a["value"] for a in value["ContentType"].get("attributes") or [] if a["name"] in ("name", "filename")]
        return ("L", names, bytes(body) if isinstance(body, list) else body, [])
    return node(json.loads(path.read_text("utf-8")), 0)


def mime4j(path):
    text = path.read_bytes().decode("latin-1")
    text = re.sub("[^\t\n\r\x20-\xff]", "?", text)
    top = xml.etree.ElementTree.fromstring(text.encode("utf-8"))

    def node(element):
        for child in element:
            if child.tag == "multipart":
                return ("M", [], None, [node(part) for part in child if part.tag == "body-part"])
            if child.tag == "message":
                return ("R", [], None, [node(child)])
            if child.tag in ("text-body", "binary-body"):
                return ("L", [], (path.parent / child.get("name")).read_bytes(), [])
        return ("L", [], b"", [])
    return node(top)


def our_tree(parts):
    """Nested as the expectations are, from the list with depths."""
    top, path = None, []
    for part in parts:
        node = (part.kind, part, [])
        del path[part.depth:]
        if path:
            path[-1][2].append(node)
        else:
            top = node
        path.append(node)
    return top


def leaf_differs(expected, part, first_only):
    _, names, body, _ = expected
    bodies = [part.body] + ([] if first_only else [other.body for other in part.others])
    if isinstance(body, str):
        theirs = body.replace("\r\n", "\n")
        ours = [text for one in bodies for text in to_texts(part, one)]
    else:
        theirs, ours = plain(body), [plain(one) for one in bodies]
    if theirs not in ours:
        return "body %r is %r" % (theirs[-60:], ours[0][-60:])
    for name in names:
        if name and name.encode("utf-8") not in part.names:
            return "name %r is not in %r" % (name, part.names)
    return ""


def differs(expected, ours, first_only):
    """Why the trees are not the same, or an empty text."""
    kind, _, _, children = expected
    if kind == "M" and ours[0] == "R" and len(ours[2]) == 1 and ours[2][0][0] == "M":
        ours = ours[2][0]  # an encoded multipart, opened
    if kind != ours[0]:
        return "%s is %s" % (kind, ours[0])
    if kind == "L":
        return leaf_differs(expected, ours[1], first_only)
    if len(children) != len(ours[2]):
        return "%d parts are %d" % (len(children), len(ours[2]))
    return next((why for why in (differs(*pair, first_only) for pair in zip(children, ours[2])) if why), "")


def expectations():
    base = CONFORMANCE / "mime-messages"
    def answers(expected, readings):
        """The primary reading as it is announced; then all readings with all decodings of each body."""
        return [differs(expected, our_tree(readings[0][1]), True)] + [differs(expected, our_tree(parts), False) for _, parts in readings]

    for path in sorted((base / "mail-parser/data/eml").rglob("*.json")):
        yield path.with_suffix(".eml"), lambda readings, path=path: answers(stalwart(path), readings)
    for path in sorted((base / "mime4j/data").rglob("*_decoded.xml")):
        message = path.with_name(path.name.replace("_decoded.xml", ".msg"))
        yield message, lambda readings, path=path: answers(mime4j(path), readings)
    files = {path.name.encode(): path.read_bytes() for path in (base / "mail-mime-parser/data/emails/files").iterdir()}
    for path in sorted((base / "mail-mime-parser/data/emails").glob("*.txt")):
        yield path, lambda readings: [named_files(files, parts) for _, parts in readings]


def named_files(files, parts):
    """Attachments that have the name of a file that lies beside the messages have its bytes. None: there is no such one."""
    known = [(part, name) for part in parts for name in part.names[:1] if name in files]
    for part, name in known:
        text = part.type.startswith("text/")
        theirs = files[name]
        ours = [one.encode("utf-8") for one in to_texts(part, part.body)] if text else [part.body]
        if not any(plain(one).strip() == plain(theirs).strip() if text else one == theirs for one in ours):
            return "file %s differs" % name.decode()
    return "" if known else None


def differences():
    path = pathlib.Path(__file__).with_name("mime_differences.tsv")
    return dict(line.split("\t") for line in path.read_text("utf-8").split("\n") if line and not line.startswith("#")) if path.exists() else {}


def mime_messages(tree, _):
    cases = list(expectations())
    read = trees(tree, [path for path, _ in cases])
    listed, wrong, total, primary, any_reading = differences(), [], 0, 0, 0
    for path, compare in cases:
        answers = compare(read[str(path)][0])
        if answers[0] is None:
            continue
        name = str(path.relative_to(CONFORMANCE / "mime-messages"))
        total += 1
        primary += answers[0] == ""
        agrees = "" in answers
        any_reading += agrees
        if agrees == (name in listed):
            wrong.append("%s: %s" % (name, "agrees now: take its line out" if agrees else " | ".join(answers)[:300]))
    if any_reading < 0.99 * total:
        wrong.append("only %d of %d in some reading" % (any_reading, total))
    if primary < 0.9 * total:
        wrong.append("only %d of %d in the primary reading" % (primary, total))
    return "%d with an expectation: %d equal in the primary reading, %d in some reading, %d differences listed" % (
        total, primary, any_reading, len(listed)), wrong


SUITES = [
    ("mimeminer", mimeminer),
    ("mime-is-broken hide-content", hide_content),
    ("mime-is-broken hide-filename", hide_filename),
    ("mime-messages", mime_messages),
]


def main():
    tree, scan_files, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    if not CONFORMANCE.exists():
        print("skip: %d suites, there is no %s" % (len(SUITES), CONFORMANCE))
        return 1 if os.environ.get("CI") == "true" else 77
    passed = failed = 0
    for name, run in SUITES:
        if only and not any(word in name for word in only):
            continue
        text, wrong = run(tree, scan_files)
        print("%s %-30s %s" % ("FAIL" if wrong else "ok  ", name, text))
        for line in wrong[:int(os.environ.get("HANGU_SHOW", "20"))]:
            print("     " + line)
        passed, failed = passed + (not wrong), failed + bool(wrong)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
