"""STARTTLS with each real peer, both ways, and what happens when TLS cannot be had."""
import base64
import hashlib
import re
import socket
import ssl
import time

from harness import certificates, compare, peers, process, sink, smtp

from . import base

MESSAGE = base.numbered(1) + b".dotted\r\n"


class GuardedSession(sink.Session):
    """Mail for those with an account only."""

    known = False

    def capabilities(self):
        return [*super().capabilities(), "AUTH " + self.sink.mechanisms]

    def secret(self, words):
        self.say("334 " + base64.b64encode(words).decode())
        return base64.b64decode(self.line())

    def on_auth(self, text):
        words = text.split()
        if words[1] == "PLAIN":
            _, user, password = base64.b64decode(words[2]).split(b"\0")
        else:
            user, password = self.secret(b"Username:"), self.secret(b"Password:")
        self.sink.accounts.append((words[1], user, password))
        self.known = self.sink.right
        self.say("235 2.7.0 welcome" if self.known else "535 5.7.8 wrong")

    def on_mail(self, text):
        if self.known:
            super().on_mail(text)
        else:
            self.say("530 5.7.0 who are you?")


class Guarded(sink.Sink):
    session_class = GuardedSession

    def __init__(self, mechanisms, right=True, **options):
        super().__init__(**options)
        self.mechanisms, self.right, self.accounts = mechanisms, right, []


@base.needs_gateway
class Inbound(base.Case):
    def setUp(self):
        self.box = self.open(sink.Sink())
        self.gate = self.gateway(next_port=self.box.port, tls="mx.example.net")

    def test_a_client_that_verifies(self):
        with smtp.Client(self.gate.port) as client:
            self.assertIn("STARTTLS", client.hello())
            client.starttls(certificates.client_context(), "mx.example.net")
            self.assertNotIn("STARTTLS", client.hello())
            client.envelope("a@example.org", ["b@example.net"])
            self.assertEqual(client.data(MESSAGE).code, 250)
        arrived = self.box.wait(1)[0].data
        self.assertIsNone(base.same_below_trace(arrived, MESSAGE))
        self.assertIn(b"ESMTPS", arrived)

    def test_old_protocols_are_refused(self):
        context = smtp.anyone()
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with smtp.Client(self.gate.port) as client:
            client.hello()
            self.assertRaises((ssl.SSLError, OSError), client.starttls, context)

    def test_the_session_starts_anew_behind_tls(self):
        with smtp.Client(self.gate.port) as client:
            client.hello()
            client.starttls()
            self.assertEqual(client.command("MAIL FROM:<a@example.org>").code, 503)

    def test_tls_demanded_of_whom_xclient_names(self):
        gate = self.gateway(
            next_port=self.box.port,
            tls="mx.example.net",
            listener={"tls_required_from": "192.0.2.0/24", "xclient": "127.0.0.1"},
        )
        with smtp.Client(gate.port) as client:
            client.hello()
            self.assertEqual(client.command("XCLIENT ADDR=192.0.2.7").code, 220)
            client.hello()
            self.assertEqual(client.command("MAIL FROM:<a@example.org>").code, 530)

    def test_a_client_certificate_is_recorded(self):
        """I-35: subject, issuer, fingerprint and whether it is verified, in the log and in the trace of its messages."""
        pem = certificates.issue("client.example")[0].read_text()
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        for known in (True, False):
            with self.subTest(known=known):
                sections = {"tls": {"ca_file": certificates.authority()[0]}} if known else {}
                gate = self.gateway(
                    next_port=self.box.port, tls="mx.example.net", listener={"ask_certificate": "yes"}, sections=sections
                )
                with smtp.Client(gate.port) as client:
                    client.hello()
                    client.starttls(certificates.client_context("client.example"), "mx.example.net")
                    client.hello()
                    client.envelope("a@example.org", ["b@example.net"])
                    self.assertEqual(client.data(MESSAGE).code, 250)
                line = gate.wait_log(r"session\.certificate.*").group(0)
                for word in (
                    "CN=client.example",
                    "CN=Hangu test authority",
                    'sha256="%s"' % fingerprint,
                    'verified="%s" ours="no"' % ("yes" if known else "no"),
                ):
                    self.assertIn(word, line)
                told = process.wait_for(
                    lambda: re.search("(?m)^.*Z  certificate  .*$", gate.command("trace", "a@example.org").stdout),
                    20,
                    "the certificate in the trace",
                ).group(0)
                self.assertIn("  CN=client.example  %sverified" % ("" if known else "not "), told)
                self.assertIn("SHA-256 %s, issued by CN=Hangu test authority" % fingerprint, told)
                self.assertEqual(smtp.send(gate.port, MESSAGE, sender="plain@example.org").code, 250)
                process.wait_for(
                    lambda: "plain@" in gate.command("trace", "plain@example.org").stdout, 20, "the other message's trace"
                )
                self.assertNotIn("certificate", gate.command("trace", "plain@example.org").stdout)

    @base.needs_root
    def test_from_postfix(self):
        self.from_relay(peers.Postfix)

    @base.needs_root
    def test_from_exim(self):
        self.from_relay(peers.Exim)

    @base.needs_root
    def test_from_opensmtpd(self):
        self.from_relay(peers.OpenSmtpd)

    def from_relay(self, kind):
        relay = self.peer(kind, next_port=self.gate.port, client_tls="encrypt")
        self.assertEqual(smtp.send(relay.port, MESSAGE).code, 250)
        arrived = self.box.wait(1)[0].data
        self.assertTrue(arrived.endswith(MESSAGE[MESSAGE.index(b"\r\n\r\n") :]))
        self.assertIn(b"ESMTPS", base.received(arrived), "our own Received field says how it came")


@base.needs_gateway
class Outbound(base.Case):
    def deliver(self, port, policy, sections=None, protocol="smtp", wait=True, **route):
        gate = self.gateway(
            next_port=port,
            route=dict({"tls": policy, "protocol": protocol}, **route),
            sections=dict({"tls": {"ca_file": certificates.authority()[0]}}, **(sections or {})),
        )
        self.assertEqual(smtp.send(gate.port, MESSAGE).code, 250)
        return gate

    def tls_sink(self, name="sink.example", **options):
        return self.open(sink.Sink(tls=certificates.server_context(name, client_authority=True), **options))

    def test_opportunistic_uses_it(self):
        box = self.tls_sink()
        self.deliver(box.port, "opportunistic")
        self.assertEqual(box.wait(1)[0].protocol, "ESMTPS")

    def test_opportunistic_does_without(self):
        box = self.open(sink.Sink())
        self.deliver(box.port, "opportunistic")
        self.assertEqual(box.wait(1)[0].protocol, "ESMTP")

    def test_opportunistic_goes_plain_when_the_handshake_fails(self):
        def script(stage, session, _):
            if stage == "starttls":
                session.say("220 2.0.0 go on")
                session.sock.recv(100)
                session.sock.sendall(b"this is no handshake\r\n")
                return sink.Act.DROP
            return None

        box = self.tls_sink(script=script)
        self.deliver(box.port, "opportunistic")
        self.assertEqual(box.wait(1, 60)[0].protocol, "ESMTP")

    def test_require_never_goes_plain(self):
        box = self.open(sink.Sink())
        gate = self.deliver(box.port, "require")
        time.sleep(3)
        self.assertEqual((box.count, gate.queued()), (0, 1))

    def test_verify_accepts_the_right_name(self):
        box = self.tls_sink("sink.example")
        self.deliver(box.port, "verify", tls_names="sink.example")
        self.assertEqual(box.wait(1)[0].protocol, "ESMTPS")

    def test_verify_refuses_another_name(self):
        box = self.tls_sink("other.example")
        gate = self.deliver(box.port, "verify", tls_names="sink.example")
        time.sleep(3)
        self.assertEqual((box.count, gate.queued()), (0, 1))

    def test_a_client_certificate_is_shown(self):
        seen = []

        def script(stage, session, _):
            if stage == "mail":
                seen.append(session.sock.getpeercert())

        box = self.tls_sink(script=script)
        certificate, key = certificates.issue("client.example")
        self.deliver(
            box.port,
            "require",
            sections={"certificate client": {"file": certificate, "key": key}},
            certificate="client",
        )
        box.wait(1)
        self.assertIn(("DNS", "client.example"), seen[0]["subjectAltName"])

    def test_an_account_at_the_next_hop(self):
        """I-33: AUTH as a client, by whatever the next hop offers, over TLS only."""
        for offer in ("PLAIN LOGIN", "LOGIN"):
            with self.subTest(offer):
                box = self.open(Guarded(offer, tls=certificates.server_context("sink.example")))
                gate = self.deliver(box.port, "require", user="hangu", password="a secret, with words")
                self.assertIsNone(base.same_below_trace(box.wait(1)[0].data, MESSAGE))
                self.assertEqual(box.accounts, [(offer.split()[0], b"hangu", b"a secret, with words")])
                self.assertNotIn("a secret", gate.log())

    def test_a_password_never_goes_in_clear(self):
        box = self.open(Guarded("PLAIN LOGIN"))
        gate = self.deliver(box.port, "opportunistic", user="hangu", password="a secret, with words")
        gate.wait_log("delivery.*")
        time.sleep(2)
        self.assertEqual([text for _, text in box.commands if text.startswith(("AUTH", "MAIL"))], [])
        self.assertEqual((box.count, gate.queued()), (0, 1))

    def test_a_wrong_password_defers(self):
        """The administrator's mistake: no sender hears of it."""
        box = self.open(Guarded("PLAIN", right=False, tls=certificates.server_context("sink.example")))
        gate = self.deliver(box.port, "require", user="hangu", password="another")
        process.wait_for(lambda: len(box.accounts) >= 2, 20, "a second attempt")
        self.assertEqual((box.count, gate.queued()), (0, 1))

    def test_plain_replies_behind_starttls_are_dropped(self):
        """starttls-injection for the client side: what stands behind the 220 in plain text is never taken for a
        reply.
        """
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        gate = self.gateway(next_port=port, route={"tls": "require"})
        self.assertEqual(smtp.send(gate.port, MESSAGE).code, 250)
        listener.settimeout(30)
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(30)
            sock.sendall(b"220 evil.example ESMTP\r\n")
            sock.recv(1000)
            sock.sendall(b"250-evil.example\r\n250 STARTTLS\r\n")
            self.assertEqual(sock.recv(1000), b"STARTTLS\r\n")
            sock.sendall(b"220 go on\r\n250-evil.example\r\n250 AUTH PLAIN\r\n250 2.1.0 ok\r\n")
            try:
                secure = certificates.server_context("evil.example").wrap_socket(sock, server_side=True)
            except OSError:
                return  # the client gave up: fine
            with secure:
                try:
                    first = secure.recv(1000)
                except OSError:
                    return
                self.assertTrue(first == b"" or first.upper().startswith(b"EHLO"), first)

    @base.needs_root
    def test_to_postfix(self):
        self.to_relay(peers.Postfix)

    @base.needs_root
    def test_to_exim(self):
        self.to_relay(peers.Exim)

    @base.needs_root
    def test_to_opensmtpd_whose_tls_is_broken(self):
        """OpenSMTPD 6.8 of Debian 12 offers STARTTLS and fails each handshake (its key process and OpenSSL 3):
        plain text is the way that is left.
        """
        box = self.open(sink.Sink())
        relay = self.peer(peers.OpenSmtpd, next_port=box.port, tls="relay.example")
        self.deliver(relay.port, "opportunistic")
        self.assertTrue(box.wait(1, 60)[0].data.endswith(MESSAGE[MESSAGE.index(b"\r\n\r\n") :]))

    def to_relay(self, kind):
        box = self.open(sink.Sink())
        relay = self.peer(kind, next_port=box.port, tls="relay.example")
        self.deliver(relay.port, "verify", tls_names="relay.example")
        arrived = box.wait(1, 60)[0].data
        self.assertIsNone(base.same_below_trace(arrived, MESSAGE))
        self.assertIn(
            b"SMTPS",
            compare.fields(arrived)[0][0][1].upper().replace(b"ESMTPS", b"SMTPS"),
            "the relay says it came by TLS",
        )

    @base.needs_root
    def test_to_dovecot(self):
        store = self.peer(peers.Dovecot, tls="store.example")
        gate = self.deliver(store.port, "verify", protocol="lmtp", tls_names="store.example")
        gate.wait_empty()
        stored = store.stored("rcpt@example.net")
        self.assertEqual(len(stored), 1)
        self.assertIsNone(base.same_below_trace(stored[0], MESSAGE))
        self.assertIn(b"LMTPS", stored[0])
