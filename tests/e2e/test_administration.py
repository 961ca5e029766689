"""The administrator's command against a queue that has something in it, and what routes, the journal and the log do when told to."""
import json
import re
import socket
import time

from harness import names, places, process, sink, smtp

from . import base


@base.needs_gateway
class Queue(base.Case):
    """Nine messages that nobody takes: three domains, one of them held."""

    def setUp(self):
        self.spare = self.open(sink.Sink())
        refused = self.open(sink.Sink(script=lambda stage, *_: sink.Say("451 4.7.1 come back") if stage == "rcpt" else None))
        self.gate = self.gateway(
            next_port=places.free_port(),
            route={"retry": "1h", "probe": "0"},
            sections={
                "route busy": {
                    "domains": "busy.example", "hosts": "127.0.0.1:%d" % refused.port, "tls": "none", "retry": "1h",
                },
                "route spare": {"domains": "spare.example", "hosts": "127.0.0.1:%d" % self.spare.port, "tls": "none"},
                "organisation": {"networks": "127.0.0.0/8"},
            },
        )
        for number in range(3):
            for domain in ("one.example", "two.example", "busy.example"):
                answer = smtp.send(self.gate.port, base.numbered(number), "wang@spare.example", ["m%d@%s" % (number, domain)])
                self.assertEqual(answer.code, 250)
        process.wait_for(lambda: self.gate.queue()["deferred"] == 9, 20, "nine to be put off")

    def rows(self, *words):
        done = self.gate.command("--json", "queue", "list", *words, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def act(self, *words):
        return process.wait_for(
            lambda: (lambda done: done if "being sent" not in done.stdout else None)(self.gate.command("queue", *words)),
            10,
            "nothing to be under way",
        )

    def test_listed_by_every_filter(self):
        time.sleep(1.2)
        for words, count in (
            ((), 9),
            (("--domain", "one.example"), 3),
            (("--to", "m1@two.example"), 1),
            (("--from", "wang@spare.example"), 9),
            (("--from", "nobody@spare.example"), 0),
            (("--destination", "busy/"), 3),
            (("--destination", "all/"), 6),
            (("--cause", "4.7.1"), 3),
            (("--cause", "451"), 3),
            (("--cause", "refused"), 6),
            (("--state", "deferred"), 9),
            (("--state", "held"), 0),
            (("--older", "1s"), 9),
            (("--older", "1h"), 0),
            (("--younger", "1h"), 9),
            (("--domain", "busy.example", "--cause", "refused"), 0),
            (("--id", self.rows("--to", "m0@one.example")[0]["id"]), 1),
        ):
            with self.subTest(" ".join(words)):
                self.assertEqual(len(self.rows(*words)), count)

    def test_hold_release_drop_bounce_reroute(self):
        gate = self.gate
        self.assertEqual(self.act("hold", "--domain", "one.example", "--reason", "looked at").returncode, 0)
        self.assertEqual({row["text"] for row in self.rows("--state", "held")}, {"looked at"})
        self.assertEqual(gate.queue()["held"], 3)
        self.assertEqual(self.act("release", "--to", "m0@one.example").returncode, 0)
        self.assertEqual(gate.queue()["held"], 2)
        self.assertEqual(self.act("drop", "--state", "held").returncode, 0)
        self.assertEqual((gate.queue()["held"], len(self.rows("--domain", "one.example"))), (0, 1))
        self.assertNotEqual(self.act("drop", "--state", "held").returncode, 0, "nothing is left to drop")
        self.assertEqual(self.act("bounce", "--cause", "4.7.1", "--to", "m2@busy.example").returncode, 0)
        notice = self.spare.wait(1)[0]
        self.assertEqual((notice.sender, notice.recipients), ("", ["wang@spare.example"]))
        self.assertIn(b"m2@busy.example", notice.data)
        self.assertNotEqual(self.act("reroute", "nowhere", "--domain", "two.example").returncode, 0)
        self.assertEqual(self.act("reroute", "spare", "--domain", "two.example").returncode, 0)
        moved = [a for a in self.spare.wait(4) if a.sender]
        self.assertEqual(sorted(r for a in moved for r in a.recipients), ["m%d@two.example" % n for n in range(3)])
        process.wait_for(lambda: len(self.rows()) == 3, 10, "three to be left")
        # Each act is a record: it is there after a restart, and the trace says who did what.
        self.assertEqual(gate.stop(), 0)
        gate.start()
        self.assertEqual(len(self.rows()), 3)
        for address, words in (("m1@one.example", ("hold", "drop", "looked at")), ("m0@two.example", ("reroute", "delivered"))):
            for word in words + ("uid 0",):
                process.wait_for(lambda: word in gate.command("trace", address).stdout, 10, "%r in the trace of %s" % (word, address))

    def test_what_the_trace_finds(self):
        """By id, address, Message-ID and time; and what was refused."""
        with smtp.Client(self.gate.port) as client:
            client.hello()
            client.command("MAIL FROM:<wang@spare.example>")
            self.assertEqual(client.command("RCPT TO:<a b@one.example>").code, 501)

        def found(*words):
            return self.gate.command("trace", *words).stdout

        process.wait_for(lambda: " 501 " in found("--refused", "wang@spare.example"), 10, "the refusal in the trace")
        row = self.rows("--to", "m1@one.example")[0]
        for key in (row["id"], "m1@one.example", "<1.number@example.org>"):
            self.assertIn("m1@one.example", found(key))
        year = time.gmtime().tm_year
        self.assertIn("m1@one.example", found("wang@spare.example", "--from", "%d-01-01" % (year - 1)))
        self.assertNotIn("m1@one.example", found("wang@spare.example", "--until", "%d-01-01" % (year - 1)))
        for limit, count in ((1, 1), (8, 8), (9, 9), (10, 9), (1000, 9)):
            self.assertEqual(len(re.findall(r"(?m)^\S{13}  ", found("wang@spare.example", "--limit", str(limit)))), count, limit)
        refused = self.gate.command("trace", "wang@spare.example", "--limit", "1001")
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertIn("--limit 1001: expected a number from 1 to 1000", refused.stderr)


@base.needs_gateway
class LargeMessages(base.Case):
    def test_more_than_a_page(self):
        """A list shows so many recipients of one message; that there are more is said, and the summary counts them all."""
        gate = self.gateway(next_port=places.free_port(), route={"retry": "1h", "probe": "0"})
        for number, count in enumerate((100, 200, 201, 300)):
            recipients = ["m%d-%d@example.net" % (number, n) for n in range(count)]
            self.assertEqual(smtp.send(gate.port, base.numbered(number), recipients=recipients).code, 250)
        process.wait_for(lambda: gate.queue()["deferred"] == 801, 20, "all to be put off")
        listed = gate.command("--json", "queue", "list", check=True)
        rows = [json.loads(line) for line in listed.stdout.splitlines()]
        shown = [len([row for row in rows if row["address"].startswith("m%d-" % number)]) for number in range(4)]
        self.assertEqual(shown[0], 100)
        self.assertLessEqual(max(shown), 200)
        more = re.match(r"(\d+) more recipients match", listed.stderr)
        self.assertEqual(int(more.group(1)), 801 - len(rows))
        only = gate.command("--json", "queue", "list", "--to", "m3-299@example.net", check=True)
        self.assertEqual((len(only.stdout.splitlines()), only.stderr), (1, ""))


@base.needs_gateway
class Ways(base.Case):
    def test_from_an_address_of_its_own(self):
        """I-11: each route from the address that it names."""
        first, second = self.open(sink.Sink()), self.open(sink.Sink())
        gate = self.gateway(
            next_port=first.port,
            route={"source": "127.0.0.21"},
            sections={
                "route other": {
                    "domains": "other.example", "hosts": "127.0.0.1:%d" % second.port, "tls": "none", "source": "127.0.0.22",
                }
            },
        )
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["a@example.net", "a@other.example"]).code, 250)
        self.assertEqual((first.wait(1)[0].peer[0], second.wait(1)[0].peer[0]), ("127.0.0.21", "127.0.0.22"))

    def test_through_and_nobody_there(self):
        """I-24: committed first; when the next hop cannot be reached the client gets its 250 and the message waits."""
        port = places.free_port()
        gate = self.gateway(next_port=port, route={"mode": "through", "retry": "1h", "probe": "1s", "through_wait": "3s"})
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        self.assertEqual(gate.queued(), 1)
        box = self.open(sink.Sink(port=port))
        box.wait(1, 20)
        gate.wait_empty()

    def test_a_longer_wait_than_the_longest(self):
        """What version 0.1.0 took still starts: 2m counts as 30s, and the log of start and reload says so."""
        gate = self.gateway(next_port=9, route={"mode": "through", "through_wait": "2m"})
        note = r"settings\.note .*through_wait: no client waits longer than 30s"
        gate.wait_log(note)
        gate.reload()
        process.wait_for(lambda: len(re.findall(note, gate.log())) == 2, 10, "the note again")

    def test_a_name_that_is_us(self):
        """I-19 d: the settings name a host, and DNS says that it is this gateway."""
        made = base.gateway.Gateway(next_port=None)
        self.addCleanup(made.__exit__)
        server = names.Names({"round.example": {"A": ["127.0.0.1"]}}).start()
        self.addCleanup(server.stop)
        made.sections["dns"]["server"] = server.address
        made.sections["route all"] = {"domains": "*", "hosts": "round.example:%d" % made.port, "tls": "none"}
        made.sections["organisation"] = {"networks": "127.0.0.0/8"}
        made.start()
        answer = smtp.send(made.port, base.numbered(1), "", ["a@far.example"])
        self.assertEqual(answer.code, 250)
        made.wait_log(r"own|gateway itself")
        process.wait_for(lambda: made.held() == 1 or made.queued() == 0, 20, "it to be given up")
        self.assertEqual(made.metric("hangu_messages_total{result=\"accepted\"}"), 1, "it never came back")


@base.needs_gateway
class Said(base.Case):
    def test_send_and_scan(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        file = gate.folder / "message.eml"
        file.write_bytes(base.numbered(3) + b".dot\r\n..two\r\n")
        sent = gate.command("send", file, "--to", "a@example.net", "--host", "127.0.0.1:%d" % gate.port)
        self.assertEqual(sent.returncode, 0, sent.stdout + sent.stderr)
        self.assertIsNone(base.same_below_trace(box.wait(1)[0].data, file.read_bytes()))
        self.assertIn("clean", gate.command("scan", file, check=True).stdout)


@base.needs_gateway
class Bounds(base.Case):
    """Limits of a session at one below, at, and one above."""

    def one(self, **listener):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener=dict({"relay_from": "", "tarpit": "0s"}, **listener))
        client = smtp.Client(gate.port)
        self.addCleanup(client.close)
        client.hello()
        return gate, client

    def test_recipients(self):
        _, client = self.one(recipients_max="5")
        replies = client.envelope("a@example.org", ["r%d@example.net" % n for n in range(6)])
        self.assertEqual([r.code for r in replies], [250] * 5 + [452])
        self.assertEqual(replies[5].enhanced, "4.5.3")
        self.assertEqual(client.data(base.numbered(1)).code, 250)

    def test_messages_of_a_session(self):
        _, client = self.one(messages_per_session="3")
        for number in range(3):
            client.envelope("a@example.org", ["b@example.net"])
            self.assertEqual(client.data(base.numbered(number)).code, 250)
        self.assertEqual(client.command("MAIL FROM:<a@example.org>").code, 421)

    def test_size(self):
        size = 64 << 10
        _, client = self.one(message_size_max=str(size))
        for extra, code in ((-1, 250), (0, 250), (1, 552)):
            with self.subTest(extra):
                client.envelope("a@example.org", ["b@example.net"])
                message = base.numbered(1) + b"x" * (size + extra - len(base.numbered(1)) - 2) + b"\r\n"
                self.assertEqual(len(message), size + extra)
                self.assertEqual(client.data(message).code, code)

    def test_unknown_recipients(self):
        gate, client = self.one(unknown_recipients_max="3", errors_max="100")
        gate.sections["domain example.net"] = {"recipients": "list", "recipient": "known"}
        gate.reload()
        process.wait_for(lambda: gate.metric('hangu_reloads_total{result="ok"}') == 1, 10, "the reload")
        with smtp.Client(gate.port) as client:
            client.hello()
            client.command("MAIL FROM:<a@example.org>")
            codes = [client.command("RCPT TO:<n%d@example.net>" % n).code for n in range(4)]
        self.assertEqual(codes, [550, 550, 550, 421])

    def test_received_fields(self):
        """I-19 a, b: the most that pass, and one more."""
        _, client = self.one()
        foreign = b"Received: from x.example by y.example; Tue, 14 Oct 2025 10:20:28 +0800\r\n"
        own = b"Received: from x.example by gateway.example; Tue, 14 Oct 2025 10:20:28 +0800\r\n"
        for name, front, code in (
            ("100", foreign * 100, 250), ("101", foreign * 101, 554), ("two of ours", own * 2, 250), ("three", own * 3, 554),
        ):
            with self.subTest(name):
                client.envelope("a@example.org", ["b@example.net"])
                self.assertEqual(client.data(front + base.numbered(1)).code, code)

    def test_a_header(self):
        """256 KiB of header pass; a header that was not read to its end never does."""
        gate, _ = self.one()
        for extra, code in ((0, 250), (1, 552)):
            with self.subTest(extra):
                message = base.numbered(1)
                head = message.index(b"\r\n\r\n") + 4
                # One field of many lines: the number of fields has a bound of its own.
                body = b"X-Fill: a\r\n" + (b" " + b"y" * 70 + b"\r\n") * (((256 << 10) - head - 200) // 73)
                body += b" " + b"z" * ((256 << 10) + extra - head - len(body) - 3) + b"\r\n"
                whole = body + message
                self.assertEqual(whole.index(b"\r\n\r\n") + 4, (256 << 10) + extra)
                self.assertEqual(smtp.send(gate.port, whole).code, code)

    def test_a_full_queue(self):
        """[queue] messages_max: 452 at MAIL, and room again when one has gone."""
        port = places.free_port()
        gate = self.gateway(next_port=port, route={"retry": "1s", "probe": "1s"}, sections={"queue": {"messages_max": "3"}})
        for number in range(3):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        answer = smtp.send(gate.port, base.numbered(3))
        self.assertEqual((answer.code, answer.enhanced), (452, "4.3.1"))
        box = self.open(sink.Sink(port=port))
        box.wait(3, 20)
        process.wait_for(lambda: smtp.send(gate.port, base.numbered(4)).code == 250, 10, "room again")

    def test_commands_at_once(self):
        """Sixteen may ask the gate, and sixteen the records, at a time; the next is let go, until one has gone."""
        gate, _ = self.one()
        run = gate.sections["gateway"]["run"]

        def enter(name):
            """A connection that was answered, or None: closed without a word."""
            asker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.addCleanup(asker.close)
            asker.settimeout(20)
            try:
                asker.connect(str(run / name))
                asker.send(b"?")  # no request: that is answered, too
                if asker.recv(65536):
                    return asker
            except (BrokenPipeError, ConnectionResetError):
                pass
            asker.close()
            return None

        for name, role, words in (
            ("control.sock", "gate", ("queue", "summary")),
            ("records.sock", "records", ("trace", "a@example.org")),
        ):
            with self.subTest(name):
                askers = [enter(name) for _ in range(17)]
                self.assertEqual([asker is not None for asker in askers], [True] * 16 + [False])
                self.assertNotEqual(gate.command(*words).returncode, 0)
                gate.wait_log(r"warning %s control\.refused full=1" % role)
                askers[7].close()
                askers[7] = process.wait_for(lambda: enter(name), 10, "room for one more")
                self.assertIsNone(enter(name))
                for asker in askers[:16]:
                    asker.send(b"?")
                    self.assertTrue(asker.recv(65536), "who is there is answered again")
