"""Who gets mail, and by which way: recipients and their sources, MX, what is added and rewritten, and notices to senders."""
import re
import socket
import time

from harness import names, process, sink, smtp

from . import base


@base.needs_gateway
class Recipients(base.Case):
    def setUp(self):
        self.box = self.open(sink.Sink())

    def answer(self, gate, recipient):
        with smtp.Client(gate.port) as client:
            client.hello()
            client.command("MAIL FROM:<a@example.org>")
            return client.command("RCPT TO:<%s>" % recipient)

    def strict(self, **domain):
        return self.gateway(
            next_port=self.box.port, listener={"relay_from": ""}, sections={"domain example.net": dict(domain)}
        )

    def test_a_list(self):
        gate = self.strict(recipients="list", recipient="known, other@example.net")
        for recipient, code in (("known@example.net", 250), ("KNOWN@EXAMPLE.NET", 250), ("other@example.net", 250)):
            self.assertEqual(self.answer(gate, recipient).code, code, recipient)
        refused = self.answer(gate, "unknown@example.net")
        self.assertEqual((refused.code, refused.enhanced), (550, "5.1.1"))

    def test_postmaster_is_always_there(self):
        gate = self.strict(recipients="list", recipient="known")
        for recipient in ("postmaster@example.net", "PostMaster@example.net", "postmaster", "abuse@example.net"):
            self.assertEqual(self.answer(gate, recipient).code, 250, recipient)

    def test_a_plus_belongs_to_the_recipient(self):
        gate = self.strict(recipients="list", recipient="known", plus_separator="+")
        self.assertEqual(self.answer(gate, "known+news@example.net").code, 250)
        self.assertEqual(self.answer(gate, "unknown+news@example.net").code, 550)

    def test_an_alias_domain(self):
        gate = self.strict(recipients="list", recipient="known", aliases="example.com")
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["known@example.com"]).code, 250)
        self.assertEqual(self.box.wait(1)[0].recipients, ["known@example.net"])

    def test_an_archive_copy(self):
        gate = self.strict(archive="archive@example.net")
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        process.wait_for(lambda: len({r for a in self.box.arrivals for r in a.recipients}) == 2, 10, "both copies")
        self.assertEqual(
            {r for a in self.box.arrivals for r in a.recipients}, {"rcpt@example.net", "archive@example.net"}
        )

    def test_a_size_limit_of_one_domain(self):
        gate = self.strict(message_size_max="100K")
        answer = smtp.send(gate.port, base.numbered(1, 200000))
        self.assertEqual(answer.code // 100, 5)
        self.assertTrue(answer.enhanced.startswith("5.3.4"), answer)

    def call_ahead(self, script, **domain):
        self.asked = self.open(sink.Sink(script=script))
        return self.gateway(
            next_port=self.asked.port,
            listener={"relay_from": "", "tarpit": "0s"},
            sections={"domain example.net": dict({"recipients": "callahead"}, **domain)},
        )

    def test_call_ahead(self):
        def script(stage, session, argument):
            return sink.Say("550 5.1.1 nobody here") if stage == "rcpt" and not argument.startswith("yes") else None

        gate = self.call_ahead(script)
        self.assertEqual(self.answer(gate, "yes@example.net").code, 250)
        self.assertEqual(self.answer(gate, "no@example.net").code, 550)
        questions = len(self.asked.commands)
        self.assertEqual(self.answer(gate, "yes@example.net").code, 250)
        self.assertEqual(self.answer(gate, "no@example.net").code, 550)
        self.assertEqual(len(self.asked.commands), questions, "the second time nobody was asked")
        self.assertNotIn("DATA", [text for _, text in self.asked.commands])
        self.assertIn("MAIL FROM:<>", [text.split(" SIZE")[0].strip() for _, text in self.asked.commands])

    def test_call_ahead_that_cannot_be_asked(self):
        def busy(stage, session, argument):
            return sink.Say("451 4.3.0 busy") if stage == "rcpt" else None

        for unverified, code in (("defer", 451), ("accept", 250)):
            with self.subTest(unverified):
                self.assertEqual(self.answer(self.call_ahead(busy, unverified=unverified), "x@example.net").code, code)


@base.needs_gateway
class Front(base.Case):
    """Behind a balancer or another mail system: who the client really is."""

    def received(self, box):
        return base.received(box.wait(1)[0].data)

    def session(self, client):
        client.hello("real.example")
        client.envelope("a@example.org", ["b@example.net"])
        self.assertEqual(client.data(base.numbered(1)).code, 250)

    def proxied(self, front, listener=None):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener=listener or {"proxies": "127.0.0.1"})
        client = smtp.Client(gate.port, greeting=False)
        self.addCleanup(client.close)
        client.send(front)
        return box, client

    def test_proxy_version_1(self):
        box, client = self.proxied(b"PROXY TCP4 198.51.100.7 203.0.113.1 40000 25\r\n")
        self.assertEqual(client.reply().code, 220)
        self.session(client)
        self.assertIn(b"[198.51.100.7]", self.received(box))

    def test_proxy_version_2(self):
        addresses = socket.inet_aton("198.51.100.8") + socket.inet_aton("203.0.113.1") + b"\x9c\x40\x00\x19"
        box, client = self.proxied(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + addresses)
        self.assertEqual(client.reply().code, 220)
        self.session(client)
        self.assertIn(b"[198.51.100.8]", self.received(box))

    def test_a_balancer_must_say_it(self):
        _, client = self.proxied(b"EHLO direct.example\r\n")
        answer = client.reply()
        self.assertEqual((answer.code, answer.enhanced), (554, "5.7.1"))
        self.assertRaises((smtp.Closed, OSError), client.reply)

    def test_who_is_no_balancer_is_turned_away(self):
        _, client = self.proxied(b"PROXY TCP4 198.51.100.7 203.0.113.1 40000 25\r\n", {"proxies": "192.0.2.1"})
        answer = client.reply()
        self.assertEqual((answer.code, answer.enhanced), (554, "5.7.1"))
        self.assertRaises((smtp.Closed, OSError), client.reply)

    def test_nobody_is_believed_where_there_is_no_balancer(self):
        _, client = self.proxied(b"PROXY TCP4 198.51.100.7 203.0.113.1 40000 25\r\n", {"proxies": ""})
        self.assertEqual((client.reply().code, client.reply().code // 100), (220, 5))

    def test_xclient(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener={"xclient": "127.0.0.1"})
        with smtp.Client(gate.port) as client:
            self.assertIn("XCLIENT", client.hello())
            answer = client.command("XCLIENT ADDR=198.51.100.9 NAME=real.example")
            self.assertEqual(answer.code, 220)
            self.session(client)
        self.assertIn(b"[198.51.100.9]", self.received(box))

    def test_xclient_of_a_stranger(self):
        gate = self.gateway(next_port=9)
        with smtp.Client(gate.port) as client:
            self.assertNotIn("XCLIENT", client.hello())
            self.assertEqual(client.command("XCLIENT ADDR=198.51.100.9").code // 100, 5)


@base.needs_gateway
class Way(base.Case):
    """MX and what the next hop can and cannot do."""

    def server(self, zones):
        server = names.Names(zones).start()
        self.addCleanup(server.stop)
        return server

    def by_mx(self, zones, box, **route):
        server = self.server(zones)
        return self.gateway(
            dns=server.address, route=dict({"domains": "*", "tls": "none", "port": box.port, "retry": "1s"}, **route)
        )

    def test_mx(self):
        box = self.open(sink.Sink())
        gate = self.by_mx(
            {"far.example": {"MX": [(10, "mx.far.example")]}, "mx.far.example": {"A": ["127.0.0.1"]}}, box
        )
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["x@far.example"]).code, 250)
        box.wait(1, 20)

    def test_mx_fail_over(self):
        box = self.open(sink.Sink())
        zones = {
            "far.example": {"MX": [(10, "dead.far.example"), (20, "mx.far.example")]},
            "dead.far.example": {"A": ["127.0.0.99"]},
            "mx.far.example": {"A": ["127.0.0.1"]},
        }
        gate = self.by_mx(zones, box)
        started = time.monotonic()
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["x@far.example"]).code, 250)
        box.wait(1, 20)
        self.assertLess(time.monotonic() - started, 8)

    def test_no_mx_means_the_address(self):
        box = self.open(sink.Sink())
        gate = self.by_mx({"far.example": {"A": ["127.0.0.1"]}}, box)
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["x@far.example"]).code, 250)
        box.wait(1, 20)

    def test_null_mx(self):
        """RFC 7505: the domain takes no mail, and says so; the message is given up at once."""
        box = self.open(sink.Sink())
        gate = self.by_mx({"never.example": {"MX": [(0, "")], "A": ["127.0.0.1"]}}, box)
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["x@never.example"]).code, 250)
        gate.wait_empty(20)
        self.assertEqual(box.count, 0)

    def test_no_such_domain(self):
        box = self.open(sink.Sink())
        gate = self.by_mx({}, box)
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["x@nowhere.example"]).code, 250)
        gate.wait_empty(20)
        self.assertEqual(box.count, 0)

    def test_a_name_server_in_trouble_defers(self):
        box = self.open(sink.Sink())
        server = self.server({"far.example": names.Fail})
        gate = self.gateway(
            dns=server.address, route={"domains": "*", "tls": "none", "port": box.port, "retry": "1s", "probe": "1s"}
        )
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["x@far.example"]).code, 250)
        time.sleep(2)
        self.assertEqual((box.count, gate.queued()), (0, 1))

    def test_an_mx_that_is_ourselves(self):
        """I-19 d, RFC 5321 section 5.1: by DNS, too, nothing is sent to our own listener; hosts in front of us are used."""
        zones = {
            "round.example": {"MX": [(10, "us.example")]},
            "behind.example": {"MX": [(10, "mx.behind.example"), (20, "us.example"), (30, "far.behind.example")]},
            "mx.behind.example": {"A": ["127.0.0.9"]},
            "far.behind.example": {"A": ["127.0.0.8"]},
            "us.example": {"A": ["127.0.0.1"]},
        }
        made = base.gateway.Gateway(dns=self.server(zones).address)
        self.addCleanup(made.__exit__)
        made.sections["route all"] = {"domains": "*", "tls": "none", "port": made.port, "retry": "1s", "probe": "1s"}
        made.start()
        box = self.open(sink.Sink(port=made.port, host="127.0.0.9"))
        farther = self.open(sink.Sink(port=made.port, host="127.0.0.8"))
        self.assertEqual(smtp.send(made.port, base.numbered(1), recipients=["x@round.example"]).code, 250)
        made.wait_log(r"delivery\.loop")
        made.wait_empty(20)
        self.assertEqual(made.metric('hangu_messages_total{result="accepted"}'), 1, "it did not come back")
        process.wait_for(
            lambda: re.search("554 .*would come back", made.command("trace", "x@round.example").stdout), 20, "the outcome"
        )
        self.assertEqual(smtp.send(made.port, base.numbered(2), recipients=["x@behind.example"]).code, 250)
        box.wait(1, 20)
        box.close()
        self.assertEqual(smtp.send(made.port, base.numbered(3), recipients=["x@behind.example"]).code, 250)
        time.sleep(2)
        self.assertEqual((farther.count, made.queued()), (0, 1), "who stands behind us in the list is not asked")

    def test_an_mx_that_is_this_machine(self):
        """A listener on all addresses, and an MX with one that only the machine's interfaces tell of."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
            except OSError:
                self.skipTest("this machine has no address but loopback")
            own = probe.getsockname()[0]
        made = base.gateway.Gateway(dns=self.server({"round.example": {"A": [own]}}).address)
        self.addCleanup(made.__exit__)
        made.sections["listener internet"]["address"] = "0.0.0.0:%d" % made.port
        made.sections["route all"] = {"domains": "*", "tls": "none", "port": made.port, "retry": "1s"}
        made.start()
        self.assertEqual(smtp.send(made.port, base.numbered(1), recipients=["x@round.example"]).code, 250)
        made.wait_log(r"delivery\.loop")
        made.wait_empty(20)
        self.assertEqual(made.metric('hangu_messages_total{result="accepted"}'), 1, "it did not come back")

    def test_eightbit_without_8bitmime_is_sent_as_it_is(self):
        box = self.open(sink.Sink(offers=("PIPELINING",)))
        gate = self.gateway(next_port=box.port)
        message = base.numbered(1) + "函谷\r\n".encode()
        self.assertEqual(smtp.send(gate.port, message, parameters=" BODY=8BITMIME").code, 250)
        self.assertIsNone(base.same_below_trace(box.wait(1)[0].data, message))

    def test_utf8_addresses_go_only_where_they_are_understood(self):
        able, unable = self.open(sink.Sink()), self.open(sink.Sink(offers=("PIPELINING", "8BITMIME")))
        gate = self.gateway(
            next_port=able.port,
            sections={"route old": {"domains": "old.example", "hosts": "127.0.0.1:%d" % unable.port, "tls": "none"}},
        )
        for recipient in ("用户@example.net", "用户@old.example"):
            answer = smtp.send(gate.port, base.numbered(1), recipients=[recipient], parameters=" SMTPUTF8")
            self.assertEqual(answer.code, 250)
        able.wait(1)
        self.assertIn("SMTPUTF8", able.arrivals[0].sender_parameters)
        gate.wait_empty()
        self.assertEqual(unable.count, 0)

    def test_dsn_parameters_pass(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        with smtp.Client(gate.port) as client:
            client.hello()
            client.command("MAIL FROM:<a@example.org> RET=HDRS ENVID=abc+2Bdef")
            client.command("RCPT TO:<b@example.net> NOTIFY=FAILURE,DELAY ORCPT=rfc822;orig@example.net")
            self.assertEqual(client.data(base.numbered(1)).code, 250)
        arrival = box.wait(1)[0]
        self.assertTrue({"RET=HDRS", "ENVID=abc+2Bdef"} <= set(arrival.sender_parameters), arrival.sender_parameters)
        self.assertIn("ORCPT=rfc822;orig@example.net", arrival.recipient_parameters[0])
        self.assertTrue([p for p in arrival.recipient_parameters[0] if p.startswith("NOTIFY=")])

    def test_a_loop_is_refused(self):
        """I-19 a, b: more than 100 Received fields, or three of our own."""
        gate = self.gateway(next_port=9)
        foreign = b"Received: from x.example by y.example; Tue, 14 Oct 2025 10:20:28 +0800\r\n"
        own = b"Received: from x.example by gateway.example; Tue, 14 Oct 2025 10:20:28 +0800\r\n"
        for name, front, code in (("101 fields", foreign * 101, 554), ("three of ours", own * 3, 554)):
            with self.subTest(name):
                answer = smtp.send(gate.port, front + base.numbered(1))
                self.assertEqual((answer.code, answer.enhanced), (code, "5.4.6"))

    def test_a_route_to_ourselves_is_a_mistake(self):
        """I-19 d."""
        gate = base.gateway.Gateway(next_port=1)
        self.addCleanup(gate.__exit__)
        gate.sections["route all"]["hosts"] = "127.0.0.1:%d" % gate.port
        self.assertNotEqual(gate.check().returncode, 0)


@base.needs_gateway
class Notices(base.Case):
    """What a sender whom we know is told."""

    def refused(self, **options):
        def script(stage, session, argument):
            return sink.Say("550 5.1.1 no such user") if stage == "rcpt" and argument.startswith("nobody") else None

        box = self.open(sink.Sink(script=script))
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        answer = smtp.send(
            gate.port, base.numbered(1), sender="wang@example.net", recipients=["nobody@far.example"], **options
        )
        self.assertEqual(answer.code, 250)
        return box, gate

    def test_in_two_languages(self):
        box, _ = self.refused()
        notice = box.wait(1)[0].data
        for word in (
            b"report-type=delivery-status",
            b"Auto-Submitted: auto-replied",
            b"Final-Recipient: rfc822;",
            b"Action: failed",
            b"Status: 5.1.1",
            b"Diagnostic-Code: smtp;",
            b"X-Test-Number: 1",
        ):
            self.assertIn(word.lower(), notice.lower())
        import email

        texts = [
            part.get_payload(decode=True).decode(part.get_content_charset() or "ascii")
            for part in email.message_from_bytes(notice).walk()
            if part.get_content_type() == "text/plain"
        ]
        self.assertTrue(re.search("[\u4e00-\u9fff]", texts[0]) and re.search("[a-z]{4}", texts[0]), texts[0])

    def test_a_journal_report_is_never_bounced(self):
        """I-27: what a mail system reports about its own mail stays here when it cannot be delivered."""
        box = self.open(sink.Sink(script=lambda stage, *_: sink.Say("550 5.1.1 no") if stage == "rcpt" else None))
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        for number, front in enumerate((b"X-MS-Journal-Report: \r\n", b"Content-Identifier: exjournalreport\r\n")):
            report = front + base.numbered(number)
            self.assertEqual(smtp.send(gate.port, report, sender="mx@example.net", recipients=["j@far.example"]).code, 250)
            process.wait_for(lambda: gate.held() == number + 1, 20, "the report to be held")
        gate.wait_empty()
        self.assertEqual([text for _, text in box.commands if text.startswith("MAIL FROM:<>")], [])

    def test_never_is_never(self):
        box = self.open(sink.Sink(script=lambda stage, *_: sink.Say("550 5.1.1 no") if stage == "rcpt" else None))
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        with smtp.Client(gate.port) as client:
            client.hello()
            client.command("MAIL FROM:<wang@example.net>")
            client.command("RCPT TO:<nobody@far.example> NOTIFY=NEVER")
            self.assertEqual(client.data(base.numbered(1)).code, 250)
        gate.wait_empty()
        time.sleep(0.5)
        self.assertEqual([text for _, text in box.commands if text.startswith("MAIL FROM:<>")], [])

    def test_nobody_is_told_about_a_notice(self):
        box = self.open(sink.Sink(script=lambda stage, *_: sink.Say("550 5.1.1 no") if stage == "rcpt" else None))
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        self.assertEqual(smtp.send(gate.port, base.numbered(1), sender="", recipients=["nobody@far.example"]).code, 250)
        gate.wait_empty()
        time.sleep(0.5)
        self.assertEqual(len([text for _, text in box.commands if text.startswith("MAIL FROM")]), 1)
