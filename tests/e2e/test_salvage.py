"""A journal that the disk has damaged: the start names it, `hangu salvage` makes one that opens again, and what it says
it has lost is what is missing.
"""
import pathlib
import re

from harness import places, process, sink, smtp

from . import base


@base.needs_gateway
class Salvage(base.Case):
    COUNT = 60

    def filled(self, size=60000):
        """A stopped gateway with messages waiting in several segments: (gateway, port of its next hop, segments)."""
        port = places.free_port()
        gate = self.gateway(
            next_port=port,
            route={"retry": "1s", "probe": "1s"},
            sections={"journal": {"segment_size": "1M"}},
        )
        for number in range(self.COUNT):
            answer = smtp.send(
                gate.port, base.numbered(number, size), recipients=["m%d@example.net" % number]
            )
            self.assertEqual(answer.code, 250)
        self.assertEqual(gate.stop(), 0)
        self.journal = pathlib.Path(gate.sections["gateway"]["state"]) / "journal"
        segments = sorted(self.journal.glob("*.segment"))
        self.assertGreater(len(segments), 2)
        return gate, port, segments

    @staticmethod
    def damage(segment, offset, count=1):
        with open(segment, "r+b") as file:
            file.seek(offset)
            old = file.read(count)
            file.seek(offset)
            file.write(bytes(byte ^ 0x55 for byte in old))

    def refused_start(self, gate):
        gate.start(wait=False)
        process.wait_for(lambda: not gate.alive(), 20, "hangud to give up")
        self.assertNotEqual(gate.server.process.returncode, 0)
        self.assertRegex(gate.log(), r"the journal is damaged \(hangu salvage\)")
        # That the gate ends is what is wanted here.
        gate.killed.update(int(pid) for pid in re.findall(r'role\.ended which="gate" .*\bpid=(\d+)', gate.log()))
        gate.stop()

    def delivered(self, gate, port):
        box = self.open(sink.Sink(port=port))
        gate.start()
        gate.wait_empty(60)
        return sorted(int(a.number()) for a in box.arrivals)

    @base.limit(200)
    def test_damage_in_the_middle(self):
        gate, port, segments = self.filled()
        raw = segments[1].read_bytes()
        self.damage(segments[1], raw.index(b"\r\nSubject: message ", len(raw) // 2) - 60)
        for snapshot in self.journal.glob("*.snapshot"):
            snapshot.unlink()
        out = gate.folder / "out"
        out.mkdir()
        done = gate.command("salvage", self.journal, "--extract", out, check=True)
        lost = {int(n) for n in re.findall(r"(?m)^lost .* -> <m(\d+)@example.net>", done.stdout)}
        self.assertTrue(lost, done.stdout)
        self.assertTrue(list(self.journal.glob("*.segment.damaged")))
        got = self.delivered(gate, port)
        # The one that was hit is in neither: its bytes are gone, its event may stand.
        missing = set(range(self.COUNT)) - set(got) - lost
        self.assertLessEqual(len(missing), 1)
        self.assertEqual(set(got) & lost, set())
        self.assertEqual(len(got), len(set(got)))
        for path in out.glob("*.eml"):
            number = int(re.search(rb"(?m)^X-Test-Number: (\d+)", path.read_bytes()).group(1))
            self.assertEqual(path.read_bytes(), base.numbered(number, 60000))
        self.assertGreaterEqual(len(list(out.glob("*.eml"))), len(lost) - 1)
        gate.stop()
        self.assertEqual(gate.verify(check=False).returncode, 0)

    @base.limit(200)
    def test_damaged_headers_lose_nothing(self):
        gate, port, segments = self.filled()
        for segment in segments:
            self.damage(segment, 0, 128)
        for snapshot in self.journal.glob("*.snapshot"):
            snapshot.unlink()
        self.refused_start(gate)
        done = gate.command("salvage", self.journal, check=True)
        self.assertEqual(done.stdout.count("mended "), len(segments), done.stdout)
        self.assertEqual(self.delivered(gate, port), list(range(self.COUNT)))
        gate.stop()
        gate.verify()

    def test_the_only_segment(self):
        """Its header and its first record are gone: nothing can be kept, everything is named and written out, and the
        gateway serves again.
        """
        port = places.free_port()
        gate = self.gateway(next_port=port)
        for number in range(3):
            smtp.send(gate.port, base.numbered(number), recipients=["m%d@example.net" % number])
        gate.stop()
        journal = pathlib.Path(gate.sections["gateway"]["state"]) / "journal"
        for snapshot in journal.glob("*.snapshot"):
            snapshot.unlink()
        (segment,) = journal.glob("*.segment")
        self.damage(segment, 0, 80)
        self.damage(segment, 4096 + 20)
        self.refused_start(gate)
        out = gate.folder / "out"
        out.mkdir()
        done = gate.command("salvage", journal, "--extract", out, check=True)
        self.assertRegex(done.stdout, "a new journal has been begun")
        self.assertEqual(len(re.findall(r"(?m)^lost .*written out$", done.stdout)), 3, done.stdout)
        self.assertEqual(len(list(out.glob("*.eml"))), 3)
        box = self.open(sink.Sink(port=port))
        gate.start()
        for path in out.glob("*.eml"):
            gate.command("send", path, "--to", "x@example.net", "--host", "127.0.0.1:%d" % gate.port, check=True)
        box.wait(3)
        # The trace knows what came after.
        process.wait_for(lambda: "x@example.net" in gate.command("trace", "x@example.net").stdout, 20, "the trace")
        gate.stop()
        gate.verify()

    def test_what_is_refused(self):
        gate = self.gateway(next_port=9)
        journal = pathlib.Path(gate.sections["gateway"]["state"]) / "journal"
        running = gate.command("salvage", journal)
        self.assertEqual(running.returncode, 1)
        self.assertRegex(running.stderr, "a gateway that runs")
        self.assertEqual(gate.command("salvage", gate.folder).returncode, 1)
        self.assertEqual(gate.command("salvage").returncode, 2)
        gate.stop()
        whole = gate.command("salvage", journal, check=True)
        self.assertIn("nothing to salvage", whole.stdout)
        gate.start()
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
