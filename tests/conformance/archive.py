"""The suites of archives beside the project, and Debian's clamav-testfiles, through tests/conformance/archive_files.

Each file is walked in a process of its own inside a closed box. For all of them: no crash, no breach of the box, below 2 s of CPU and 256 MiB.
Then what each suite's README asks for, held by rules over names and by other readers of the same formats (Python's, libmagic): an oracle that is
absent is a printed skip. The data is absent on other people's machines: a counted skip, and a failure where CI=true.
"""
import bz2
import collections
import ctypes
import ctypes.util
import email
import email.policy
import gzip
import lzma
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

CPU_MS_MAX, MEMORY_KIB_MAX = 2000, 256 << 10
CLAMAV = pathlib.Path("/usr/share/clamav-testfiles")
SANITIZED = os.environ.get("HANGU_SANITIZED") == "1"  # such a build is slower and larger

HIDDEN, LOCKED, CUT, DAMAGED, OPENED, UNREAD, LINK = 128, 1, 2, 4, 32, 8, 16

Member = collections.namedtuple("Member", "depth flags size crc name")


class Walk:
    """What came out of one file."""

    def __init__(self):
        self.kinds, self.odd, self.members, self.facts, self.limits = [], 0, [], [], set()
        self.status, self.cpu, self.memory = None, 0, 0

    def names(self):
        return {name for name, _ in self.facts}


def unquote(text):
    """codec_quote() back to bytes."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m.group(1), 16)]), text)


def run(program, files, *options):
    walks, walk = {}, Walk()
    out = subprocess.run([program, *options, *map(str, files)], stdout=subprocess.PIPE, check=False).stdout
    for line in out.split(b"\n"):
        fields = line.split(b"\t")
        if fields[0] == b"F":
            walk.kinds, walk.odd = fields[3].decode().split(), int(fields[4])
        elif fields[0] == b"M":
            walk.members.append(Member(int(fields[1]), int(fields[2]), int(fields[3]), int(fields[4], 16), unquote(fields[5])))
        elif fields[0] == b"X":
            walk.facts.append((fields[1].decode(), unquote(fields[2])))
        elif fields[0] == b"L":
            walk.limits.add(fields[1].decode())
        elif fields[0] == b"E":
            walk.status, walk.cpu, walk.memory = int(fields[2]), int(fields[3]), int(fields[4])
            walks[fields[1].decode()] = walk
            walk = Walk()
    return walks


def unharmed(walks):
    for path, walk in walks.items():
        if walk.status != 0:
            yield "%s: status %s" % (path, walk.status)
        elif not SANITIZED and (walk.cpu >= CPU_MS_MAX or walk.memory >= MEMORY_KIB_MAX):
            yield "%s: %d ms, %d KiB" % (path, walk.cpu, walk.memory)


def only(walks, pattern):
    return {path: walk for path, walk in walks.items() if re.search(pattern, path.rsplit("/", 1)[1], re.I)}


def encrypted(walks):
    """What is called encrypted is told to be, or was opened with one of the passwords that are said."""
    for path, walk in only(walks, "encrypt|_enc[._-]|-enc[.]|passTika|aes256|passphrase|only_crypt").items():
        if not walk.names() & {"content.encrypted", "content.password"}:
            yield path


def opened(walks):
    """Members of WinZip's AES and of classic encryption come out with the password that is said, whatever their method."""
    for path, walk in only(walks, "winzip_aes256|traditional_encryption").items():
        if not walk.members or any(m.flags != OPENED for m in walk.members):
            yield path


def bombs(walks):
    for path, walk in only(walks, r"^(depth-60|gzip-50MiB|droste)|gzip_recursive|ce_loop").items():
        if not walk.limits and "content.bomb" not in walk.names():
            yield path


def traversal(walks):
    """Names with .. or from the root are found, each."""
    for path, walk in only(walks, r"traversal|symlink_dotdot").items():
        told = [evidence for name, evidence in walk.facts if name == "archive.name"]
        for member in walk.members:
            bad = re.search(rb"(^|[/\\])\.\.($|[/\\])|^[/\\]|^[A-Za-z]:", member.name)
            if bad and not any(member.name.startswith(evidence[:200]) for evidence in told):
                yield "%s: %r" % (path, member.name)
        if not told:
            yield path


def python_members(path, name):
    """(crc, size, name) of what Python's readers unpack of a file; None where they cannot."""
    found = []
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    if info.is_dir() or info.flag_bits & 1:
                        continue
                    data = archive.read(info)
                    found.append((zlib.crc32(data), len(data), info.orig_filename))
        elif name.endswith((".gz", ".tgz")):
            data = gzip.decompress(path.read_bytes())
            found.append((zlib.crc32(data), len(data), None))
        elif name.endswith((".bz2", ".tbz")):
            data = bz2.decompress(path.read_bytes())
            found.append((zlib.crc32(data), len(data), None))
        elif name.endswith((".xz", ".lzma")):
            data = lzma.decompress(path.read_bytes())
            found.append((zlib.crc32(data), len(data), None))
        elif name.endswith(".tar") and "sparse" not in name and tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                for info in archive:
                    if info.isfile():
                        data = archive.extractfile(info).read()
                        found.append((zlib.crc32(data), len(data), info.name))
    except Exception:  # its reader gives up: no opinion
        return None
    return found


def as_python(walks):
    """Whatever Python unpacks came out here, too."""
    for path, walk in walks.items():
        if walk.limits or "content.bomb" in walk.names():
            continue
        ours = {(m.crc, m.size) for m in walk.members}
        for crc, size, name in python_members(pathlib.Path(path), path.rsplit("/", 1)[1]) or []:
            if (crc, size) not in ours:
                yield "%s: %r of %d bytes" % (path, name, size)


# What clamav-testfiles has in containers that other rooms open, or that none of ours reads; those are told as unreadable.
OTHERS = {"mail": r"mail|mbox|html|tnef", "document": r"rtf|ole|pdf|ppt|chm", "packed programs and installers": r"^clam-|_IS|ea0|^clam.exe$|sis$",
          "programs that hold themselves": r"emax"}
UNREADABLE = r"arj|szdd|binhex|impl"


def clamav(walks):
    program = (CLAMAV / "clam.exe").read_bytes()
    want = (zlib.crc32(program), len(program))
    for path, walk in walks.items():
        name = path.rsplit("/", 1)[1]
        if re.search(UNREADABLE, name):
            if "content.unreadable" not in walk.names():
                yield name + ": not told as unreadable"
        elif not any(re.search(pattern, name) for pattern in OTHERS.values()):
            if want not in {(m.crc, m.size) for m in walk.members}:
                yield name


# libmagic's media types and the kinds here, where both have a word for a thing.
MAGIC = {
    "application/zip": "zip", "application/gzip": "gzip", "application/x-bzip2": "bzip2", "application/x-xz": "xz", "application/x-rar": "rar rar5",
    "application/x-7z-compressed": "7z", "application/vnd.ms-cab-compressed": "cab", "application/x-tar": "tar", "application/x-lzh-compressed": "lha",
    "application/x-lha": "lha", "application/x-cpio": "cpio", "application/x-rpm": "rpm", "application/x-compress": "compress", "application/x-lzip": "lzip",
    "application/x-iso9660-image": "iso", "application/x-arj": "arj", "application/zstd": "zstd", "application/pdf": "pdf", "text/rtf": "rtf",
    "application/msword": "doc", "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt", "application/CDFV2": "ole doc xls ppt msg msi",
    "application/vnd.ms-outlook": "msg", "application/x-msi": "msi",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx", "application/vnd.oasis.opendocument.text": "odf",
    "application/vnd.oasis.opendocument.spreadsheet": "odf", "application/vnd.oasis.opendocument.presentation": "odf", "image/png": "png",
    "image/jpeg": "jpeg", "image/gif": "gif", "image/bmp": "bmp", "image/x-ms-bmp": "bmp", "image/webp": "webp", "image/tiff": "tiff", "image/svg+xml": "svg",
    "application/x-dosexec": "pe dos", "application/vnd.microsoft.portable-executable": "pe", "application/x-executable": "elf",
    "application/x-sharedlib": "elf", "application/x-pie-executable": "elf", "application/vnd.ms-tnef": "tnef", "application/epub+zip": "epub",
    "application/x-ms-shortcut": "lnk", "application/x-mach-binary": "macho", "application/java-archive": "jar",
}


def magic_open():
    name = ctypes.util.find_library("magic") or "libmagic.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    library.magic_open.restype = ctypes.c_void_p
    library.magic_file.restype = ctypes.c_char_p
    library.magic_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.magic_load.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    handle = library.magic_open(0x10)  # MAGIC_MIME_TYPE
    if not handle or library.magic_load(handle, None) != 0:
        return None
    return lambda path: (library.magic_file(handle, os.fsencode(path)) or b"").decode("utf-8", "replace")


def magic(walks):
    """Files whose kind libmagic sees otherwise, as (compared, differences)."""
    ask, compared, differ = magic_open(), 0, []
    if ask is None:
        return None
    for path, walk in walks.items():
        media = ask(path)
        if media not in MAGIC:
            continue
        compared += 1
        if not set(MAGIC[media].split()) & set(walk.kinds):
            differ.append("%s: %s, here %s" % (path, media, " ".join(walk.kinds)))
    return compared, differ


def attachments(folder):
    """Attachments of the messages of a suite, as files."""
    target = places.scratch() / "attachments"
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for path in sorted(folder.rglob("*.eml")):
        try:
            parts = list(email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32).walk())
        except Exception:
            continue
        for index, part in enumerate(parts):
            data = None if part.is_multipart() else part.get_payload(decode=True)
            if data and part.get_filename():
                files.append(target / ("%s-%d" % (path.stem, index)))
                files[-1].write_bytes(data)
    return files


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def say(self, name, count, wrong, note=""):
        wrong = list(wrong)
        print("%s %-38s %5d files, %d wrong%s" % ("FAIL" if wrong else "ok  ", name, count, len(wrong), note))
        for line in wrong[:20]:
            print("     " + line)
        self.passed += not wrong
        self.failed += bool(wrong)


def kinds_report(report, program, suites):
    files = [path for suite in suites for path in sorted((suite / "data").rglob("*")) if path.is_file()]
    walks = run(program, files)
    report.say("all attachments: unharmed", len(walks), unharmed(walks))
    answer = magic(walks)
    if answer is None:
        print("skip kinds as libmagic has them: libmagic or its data is not on this machine")
        return
    compared, differ = answer
    enough = len(differ) * 50 <= compared  # 98 %
    report.say("kinds as libmagic has them (98 %)", compared, [] if enough else differ, ", %d differ" % len(differ))
    if "-v" in sys.argv:
        print("\n".join("     " + line for line in differ))


def main():
    program, suites = sys.argv[1], places.SHARED / "conformance"
    if not (suites / "archives").exists():
        print("skip: 12 checks of archives, there is no %s" % suites)
        return 1 if os.environ.get("CI") == "true" else 77
    report = Report()
    files = [path for path in sorted((suites / "archives/data").rglob("*")) if path.is_file()]
    walks = run(program, files)
    high = max(walks.values(), key=lambda walk: walk.memory)
    slow = max(walks.values(), key=lambda walk: walk.cpu)
    report.say("archives: unharmed", len(walks), unharmed(walks), ", at most %d ms and %d MiB" % (slow.cpu, high.memory >> 10))
    report.say("archives: encrypted", len(walks), encrypted(walks))
    report.say("archives: opened by password", len(walks), opened(walks))
    report.say("archives: bombs and quines", len(walks), bombs(walks))
    report.say("archives: names that lead out", len(walks), traversal(walks))
    report.say("archives: all that Python unpacks", len(walks), as_python(walks))
    inside = run(program, attachments(suites / "rspamd-messages/data"))
    report.say("rspamd-messages: attachments", len(inside), list(unharmed(inside)) + list(as_python(inside)))
    if CLAMAV.exists():
        walks = run(program, sorted(CLAMAV.iterdir()))
        report.say("clamav-testfiles: unharmed", len(walks), unharmed(walks))
        report.say("clamav-testfiles: found inside", len(walks), clamav(walks))
        files += sorted(path for path in CLAMAV.iterdir() if path.stat().st_size < 1 << 16)
    else:
        print("skip clamav-testfiles: the package is not installed")
    kinds_report(report, program, [suites / name for name in ("archives", "office", "pdf", "tnef", "qr", "mail-objects") if (suites / name).exists()])
    cuts = run(program, files, "--cuts")
    report.say("cut at every byte to 4 KiB and beyond", len(cuts), ["%s: %s" % (path, walk.status) for path, walk in cuts.items() if walk.status != 0],
               ", %d s" % (sum(walk.cpu for walk in cuts.values()) // 1000))
    print("%d passed, %d failed" % (report.passed, report.failed))
    return report.failed != 0


if __name__ == "__main__":
    sys.exit(main())
