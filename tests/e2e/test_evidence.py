"""What the gateway says of itself, and whether it is so: the proof of its boxes, its log, its journal, its certificates."""
import json
import os
import pathlib
import re
import ssl
import subprocess
import time

from harness import gateway, peers, places, process, sink, smtp

from . import base


@base.needs_gateway
class Prove(base.Case):
    def test_every_attempt_is_logged(self):
        """Each line of `hangu prove` is an event, too, and nothing else is: also what a lying scanner sends."""
        gate = self.gateway(next_port=9)
        done = gate.command("prove", check=True)
        told = re.findall(r"(?m)^(gate|records|scan) +(\S.*?) {2,}ok +(\S.*)$", done.stdout)
        self.assertEqual(len(told), len(done.stdout.splitlines()), done.stdout)
        logged = re.findall(r'notice supervisor prove\.breach which="(\w+)" attempt="([^"]+)" result="([^"]+)"', gate.log())
        self.assertEqual(sorted(logged), sorted(told))
        self.assertNotIn("prove.failed", gate.log())
        by_role = {role: {name for where, name, _ in told if where == role} for role in ("gate", "records", "scan")}
        for role, names in by_role.items():
            for word in (
                "run a program (execve)",
                "open another message's memory",
                "steal another message's descriptor",
                "find another message among its descriptors",
                "trace the supervisor (ptrace)",
                "kill the supervisor",
                "read a file of the system",
            ):
                self.assertIn(word, names, role)
        results = {name: result for where, name, result in told if where == "scan"}
        for word in ("connect to a server", "map its own message writable", "write into its own message"):
            self.assertIn(word, results)
        lies = {name for name, result in results.items() if result == "sent, and refused by the gate's decoder"}
        self.assertEqual(
            lies,
            {
                "findings under another message's id",
                "findings of another engine",
                "findings cut short",
                "findings with bytes behind",
                "findings with impossible counts",
                "noise instead of findings",
                "an oversized frame",
            },
        )
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250, "the real roles never noticed")


def only_once(pairs):
    """A JSON object in which a key stands twice says two things."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a key twice: %r" % names)
    return dict(pairs)


@base.needs_gateway
class Log(base.Case):
    EVIL = (
        b'x" event="forged',
        b'x","event":"forged","y":"',
        b"x\\",
        b'\\" event=forged',
        b"\x1b[2Jforged",
        b"\x00forged",
        b"\x7f\x85\x9b",
        b"\xff\xfe\xc0\xaf",
        "\u2028forged\u202e\u0000".encode(),
        b"%s%n%x",
        b"x" * 400 + b'"}',
    )

    def test_json_lines(self):
        """Every line is one object with its event; what peers said, from both sides, stays inside its own string."""

        def script(stage, session, argument):
            if stage == "rcpt" and argument.startswith("evil"):
                number = int(re.search(r"\d+", argument).group(0))
                return sink.Say(b"550 5.1.1 " + self.EVIL[number].replace(b"\x00", b"?"))
            return None

        box = self.open(sink.Sink(script=script))
        gate = self.gateway(next_port=box.port, sections={"log": {"format": "json", "level": "debug"}})
        for number, evil in enumerate(self.EVIL):
            with smtp.Client(gate.port) as client:
                try:
                    client.command(b"EHLO " + evil)
                    client.command(b"NOOP " + evil)
                    client.command(evil)
                    client.hello()
                    client.command(b'MAIL FROM:<"' + evil + b'"@example.org>')
                    client.command(b"RSET")
                    client.command(b"MAIL FROM:<a@example.org>")
                    client.command(b'RCPT TO:<"' + evil + b'"@example.net>')
                    client.command(b"RCPT TO:<evil%d@example.net>" % number)
                    inside = evil.replace(b"\x00", b"")
                    client.data(b"Message-ID: <%s@x>\r\nSubject: %s\r\n" % (inside, inside) + base.numbered(number))
                except (smtp.Closed, OSError):
                    pass
        smtp.send(gate.port, base.numbered(99))
        gate.wait_empty()
        gate.command("prove", check=True)
        gate.stop()
        # A build with a sanitizer names the calls that the doubles died of.
        raw = re.sub(rb"(?m)^box breach: \w+ \(call \d+\)\n", b"", (gate.folder / "log").read_bytes())
        self.assertTrue(raw.endswith(b"\n"))
        events = set()
        for line in raw[:-1].split(b"\n"):
            said = json.loads(line.decode("utf-8"), object_pairs_hook=only_once)
            self.assertEqual(list(said)[:4], ["time", "level", "role", "event"])
            self.assertRegex(said["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(said["level"], ("error", "warning", "notice", "info", "debug"))
            self.assertRegex(said["event"], r"^[a-z_]+\.[a-z_]+$")
            self.assertNotRegex(line, rb"[\x00-\x1f\x7f]")
            self.assertNotIn("forged", [name for name in said] + [said["event"], said["role"]])
            events.add(said["event"])
        self.assertTrue(
            {"session.end", "session.refused", "message.accepted", "delivery.result", "prove.breach", "role.ended"} <= events, events
        )


@base.needs_gateway
class Journal(base.Case):
    def journal(self, gate):
        return pathlib.Path(gate.sections["gateway"]["state"]) / "journal"

    def test_verify_names_the_first_bad_record(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        for number in range(20):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        box.wait(20)
        gate.stop()
        self.assertRegex(gate.verify().stdout, r"(?m)^whole$")
        (segment,) = [p for p in self.journal(gate).iterdir() if b"This is message 7." in p.read_bytes()]
        whole = segment.read_bytes()

        def bad(*words):
            raw = bytearray(whole)
            for word in words:
                raw[raw.index(word)] ^= 1
            segment.write_bytes(raw)
            done = gate.verify(check=False)
            self.assertEqual(done.returncode, 1)
            self.assertNotIn("whole", done.stdout)
            self.assertRegex(done.stdout, r"(?m)^\d+ segments ")
            found = re.search(r"BAD at segment (\d+), offset (\d+), record (\d+): \S.* \(\w+\)", done.stderr)
            self.assertTrue(found, done.stderr)
            self.assertIn("%d" % int(found.group(1)), segment.name)
            return int(found.group(2)), int(found.group(3))

        seven, twelve = bad(b"This is message 7."), bad(b"This is message 12.")
        self.assertLess(seven, twelve)
        self.assertEqual((whole[seven[0] :][:4], whole[twelve[0] :][:4]), (b"HgJ1", b"HgJ1"), "the front of a record")
        for (offset, _), word, next_word in (
            (seven, b"This is message 7.", b"This is message 8."),
            (twelve, b"This is message 12.", b"This is message 13."),
        ):
            self.assertLess(whole.index(b"This is message %d." % (int(word[16:-1]) - 1)), offset)
            self.assertLess(offset, whole.index(next_word))
        self.assertEqual(bad(b"This is message 12.", b"This is message 7."), seven, "of two, the first")
        segment.write_bytes(whole)
        self.assertRegex(gate.verify().stdout, r"(?m)^whole$")

    def test_compressed_bodies(self):
        """zstd in the journal and nowhere else: fewer bytes on the disk, the same at the next hop, after a restart, too."""
        port = places.free_port()
        gate = self.gateway(
            next_port=port,
            route={"retry": "1s", "probe": "1s"},
            sections={"journal": {"compress_level": 3, "compress_from": "4K"}},
        )
        sent = {1: base.numbered(1), 2: base.numbered(2, 5000), 3: base.numbered(3, 1 << 20)}
        sent[4] = base.numbered(4) + b"\r\n".join(os.urandom(38).hex().encode() for _ in range(2000)) + b"\r\n"
        sent[5] = base.numbered(5) + "函谷关\r\n".encode() * 20000
        for message in sent.values():
            self.assertEqual(smtp.send(gate.port, message, parameters=" BODY=8BITMIME").code, 250)
        total = sum(map(len, sent.values()))
        written = gate.metric("hangu_journal_bytes_total")
        self.assertLess(written, total / 4)
        self.assertEqual(gate.stop(), 0)
        raw = b"".join(p.read_bytes() for p in self.journal(gate).iterdir() if p.is_file())
        self.assertIn(b"This is message 1.", raw, "too small to be worth it")
        self.assertNotIn(b"This is message 3.", raw)
        gate.verify()
        gate.sections["journal"]["compress_level"] = 0  # what lies there is read whatever is written now
        box = self.open(sink.Sink(port=port))
        gate.start()
        box.wait(5, 60)
        gate.wait_empty()
        for arrival in box.arrivals:
            self.assertIsNone(base.same_below_trace(arrival.data, sent[int(arrival.number())]))
        gate.stop()
        gate.verify()


@base.needs_gateway
class Certificates(base.ShiftedClock):
    DAY = 86400

    def test_the_end_of_a_certificate_is_announced(self):
        """30, 14 and 7 days before, and when it has ended: once each in the log, and as a number all the time."""
        gate = self.shifted(next_port=9, tls="mx.example.net")
        text = subprocess.run(
            ["openssl", "x509", "-noout", "-enddate", "-in", gate.sections["certificate own"]["file"]],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        end = ssl.cert_time_to_seconds(text.strip().partition("=")[2])
        alarms = 0
        for days, more in ((31, 0), (30, 1), (15, 0), (14, 1), (8, 0), (7, 1), (0, 0), (-1, 1)):
            with self.subTest(days):
                # Half a day on: it stays the same number while the test looks.
                self.set_clock(int(end - time.time()) - days * self.DAY - self.DAY // 2)
                if not gate.server:
                    gate.start()
                process.wait_for(lambda: gate.metric("hangu_certificate_days") == days, 10, "%d days" % days)
                alarms += more
                # The watch says both in one look, so what is not there now is not coming.
                found = re.findall(r"warning gate certificate\.ends days=(-?\d+)", gate.log())
                self.assertEqual(len(found), alarms)
                if more:
                    self.assertEqual(int(found[-1]), days)
        self.assertTrue(peers.greets(gate.port), "and it goes on")

    def test_check_and_reload_tell_it(self):
        """A certificate that is about to end is noted before it is used, and a fresh one ends the alarm."""
        gate = gateway.Gateway(next_port=9, tls="mx.example.net")
        self.addCleanup(gate.__exit__)
        fresh = dict(gate.sections["certificate own"])
        certificate, key = gate.key_pair("mx.example.net", days=20)
        gate.sections["certificate own"] = {"file": certificate, "key": key}
        gate.write_settings()
        self.assertIn("ends within 30 days", gate.command("check", gate.settings_path, check=True).stdout)
        checked = gate.check()
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stdout + checked.stderr, r"settings\.note .*ends within 30 days")
        gate.start()
        gate.wait_log(r"settings\.note .*ends within 30 days")
        gate.wait_log(r"warning gate certificate\.ends days=1[89]")
        gate.sections["certificate own"] = fresh
        gate.reload()
        process.wait_for(lambda: gate.metric("hangu_certificate_days") > 30, 10, "the fresh one")
        self.assertNotIn("ends within", gate.command("check", gate.settings_path, check=True).stdout)
