"""hangu-av, the second engine: what it is asked and answers, its generations, its box, and what ends it."""
import concurrent.futures
import fcntl
import gzip
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time
import unittest

from harness import places, process

from . import base

NEEDLE = "Own.Needle:0:*:6e6565646c652d34373131\n"
THREAD = "Own.Thread:0:*:7468726561642d34373131\n"
RESULTS = ("clean", "found", "cut", "failed", "down")
SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008  # seal, shrink, grow, write
F_ADD_SEALS = 1033


def sealed(data, seals=SEALS):
    memory = os.memfd_create("sample", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(memory, data)
    if seals:
        fcntl.fcntl(memory, F_ADD_SEALS, seals)
    return memory


def request(number, size, name=b""):
    return bytes([1, ord("Q")]) + struct.pack("<QQI", number, size, len(name)) + name


class Answer:
    def __init__(self, frame):
        version, kind, self.number, result = struct.unpack_from("<BBQB", frame)
        if (version, kind) != (1, ord("A")):
            raise ValueError("no answer: %r" % frame)
        self.result, at = RESULTS[result], 11
        texts = []
        for _ in range(2):
            (size,) = struct.unpack_from("<I", frame, at)
            texts.append(frame[at + 4 : at + 4 + size].decode("ascii"))
            at += 4 + size
        self.signature, self.engine = texts
        self.database, self.database_s, self.signatures = struct.unpack_from("<IQI", frame, at)


class Engine:
    """A hangu-av with folders of its own."""

    def __init__(self, *options, signatures=NEEDLE):
        self.folder = places.run_folder("av")
        self.own, self.temporary = self.folder / "signatures", self.folder / "temporary"
        self.own.mkdir()
        self.temporary.mkdir()
        self.socket = self.folder / "av.sock"
        (self.own / "own.ndb").write_text(signatures)
        self.options = [
            *("--socket", self.socket, "--temporary", self.temporary, "--signatures", self.own, "--scanners", "2"),
            *options,
        ]
        self.server = None

    def start(self, wait="av.serving"):
        self.server = process.Server("hangu-av", [places.program("hangu-av"), *self.options], self.folder / "log")
        process.wait_for(lambda: wait in self.server.log(), 60, self.server.log)
        return self

    def __exit__(self, *_):
        self.server.stop()
        places.remove(self.folder)

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(30)
        client.connect(str(self.socket))
        return client

    def send(self, frame, *descriptors):
        """The answer's frame, or b"" when there was none."""
        with self.connect() as client:
            try:
                socket.send_fds(client, [frame], descriptors)
                return client.recv(4096)
            except ConnectionError:
                return b""
            finally:
                for one in descriptors:
                    os.close(one)

    def ask(self, data, number=7, name=b"a.exe", seals=SEALS):
        return Answer(self.send(request(number, len(data), name), sealed(data, seals)))

    def scanners(self):
        """The processes two steps below the front."""
        loaders = [p for p in process.children(self.server.pid) if self._parent(p) == self.server.pid]
        return [p for p in process.children(self.server.pid) if self._parent(p) in loaders]

    @staticmethod
    def _parent(pid):
        try:
            return int(pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[1])
        except OSError:
            return 0


@unittest.skipUnless(places.program("hangu-av"), "this build has no hangu-av")
class Engines(base.Case):
    def engine(self, *options, **more):
        made = Engine(*options, **more)
        self.addCleanup(made.__exit__)
        return made.start()

    def test_it_finds_what_it_knows(self):
        engine = self.engine()
        found = engine.ask(b"there is a needle-4711 here", number=1 << 60)
        self.assertEqual((found.result, found.signature, found.number), ("found", "Own.Needle.UNOFFICIAL", 1 << 60))
        self.assertEqual(found.signatures, 1)
        self.assertRegex(found.engine, r"^ClamAV \d")
        self.assertLess(abs(time.time() - found.database_s), 600)
        for data in (b"nothing of the kind", b"", bytes(3 << 20)):
            answer = engine.ask(data)
            self.assertEqual((answer.result, answer.signature), ("clean", ""), len(data))
        self.assertIn('av.found id=%d signature=Own.Needle.UNOFFICIAL name=a.exe' % (1 << 60), engine.server.log().replace('"', ""))

    def test_many_at_once_do_not_disturb_one_another(self):
        """Each is unpacked into files: processes that were forked from one another draw the same names for them."""
        engine = self.engine("--scanners", "4")
        data = [gzip.compress(b"%d there is a needle-4711 here" % n if n % 2 else b"%d nothing" % n) for n in range(40)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: engine.ask(data[n], number=n), range(40)))
        for n, answer in enumerate(answers):
            self.assertEqual((answer.number, answer.result), (n, "found" if n % 2 else "clean"))
        self.assertNotIn("av.down", engine.server.log())

    def test_what_is_no_request_gets_no_answer(self):
        engine = self.engine()
        data = b"there is a needle-4711 here"
        good = request(1, len(data))
        for name, frame, descriptors in (
            ("no descriptor", good, []),
            ("two of them", good, [sealed(data), sealed(data)]),
            ("a byte too many", good + b"x", [sealed(data)]),
            ("cut short", good[:9], [sealed(data)]),
            ("another version", b"\x02" + good[1:], [sealed(data)]),
            ("an answer", b"\x01A" + good[2:], [sealed(data)]),
            ("an impossible size", request(1, 1 << 40), [sealed(data)]),
            ("noise", os.urandom(200), [sealed(data)]),
        ):
            self.assertEqual(engine.send(frame, *descriptors), b"", name)
        # What can be read, but whose memory is not as promised, is answered so.
        self.assertEqual(engine.ask(data, seals=0).result, "failed", "it could still be changed")
        self.assertEqual(Answer(engine.send(request(5, len(data) + 1), sealed(data))).result, "failed", "another size")
        log = os.open(engine.folder / "log", os.O_RDONLY)
        self.assertEqual(Answer(engine.send(request(5, 10), log)).result, "failed", "a file")
        self.assertEqual(engine.ask(data).result, "found", "and it goes on")
        self.assertNotIn("av.scanner_ended", engine.server.log())

    def test_new_signatures_come_without_a_gap(self):
        engine = self.engine()
        self.assertEqual(engine.ask(b"a thread-4711").result, "clean")
        (engine.own / "own.ndb").write_text(NEEDLE + THREAD)
        os.kill(engine.server.pid, signal.SIGHUP)
        process.wait_for(lambda: engine.server.log().count("av.serving") == 2, 60, "the new ones")
        process.wait_for(lambda: engine.ask(b"a thread-4711").result == "found", 30, "the old generation to go")
        self.assertEqual(engine.ask(b"a thread-4711").signatures, 2)
        process.wait_for(lambda: len(engine.scanners()) == 2, 30, "only the new ones to be there")
        # What is not right leaves the ones in service.
        (engine.own / "own.ndb").write_text("this is no signature\n")
        os.kill(engine.server.pid, signal.SIGHUP)
        process.wait_for(lambda: "av.load_failed" in engine.server.log(), 60, "the fault to be told")
        self.assertEqual(engine.ask(b"a thread-4711").result, "found")

    def test_a_scanner_that_dies_is_replaced(self):
        engine = self.engine()
        process.wait_for(lambda: len(engine.scanners()) == 2, 30, "both scanners")
        first = engine.scanners()
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        process.wait_for(lambda: len(set(engine.scanners()) - set(first)) == 2, 30, "others in their places")
        self.assertEqual(engine.ask(b"a needle-4711").result, "found")
        self.assertEqual(engine.server.log().count("av.serving"), 1, "nothing was loaded again for it")
        # The loader: a new generation.
        loaders = {Engine._parent(p) for p in engine.scanners()}
        for pid in loaders:
            os.kill(pid, signal.SIGKILL)
        process.wait_for(lambda: engine.server.log().count("av.serving") == 2, 60, "another loader")
        self.assertEqual(engine.ask(b"a needle-4711").result, "found")

    def test_scanners_are_boxed(self):
        engine = self.engine()
        process.wait_for(lambda: len(engine.scanners()) == 2, 30, "both scanners")
        engine.ask(b"x")
        for pid in engine.scanners():
            status = pathlib.Path("/proc/%d/status" % pid).read_text()
            for line in (r"Seccomp:\s+2", r"NoNewPrivs:\s+1", r"CapEff:\s+0000000000000000"):
                self.assertRegex(status, line)

    def test_a_silent_client_holds_nobody_up_for_long(self):
        engine = self.engine()
        silent = [engine.connect() for _ in range(2)]
        self.addCleanup(lambda: [one.close() for one in silent])
        self.assertEqual(engine.ask(b"a needle-4711").result, "found")

    def test_what_cannot_serve_says_why(self):
        engine = Engine(signatures="this is no signature\n")
        self.addCleanup(engine.__exit__)
        engine.start(wait="av.load_failed")
        self.assertIn("signatures cannot be loaded", engine.server.log())
        (engine.own / "own.ndb").write_text(NEEDLE)
        os.kill(engine.server.pid, signal.SIGHUP)
        process.wait_for(lambda: "av.serving" in engine.server.log(), 60, "it to serve")
        self.assertEqual(engine.ask(b"a needle-4711").result, "found")

    def test_old_signatures_are_told(self):
        engine = Engine()
        self.addCleanup(engine.__exit__)
        long_ago = time.time() - 8 * 86400
        os.utime(engine.own / "own.ndb", (long_ago, long_ago))
        engine.start(wait="av.stale")
        self.assertRegex(engine.server.log(), r"av\.stale days=8 ")

    def test_the_command_line(self):
        engine = Engine()
        self.addCleanup(places.remove, engine.folder)

        def run(*words):
            return subprocess.run([places.program("hangu-av"), *map(str, words)], capture_output=True, text=True, timeout=60, check=False)

        done = run("--check", "--temporary", engine.temporary, "--signatures", engine.own)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^ClamAV \S+, 1 signatures, database 0, the canary is found\n$")
        self.assertEqual(run("--help").returncode, 0)
        self.assertRegex(run("--version").stdout, r"^hangu-av \d+\.\d+\.\d+\n$")
        for words in (
            [],
            ["--socket", "/x"],
            ["--scanners", "0"],
            ["--scanners", "65"],
            ["--stale", "3651"],
            ["--user", "nobody-of-this-name"],
            ["--no-such-option"],
            ["--check", "--temporary", engine.temporary, "more"],
        ):
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("usage: hangu-av", done.stderr)
        for words in (
            ["--check", "--temporary", engine.folder / "none"],
            ["--check", "--temporary", engine.temporary, "--signatures", engine.folder / "none"],
            ["--check", "--temporary", engine.temporary, "--signatures", engine.temporary],
            ["--socket", "relative", "--temporary", engine.temporary],
            ["--socket", "/" + "x" * 107, "--temporary", engine.temporary],
        ):
            done = run(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertTrue(done.stderr.startswith("hangu-av: "), done.stderr)
