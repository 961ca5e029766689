"""People with accounts, and mail systems of our own: passwords, certificates, TLS that is demanded, and what is written down."""
import base64
import hashlib
import ssl

from harness import certificates, corpus, gateway, places, process, sink, smtp

from . import base
from .test_smuggling import rows

PASSWORD = "a long password"


@base.needs_gateway
class Submission(base.Case):
    def setUp(self):
        self.box = self.open(sink.Sink())

    def submission(self, tls="required", sections=None, **listener):
        made = gateway.Gateway(
            next_port=self.box.port,
            tls="mx.example.net",
            listener=dict({"role": "submission", "relay_from": "", "tls": tls, "tarpit": "0s"}, **listener),
            sections=sections,
        )
        self.addCleanup(made.__exit__)
        lines = [
            made.command("account", name, address, text=PASSWORD + "\n", check=True).stdout
            for name, address in (("wang", "wang@example.net"), ("attacker", "attacker@example.com"))
        ]
        accounts = made.folder / "accounts"
        accounts.write_text("".join(lines))
        made.sections["accounts"] = dict({"file": accounts, "failure_delay": "0s"}, **made.sections.get("accounts", {}))
        made.start(wait=tls != "implicit")
        if tls == "implicit":
            made.wait_log("supervisor.serving")
        return made

    def client(self, gate, user=None, implicit=False):
        client = smtp.Client(gate.port, greeting=not implicit)
        self.addCleanup(client.close)
        if implicit:
            client.wrap()
            self.assertEqual(client.reply().code, 220)
        else:
            client.hello()
            client.starttls()
        client.hello()
        if user:
            self.assertEqual(self.plain(client, user).code, 235)
        return client

    @staticmethod
    def plain(client, user, password=PASSWORD):
        return client.command("AUTH PLAIN " + base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode())

    def test_implicit_tls_and_login(self):
        gate = self.submission(tls="implicit")
        client = self.client(gate, implicit=True)
        self.assertNotIn("STARTTLS", client.offers)
        self.assertEqual(client.command("AUTH LOGIN").code, 334)
        self.assertEqual(client.command(base64.b64encode(b"wang")).code, 334)
        self.assertEqual(client.command(base64.b64encode(PASSWORD.encode())).code, 235)
        client.envelope("wang@example.net", ["x@elsewhere.example"])
        message = base.numbered(1).replace(b"sender@example.org", b"wang@example.net")
        self.assertEqual(client.data(message).code, 250)
        self.assertIn(b"ESMTPSA", base.received(self.box.wait(1)[0].data))
        gate.wait_log(r'message\.accepted .*direction="outbound"')

    def test_failed_passwords_are_counted(self):
        """failures_max: one below it the session goes on, at it the session ends."""
        gate = self.submission(sections={"accounts": {"failures_max": "3"}})
        client = self.client(gate)
        for _ in range(2):
            self.assertEqual(self.plain(client, "wang", "wrong").code, 535)
        self.assertEqual(self.plain(client, "wang").code, 235)
        client = self.client(gate)
        for code in (535, 535, 421):
            self.assertEqual(self.plain(client, "wang", "wrong").code, code)
        self.assertRaises((smtp.Closed, OSError), client.command, "NOOP")
        client = self.client(gate)
        self.assertEqual(self.plain(client, "nobody").code, 535, "an account that is not there looks like a wrong password")
        self.assertEqual(gate.metric('hangu_auth_total{result="failed"}'), 6)
        self.assertEqual(gate.metric('hangu_refusals_total{stage="auth"}'), 6)

    def test_failures_max(self):
        """At 1 and at 4: one below it a right password still opens, at it the session ends, whatever was sent along."""
        for most in (1, 4):
            gate = self.submission(sections={"accounts": {"failures_max": str(most)}}, errors_max="100")
            with self.subTest(most):
                client = self.client(gate)
                for _ in range(most - 1):
                    self.assertEqual(self.plain(client, "wang", "wrong").code, 535)
                self.assertEqual(self.plain(client, "wang").code, 235)
                client = self.client(gate)
                wrong = b"AUTH PLAIN " + base64.b64encode(b"\0wang\0wrong") + b"\r\n"
                client.send(wrong * (most + 1))
                self.assertEqual([client.reply().code for _ in range(most)], [535] * (most - 1) + [421])
                self.assertRaises((smtp.Closed, OSError), client.reply)
                self.assertEqual(gate.metric('hangu_auth_total{result="failed"}'), 2 * most - 1)

    def test_espoofer_clients(self):
        """client_*: an account does not write in another's name, and two From fields do not help."""
        gate = self.submission()
        cases = [row for row in rows("espoofer", "cases.json") if row["id"].startswith("client")]
        self.assertTrue(cases)
        for row in cases:
            with self.subTest(row["id"]):
                client = self.client(gate, "attacker")
                message = corpus.crlf(corpus.conformance("espoofer", row["message"].removeprefix("data/")).read_bytes())
                self.assertEqual(client.command(b"MAIL FROM:" + base64.b64decode(row["mailfrom_b64"])).code, 250)
                self.assertEqual(client.command(b"RCPT TO:" + base64.b64decode(row["rcptto_b64"])).code, 250)
                answer = client.data(message)
                self.assertEqual((answer.code, answer.enhanced), (550, "5.7.1"))
        self.assertEqual(self.box.count, 0)

    def test_own_names_only(self):
        gate = self.submission()
        for name, front, code in (
            ("its own", b"From: Wang <wang@example.net>\r\n", 250),
            ("another's", b"From: Boss <boss@example.net>\r\n", 550),
            ("its own and another's", b"From: wang@example.net, boss@example.net\r\nSender: wang@example.net\r\n", 550),
            ("none", b"", 250),
        ):
            with self.subTest(name):
                client = self.client(gate, "wang")
                client.envelope("wang@example.net", ["x@elsewhere.example"])
                rest = base.numbered(1).partition(b"\r\n")[2]
                self.assertEqual(client.data(front + rest).code, code)
        gate = self.submission(sections={"organisation": {"sender_must_match": "no"}})
        client = self.client(gate, "wang")
        client.envelope("boss@example.net", ["x@elsewhere.example"])
        self.assertEqual(client.data(base.numbered(1)).code, 250)


@base.needs_gateway
class OwnSystems(base.Case):
    def setUp(self):
        self.box = self.open(sink.Sink())

    def certificate(self, name):
        certificate, key = certificates.issue(name)
        pem = certificate.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        context = smtp.anyone()
        context.load_cert_chain(certificate, key)
        return context, hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

    def over_tls(self, gate, context=None):
        client = smtp.Client(gate.port)
        self.addCleanup(client.close)
        client.hello()
        client.starttls(context)
        client.hello()
        return client

    def test_known_by_certificate(self):
        """An internal listener: who shows the certificate may send anywhere, and it is written down whose it was (I-35)."""
        known, fingerprint = self.certificate("mail.example.net")
        other, _ = self.certificate("other.example.net")
        gate = self.gateway(
            next_port=self.box.port,
            tls="mx.example.net",
            listener={"role": "internal", "relay_from": "", "peer_certificates": fingerprint},
        )
        with smtp.Client(gate.port) as plain:
            plain.hello()
            self.assertEqual(plain.command("MAIL FROM:<a@example.net>").code, 550)
        for context in (None, other):
            self.assertEqual(self.over_tls(gate, context).command("MAIL FROM:<a@example.net>").code, 550)
        client = self.over_tls(gate, known)
        client.envelope("a@example.net", ["x@elsewhere.example"])
        self.assertEqual(client.data(base.numbered(1)).code, 250)
        self.assertNotIn(fingerprint.encode(), self.box.wait(1)[0].data, "not told to the next hop")
        trace = process.wait_for(
            lambda: (lambda t: t if "delivered" in t else None)(gate.command("trace", "x@elsewhere.example").stdout),
            10,
            "the message in the trace",
        )
        self.assertIn("certificate " + fingerprint, trace)
        self.assertIn("mail.example.net", trace.partition(fingerprint)[2].splitlines()[0])

    def test_tls_from_some_peers(self):
        """I-35: demanded of those who are listed, offered to everybody."""
        gate = self.gateway(next_port=self.box.port, tls="mx.example.net", listener={"tls_required_from": "127.0.0.7"})
        with smtp.Client(gate.port, source="127.0.0.7") as client:
            client.hello()
            answer = client.command("MAIL FROM:<a@example.org>")
            self.assertEqual((answer.code, answer.enhanced), (530, "5.7.0"))
            client.starttls()
            client.hello()
            self.assertEqual(client.command("MAIL FROM:<a@example.org>").code, 250)
        with smtp.Client(gate.port, source="127.0.0.8") as client:
            client.hello()
            self.assertEqual(client.command("MAIL FROM:<a@example.org>").code, 250)

    def test_a_name_for_each_certificate(self):
        """Two certificates on one listener: who asks for a name gets its own (SNI); IPv6 as well as IPv4."""
        made = gateway.Gateway(next_port=self.box.port, tls="mx.example.net")
        self.addCleanup(made.__exit__)
        certificate, key = made.key_pair("mx.example.org")
        made.sections["certificate second"] = {"file": certificate, "key": key, "names": "mx.example.org"}
        made.sections["listener internet"].update(
            certificate="own, second", address="127.0.0.1:%d, [::1]:%d" % (made.port, made.port), relay_from="127.0.0.0/8, ::1"
        )
        made.start()
        for host in ("127.0.0.1", "::1"):
            for name in ("mx.example.net", "mx.example.org"):
                with self.subTest(host + " " + name), smtp.Client(made.port, host=host) as client:
                    client.hello()
                    client.starttls(certificates.client_context(), name)
                    names = [value for kind, value in client.sock.getpeercert()["subjectAltName"] if kind == "DNS"]
                    self.assertIn(name, names)
                    client.hello()
                    client.envelope("a@example.org", ["b@example.net"])
                    self.assertEqual(client.data(base.numbered(1)).code, 250)
        arrivals = self.box.wait(4)
        self.assertEqual(sum(b"[IPv6:::1]" in a.data for a in arrivals), 2)

    def test_messages_of_one_domain_too_fast(self):
        """I-9: from however many addresses."""
        gate = self.gateway(next_port=self.box.port, listener={"relay_from": "", "sender_domain_rate": "10"})

        def answer(number, sender):
            with smtp.Client(gate.port, source="127.0.0.%d" % (number + 10)) as client:
                client.hello()
                return client.command("MAIL FROM:<%s>" % sender)

        codes = [answer(number, "a@big.example").code for number in range(12)]
        self.assertEqual((codes[:10], codes[11]), ([250] * 10, 450))
        self.assertEqual(answer(50, "a@small.example").code, 250)
        self.assertEqual(answer(51, "").code, 250)


@base.needs_gateway
class Roles(base.Case):
    """What each role of a listener offers, and to whom."""

    def test_where_passwords_are_asked_for(self):
        """AUTH is for people, over TLS: on submission listeners once TLS is on, and nowhere else."""
        made = gateway.Gateway(next_port=9, tls="mx.example.net", listener={"tls": "starttls"})
        self.addCleanup(made.__exit__)
        accounts = made.folder / "accounts"
        accounts.write_text(made.command("account", "wang", "wang@example.net", text=PASSWORD + "\n", check=True).stdout)
        made.sections["accounts"] = {"file": accounts}
        made.sections["organisation"] = {"networks": "127.0.0.0/8"}
        ports = {("internet", "starttls"): made.port}
        for role in ("internet", "submission", "internal", "journal"):
            for tls in ("starttls", "required", "implicit"):
                if (role, tls) not in ports:
                    ports[role, tls] = places.free_port()
                    made.sections["listener %s-%s" % (role, tls)] = {
                        "address": "127.0.0.1:%d" % ports[role, tls],
                        "role": role,
                        "tls": tls,
                        "certificate": "own",
                    }
        made.start()
        for (role, tls), port in ports.items():
            with self.subTest(role=role, tls=tls), smtp.Client(port, greeting=tls != "implicit") as client:
                if tls == "implicit":
                    client.wrap()
                    self.assertEqual(client.reply().code, 220)
                else:
                    self.assertNotIn("AUTH", client.hello(), "never in the clear")
                    answer = client.command("AUTH PLAIN AGEAYg==")
                    self.assertEqual(answer.code, 538 if role == "submission" else 502)
                    client.starttls()
                offers = client.hello()
                self.assertEqual(offers.get("AUTH"), "PLAIN LOGIN" if role == "submission" else None)
                if role == "submission":
                    self.assertEqual(client.command("MAIL FROM:<wang@example.net>").code, 530)
                else:
                    self.assertEqual(client.command("AUTH PLAIN AGEAYg==").code, 502)
                    self.assertEqual(client.command("MAIL FROM:<wang@example.net>").code, 250)

    def test_own_systems_only(self):
        """Internal and journal listeners: who is listed may send, and nobody else may even begin."""
        certificate, _ = certificates.issue("mail.example.net")
        pem = certificate.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        own = {"organisation": {"networks": "127.0.0.8"}}
        for role in ("internal", "journal"):
            for name, listener, sections, refused in (
                ("by address", {"peers": "127.0.0.8"}, None, "greeting"),
                ("by network", {}, own, "mail"),
                ("by certificate", {"peer_certificates": fingerprint}, own, "mail"),
            ):
                with self.subTest(role=role, name=name):
                    box = self.open(sink.Sink())
                    made = gateway.Gateway(
                        next_port=box.port,
                        tls="mx.example.net",
                        listener=dict({"role": role, "relay_from": ""}, **listener),
                        sections=sections,
                    )
                    self.addCleanup(made.__exit__)
                    made.start(wait=False)
                    made.wait_log("supervisor.serving")
                    with smtp.Client(made.port, source="127.0.0.7") as stranger:
                        if refused == "greeting":
                            self.assertEqual(stranger.greeting.code, 554)
                        else:
                            stranger.hello()
                            answer = stranger.command("MAIL FROM:<a@example.net>")
                            self.assertEqual((answer.code, answer.enhanced), (550, "5.7.1"))
                    with smtp.Client(made.port, source="127.0.0.8") as known:
                        known.hello()
                        known.envelope("a@example.net", ["journal@example.net"])
                        report = b"X-MS-Journal-Report: \r\n" + base.numbered(1)
                        self.assertEqual(known.data(report).code, 250)
                    self.assertIsNone(base.same_below_trace(box.wait(1)[0].data, report), "its fields stay")
                    made.wait_log(r'message\.accepted .*direction="internal"')
