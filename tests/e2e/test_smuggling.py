"""Messages inside messages, commands behind STARTTLS, and authors with two names: the published vectors, inbound
and outbound.
"""
import base64
import json
import re
import time

from harness import corpus, sink, smtp

from . import base

# What a lenient reader might take for an end of data: a dot alone between any two line ends but the genuine ones.
LENIENT = re.compile(rb"(?:\r|\n|\0)\.(?:\r|\n|\0)")


def rows(suite, file):
    return json.loads(corpus.conformance(suite, file).read_text())


@base.needs_gateway
class Smuggling(base.Case):
    def setUp(self):
        self.vectors = rows("smtp-smuggling", "sequences.json")

    def outer(self, row, number):
        text = self.vectors["template"].format(
            sender="outer@a.example", rcpt="m%d@example.net" % number, id=row["id"], SEQUENCE="{SEQUENCE}"
        )
        front, _, back = text.encode().partition(b"{SEQUENCE}")
        return front + base64.b64decode(row["bytes_b64"]) + back

    def attempt(self, gate, row, number):
        """Say everything in one go, as the attack does; returns the codes of all replies that come."""
        with smtp.Client(gate.port, timeout_s=5) as client:
            client.hello()
            client.envelope("outer@a.example", ["m%d@example.net" % number])
            client.command("DATA")
            client.send(self.outer(row, number))
            codes = []
            try:
                while True:
                    codes.append(client.reply().code)
                    if codes[-1] == 250 and len(codes) == 1:
                        client.send(b"QUIT\r\n")
            except (smtp.Closed, OSError, TimeoutError):
                pass
            return codes

    def check_sink(self, box, allowed_inner):
        subjects = [re.search(rb"(?m)^Subject: ([^\r\n]*)", a.data.partition(b"\r\n\r\n")[0]) for a in box.arrivals]
        inner = [s for s in subjects if s and s.group(1) == b"SMUGGLED EMAIL"]
        if not allowed_inner:
            self.assertEqual(inner, [], "the inner message was delivered as its own")
        for arrival in box.arrivals:
            self.assertNotRegex(
                arrival.wire, rb"\r(?!\n)|(?<!\r)\n|\0", "a bare CR, a bare LF or a NUL left the gateway"
            )
            self.assertIsNone(LENIENT.search(arrival.wire), "something like an end of data left the gateway")

    def test_strict(self):
        for number, row in enumerate(self.vectors["sequences"]):
            with self.subTest(row["repr"]):
                box = self.open(sink.Sink())
                gate = self.gateway(next_port=box.port)
                codes = self.attempt(gate, row, number)
                time.sleep(0.5)
                gate.wait_empty()
                self.check_sink(box, row["contains_genuine_eod"])
                self.assertLessEqual(box.count, 2 if row["contains_genuine_eod"] else 1)
                if not row["contains_genuine_eod"]:
                    self.assertTrue(codes and codes[0] // 100 == 5, codes)
                    self.assertEqual(box.count, 0)
                gate.stop()

    def test_mended_for_a_listed_client(self):
        """bare_newline_from: a broken client's bare line ends become CRLF, and still nothing is smuggled on."""
        for number, row in enumerate(self.vectors["sequences"]):
            with self.subTest(row["repr"]):
                box = self.open(sink.Sink())
                gate = self.gateway(next_port=box.port, listener={"bare_newline_from": "127.0.0.1"})
                self.attempt(gate, row, number)
                time.sleep(0.5)
                gate.wait_empty()
                self.check_sink(box, row["contains_genuine_eod"])
                gate.stop()

    def test_bdat_content(self):
        """BDAT has no end of data of its own, so what it carries must not become one when it leaves by DATA."""
        box = self.open(sink.Sink(offers=("PIPELINING", "8BITMIME")))
        gate = self.gateway(next_port=box.port)
        for number, row in enumerate(self.vectors["sequences"]):
            with smtp.Client(gate.port) as client:
                client.hello()
                client.envelope("outer@a.example", ["m%d@example.net" % number])
                client.bdat(self.outer(row, number), 50)
        gate.wait_empty()
        self.check_sink(box, True)
        subjects = [a.data.count(b"Subject: SMUGGLED EMAIL") for a in box.arrivals]
        self.assertLessEqual(box.count, len(self.vectors["sequences"]), subjects)

    def test_nothing_behind_a_refused_message_is_a_command(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        with smtp.Client(gate.port, timeout_s=5) as client:
            client.hello()
            client.envelope("a@example.org", ["b@example.net"])
            client.command("DATA")
            client.send(
                b"x\n.\nRSET\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.net>\r\n"
                b"DATA\r\nevil\r\n.\r\nQUIT\r\n"
            )
            codes = []
            try:
                while True:
                    codes.append(client.reply().code)
            except (smtp.Closed, OSError):
                pass
        self.assertTrue(all(c >= 500 or c in (421, 221) for c in codes), codes)
        self.assertEqual((box.count, codes.count(354)), (0, 0))


@base.needs_gateway
class StarttlsInjection(base.Case):
    def test_vectors(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, tls="mx.example.net")
        for row in rows("starttls-injection", "cases.json")["cases"]:
            with self.subTest(row["id"]), smtp.Client(gate.port, timeout_s=5) as client:
                writes = [base64.b64decode(w) for w in row["plain_writes_b64"]]
                for write in writes[:-1]:
                    client.send(write)
                    client.reply()
                client.send(writes[-1])
                try:
                    self.assertIn(client.reply().code, (220, 421, 501, 503, 554))
                    client.wrap()
                except (smtp.Closed, OSError):
                    continue  # the session was ended: what is asked for
                client.sock.settimeout(2)
                try:
                    self.assertEqual(client.sock.recv(1000), b"", "a reply came inside TLS before the client spoke")
                except TimeoutError:
                    client.sock.settimeout(5)
                    self.assertGreaterEqual(client.command("FAKE commandinjectiontester").code, 500)

    def test_it_is_counted(self):
        gate = self.gateway(next_port=9, tls="mx.example.net")
        with smtp.Client(gate.port, timeout_s=5) as client:
            client.hello()
            client.send(b"STARTTLS\r\nRSET\r\n")
            try:
                client.reply()
                client.reply()
            except (smtp.Closed, OSError):
                pass
        self.assertEqual(gate.metric("hangu_starttls_injection_total"), 1)


@base.needs_gateway
class Espoofer(base.Case):
    """The session's part of these attacks: what MAIL FROM, HELO and the bytes of the message may not do. Who may be
    who is for later work.
    """

    def test_server_cases(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, domains=("victim.com",), listener={"relay_from": ""})
        outcomes = {}
        for row in rows("espoofer", "cases.json"):
            if not row["id"].startswith("server"):
                continue
            with self.subTest(row["id"]):
                message = corpus.crlf(corpus.conformance("espoofer", row["message"].removeprefix("data/")).read_bytes())
                before = box.count
                with smtp.Client(gate.port, timeout_s=10) as client:
                    try:
                        client.command(b"EHLO " + base64.b64decode(row["helo_b64"]))
                        answer = client.command(b"MAIL FROM:" + base64.b64decode(row["mailfrom_b64"]))
                        if answer.code == 250:
                            answer = client.command(b"RCPT TO:" + base64.b64decode(row["rcptto_b64"]))
                        if answer.code == 250:
                            answer = client.data(message)
                    except (smtp.Closed, OSError) as end:
                        answer = end
                gate.wait_empty()
                outcomes[row["id"]] = (
                    "refused"
                    if not getattr(answer, "code", 0) == 250
                    else "delivered"
                    if box.count > before
                    else "held"
                )
                for arrival in box.arrivals[before:]:
                    head = arrival.data.partition(b"\r\n\r\n")[0]
                    self.assertNotRegex(head, rb"(?i)dmarc=pass|header\.from=legitimate\.com")
                    self.assertIn(b"X-Hangu-Class: ", head)
                    if outcomes[row["id"]] == "delivered" and len(re.findall(rb"(?im)^from[ \t]*:", head)) > 1:
                        self.fail("two From fields were delivered")
        self.say(str(outcomes))

    def test_a_client_may_not_use_another_sender(self):
        """client_*: who has authenticated as one account may not send as another."""
        box = self.open(sink.Sink())
        made = base.gateway.Gateway(
            next_port=box.port,
            tls="mx.example.net",
            listener={"role": "submission", "relay_from": "", "tls": "required"},
        )
        self.addCleanup(made.__exit__)
        line = made.command("account", "attack", "attack@example.net", text="a long password\n", check=True).stdout
        accounts = made.folder / "accounts"
        accounts.write_text(line)
        made.sections["accounts"] = {"file": accounts, "failure_delay": "0s"}
        made.start()
        secret = base64.b64encode(b"\0attack\0a long password").decode()
        wrong = base64.b64encode(b"\0attack\0another password").decode()
        with smtp.Client(made.port) as client:
            self.assertNotIn("AUTH", client.hello(), "no password is asked for in the clear")
            self.assertEqual(client.command("AUTH PLAIN " + secret).code // 100, 5)
            client.starttls()
            self.assertIn("PLAIN", client.hello()["AUTH"])
            self.assertEqual(client.command("MAIL FROM:<attack@example.net>").code, 530)
            self.assertEqual(client.command("AUTH PLAIN " + wrong).code, 535)
            self.assertEqual(client.command("AUTH PLAIN " + secret).code, 235)
            self.assertEqual(client.command("MAIL FROM:<admin@example.net>").code // 100, 5)
            self.assertEqual(client.command("MAIL FROM:<attack@example.net>").code, 250)
            self.assertEqual(client.command("RCPT TO:<x@elsewhere.example>").code, 250)
            own = base.numbered(1).replace(b"sender@example.org", b"attack@example.net")
            self.assertEqual(client.data(own).code, 250)
        arrived = box.wait(1)[0].data
        self.assertIn(b"ESMTPSA", arrived)


@base.needs_gateway
class OpenRelay(base.Case):
    def test_a_stranger_may_not_relay(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener={"relay_from": ""})
        for recipient in (
            "x@elsewhere.example",
            '"x@elsewhere.example"@example.com',
            "@example.net:x@elsewhere.example",
            "x%elsewhere.example@relay.example",
            "elsewhere.example!x@relay.example",
            "x@[127.0.0.1]",
            "x@example.net.elsewhere.example",
            '"x@elsewhere.example',
            "x@elsewhere.example@example.com",
        ):
            with self.subTest(recipient), smtp.Client(gate.port) as client:
                client.hello()
                client.command("MAIL FROM:<a@example.org>")
                answer = client.command("RCPT TO:<%s>" % recipient)
                self.assertTrue(answer.code // 100 == 5, "%s: %r" % (recipient, answer))
                self.assertTrue(answer.enhanced.startswith("5."), answer)

    def test_it_cannot_be_configured_by_accident(self):
        for name, listener in (
            ("everybody", {"relay_from": "0.0.0.0/0"}),
            ("everybody by IPv6", {"relay_from": "::/0"}),
            ("half the world", {"relay_from": "0.0.0.0/1"}),
            ("own systems anywhere", {"role": "internal", "relay_from": "", "peers": ""}),
        ):
            with self.subTest(name):
                gate = base.gateway.Gateway(next_port=9, listener=listener)
                self.addCleanup(gate.__exit__)
                done = gate.check()
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("relay", (done.stdout + done.stderr).lower())
