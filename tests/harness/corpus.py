"""Messages to send: real mail of the corpora and the MIME suites beside the project, brought to what SMTP can carry.

SMTP carries lines that end with CRLF (RFC 5321 section 2.3.8). A file is brought there once, here: LF becomes CRLF,
and the last line gets an end. A message that still holds a bare CR or a NUL cannot be sent by SMTP; `lawful` tells.
Nothing else is changed.
"""
import dataclasses
import fcntl
import re
import tarfile

from . import places

SOURCES = (
    "abuse_notices",
    "bounces_sisimai",
    "csdmc2010",
    "email_corpus_cwl",
    "enron_raw",
    "fixtures_misc",
    "foff_milter",
    "fraud_glitchy",
    "html_templates",
    "lists_dead",
    "lists_modern",
    "lists_notifications",
    "phishing_pot",
    "spamassassin",
    "trec06c",
    "trec07p",
)
MIME_ENDINGS = (".eml", ".txt", ".msg", ".ntx", ".out")


class Absent(places.Unavailable):
    """The folder with the corpora is not there."""


@dataclasses.dataclass(frozen=True)
class Message:
    name: str
    data: bytes  # CRLF line ends

    @property
    def lawful(self):
        return b"\0" not in self.data and not re.search(rb"\r(?!\n)|(?<!\r)\n", self.data)

    @property
    def eightbit(self):
        return not self.data.isascii()


def crlf(raw):
    """LF and CRLF to CRLF; a last line without an end gets one."""
    data = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


def _unpacked(source, count):
    """The first `count` files of a corpus; file names there are digests, so the first ones are as good as random
    ones.
    """
    archive = places.SHARED / "corpus" / (source + ".tar.xz")
    if not archive.exists():
        raise Absent("no %s" % archive)
    folder = places.scratch() / "corpus" / source
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if len(list(folder.glob("*.eml"))) < count:
            with tarfile.open(archive) as tar:
                taken = 0
                for member in tar:
                    if taken == count:
                        break
                    if member.isfile():
                        (folder / member.name.rpartition("/")[2]).write_bytes(tar.extractfile(member).read())
                        taken += 1
    return sorted(folder.glob("*.eml"))[:count]


def unpacked(source, count):
    """The paths of the first `count` messages of a corpus, for tests that read files themselves."""
    return _unpacked(source, count)


def real(count_each=10):
    """Real mail, `count_each` messages of every source."""
    for source in SOURCES:
        for path in _unpacked(source, count_each):
            yield Message("%s/%s" % (source, path.stem), crlf(path.read_bytes()))


def mime():
    """The messages of conformance/mime-messages: odd, broken and hostile structures."""
    top = places.SHARED / "conformance" / "mime-messages"
    if not top.exists():
        raise Absent("no %s" % top)
    for path in sorted(top.glob("*/data/**/*")):
        if path.is_file() and path.suffix in MIME_ENDINGS and path.stat().st_size:
            yield Message("mime/" + str(path.relative_to(top)), crlf(path.read_bytes()))


def conformance(suite, file):
    """The path of a data file of a conformance suite."""
    path = places.SHARED / "conformance" / suite / "data" / file
    if not path.exists():
        raise Absent("no %s" % path)
    return path
