"""The harness against itself and against real peers, without the gateway: a double that lies proves nothing."""
import hashlib
import random
import socket
import time

from bench import messages
from harness import certificates, compare, corpus, faults, names, exchange, peers, sink, smtp

from . import base


class Faults(base.Case):
    """Gateway.stop() asks harness/faults.py whether a log tells of something nobody made happen."""

    SUPERVISOR = "2026-01-02T03:04:05.678Z %s supervisor %s which=gate index=0 pid=%d how=signal number=%d"
    GOOD = (
        "",
        "box breach: execve (call 59)",
        SUPERVISOR % ("info", "role.ended", 77, 9),
        '{"time":"2026-01-02T03:04:05.678Z","level":"info","role":"supervisor","event":"role.ended","pid":77}',
        '2026-01-02T03:04:05.678Z info gate session.end text="==1==ERROR: AddressSanitizer: must(x) failed at y"',
        "2026-01-02T03:04:05.678Z error gate role.ended pid=77",
    )
    CRASHES = (
        SUPERVISOR % ("error", "role.ended", 77, 11),
        SUPERVISOR % ("error", "box.breach", 77, 31),
        '{"time":"2026-01-02T03:04:05.678Z","level":"error","role":"supervisor","event":"role.ended","pid":77,"number":6}',
        "AddressSanitizer:DEADLYSIGNAL\n==77==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x1 bp 0x2 sp 0x3 T0)",
    )
    REPORTS = (
        "==77==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000014 at pc 0x1 bp 0x2 sp 0x3",
        "==77==ERROR: LeakSanitizer: detected memory leaks",
        "==77==AddressSanitizer CHECK failed: asan_thread.cpp:1",
        "../../src/tools/main.c:149:8: runtime error: null pointer passed as argument 1",
        "WARNING: ThreadSanitizer: data race (pid=77)",
        "FATAL: ThreadSanitizer: unexpected memory mapping",
        "must(a->used <= a->size) failed at src/base/arena.c:12",
    )

    def test_an_ordinary_log_is_good(self):
        for line in self.GOOD:
            self.assertEqual(faults.find("x\n" + line + "\ny"), [], line)

    def test_a_crash_is_found_unless_the_test_made_it(self):
        for line in self.CRASHES:
            self.assertEqual(len(faults.find("x\n" + line + "\ny", {7, 78})), 1, line)
            self.assertEqual(faults.find("x\n" + line + "\ny", {77}), [], line)

    def test_a_report_is_found_whoever_was_killed(self):
        for line in self.REPORTS:
            self.assertEqual(len(faults.find("x\n" + line + "\ny", {77})), 1, line)
            with self.assertRaisesRegex(faults.Found, "the log tells of a fault"):
                faults.check("x\n" + line)


class Sinks(base.Case):
    MESSAGE = b"From: a@example.org\r\n\r\n.one\r\n..two\r\n...\r\nnaked \x00 and \xff\r\n"

    def test_data_is_stored_as_sent(self):
        box = self.open(sink.Sink())
        self.assertEqual(smtp.send(box.port, self.MESSAGE).code, 250)
        arrival = box.wait(1)[0]
        self.assertEqual((arrival.data, arrival.verb), (self.MESSAGE, "DATA"))
        self.assertEqual(arrival.wire, self.MESSAGE.replace(b"\r\n.", b"\r\n.."))

    def test_bdat_is_stored_as_sent(self):
        box = self.open(sink.Sink())
        with smtp.Client(box.port) as client:
            client.hello()
            client.envelope("a@example.org", ["b@example.net"])
            self.assertEqual(client.bdat(self.MESSAGE, 7).code, 250)
        arrival = box.wait(1)[0]
        self.assertEqual((arrival.data, arrival.verb), (self.MESSAGE, "BDAT"))

    def test_only_the_genuine_end_of_data_ends_it(self):
        box = self.open(sink.Sink())
        odd = b"a\n.\nb\r.\rc\r\n.\nd\n.\r\ne\r\n"
        with smtp.Client(box.port) as client:
            client.hello()
            client.envelope("a@example.org", ["b@example.net"])
            client.command("DATA")
            client.send(odd + b".\r\n")
            self.assertEqual(client.reply().code, 250)
        self.assertEqual(box.wait(1)[0].wire, odd)

    def test_lmtp_answers_for_each_recipient(self):
        box = self.open(sink.Sink(lmtp=True))
        with smtp.Client(box.port) as client:
            self.assertEqual(client.command("EHLO me").code, 500)
            self.assertEqual(client.command("LHLO me").code, 250)
            client.envelope("a@example.org", ["b@example.net", "c@example.net"])
            self.assertEqual([client.data(b"x\r\n").code, client.reply().code], [250, 250])

    def test_starttls(self):
        box = self.open(sink.Sink(tls=certificates.server_context("sink.example")))
        with smtp.Client(box.port) as client:
            self.assertIn("STARTTLS", client.hello())
            client.starttls(certificates.client_context(), "sink.example")
            self.assertNotIn("STARTTLS", client.hello())
            client.envelope("a@example.org", ["b@example.net"])
            self.assertEqual(client.data(b"x\r\n").code, 250)
        self.assertEqual(box.wait(1)[0].protocol, "ESMTPS")

    def test_a_lost_reply_stores_the_message(self):
        box = self.open(sink.Sink(script=lambda stage, *_: sink.Act.LOSE if stage == "dot" else None))
        with smtp.Client(box.port) as client:
            client.hello()
            client.envelope("a@example.org", ["b@example.net"])
            self.assertRaises(smtp.Closed, client.data, b"x\r\n")
        self.assertFalse(box.wait(1)[0].acknowledged)

    def test_troubles_come_in_every_kind(self):
        script = sink.Troubles(random.Random(1), share=1.0, stall_s=0, refuse=True)
        box = self.open(sink.Sink(script=script))
        codes = set()
        for number in range(400):
            try:
                codes.add(smtp.send(box.port, base.numbered(number)).code)
            except (OSError, smtp.Closed, AssertionError):
                codes.add(0)
        self.assertTrue({0, 250, 421, 451, 554} <= codes, codes)
        kinds = {kind for _, kind in script.given}
        self.assertTrue({"stall", "reset", "close", "store", "421", "451", "554"} <= kinds, kinds)


class Exchange(base.Case):
    MESSAGE = (
        b"From: a@example.org\r\nX-MS-Exchange-Organization-SCL: -1\r\n continued\r\nSubject: x\r\n\r\n"
        b"X-MS-Exchange-Organization-SCL: body\r\n"
    )

    def setUp(self):
        self.box = self.open(exchange.Exchange(tarpit_s=0))

    def test_offers_what_nobody_should_use(self):
        with smtp.Client(self.box.port) as client:
            self.assertTrue({"X-ANONYMOUSTLS", "X-EXPS", "BINARYMIME", "XRDST", "CHUNKING"} <= set(client.hello()))

    def test_takes_200_recipients_and_no_more(self):
        with smtp.Client(self.box.port) as client:
            client.hello()
            answers = client.envelope("a@example.org", ["r%d@example.net" % n for n in range(201)])
            self.assertEqual(
                ({a.code for a in answers[:200]}, answers[200].code, answers[200].enhanced), ({250}, 452, "4.5.3")
            )

    def test_one_unknown_recipient_spoils_the_message(self):
        answer = smtp.send(self.box.port, self.MESSAGE, recipients=["b@example.net", "nobody@example.net"])
        self.assertEqual((answer.code, answer.enhanced, self.box.count), (550, "5.1.1", 0))

    def test_strips_organisation_headers(self):
        self.assertEqual(smtp.send(self.box.port, self.MESSAGE).code, 250)
        kept = self.box.wait(1)[0].kept
        self.assertEqual(kept, b"From: a@example.org\r\nSubject: x\r\n\r\nX-MS-Exchange-Organization-SCL: body\r\n")

    def test_counts_received_fields(self):
        for count, code in ((30, 250), (31, 554)):
            self.assertEqual(smtp.send(self.box.port, b"Received: x\r\n" * count + self.MESSAGE).code, code)

    def test_closes_at_the_fifth_error(self):
        with smtp.Client(self.box.port) as client:
            client.hello()
            self.assertEqual([client.command("X-NONSENSE").code for _ in range(5)], [500] * 5)
            self.assertEqual(client.reply().code, 421)
            self.assertRaises(smtp.Closed, client.reply)

    def test_refuses_the_21st_connection(self):
        clients = [smtp.Client(self.box.port) for _ in range(21)]
        self.assertEqual([c.greeting.code for c in clients], [220] * 20 + [421])
        for client in clients:
            client.close()

    def test_fails_to_make_it_redundant(self):
        self.box.redundancy_fails = 2
        codes = [smtp.send(self.box.port, self.MESSAGE).code for _ in range(3)]
        self.assertEqual(codes, [451, 451, 250])

    def test_ends_an_old_session(self):
        self.box.lifetime_s = 0
        with smtp.Client(self.box.port) as client:
            time.sleep(0.01)
            self.assertEqual(client.command("NOOP").code, 421)

    def test_tarpit(self):
        self.box.tarpit_s = 0.3
        with smtp.Client(self.box.port) as client:
            started = time.monotonic()
            client.command("X-NONSENSE")
            self.assertGreaterEqual(time.monotonic() - started, 0.3)

    def test_sends_bdat(self):
        box = self.open(sink.Sink())
        self.assertEqual(exchange.send(box.port, self.MESSAGE * 100, "a@example.org", ["b@example.net"]).code, 250)
        self.assertEqual((box.wait(1)[0].verb, box.arrivals[0].data), ("BDAT", self.MESSAGE * 100))


class Comparing(base.Case):
    SENT = b"From: a\r\n\r\nbody\r\n"

    def test_trace_on_top_is_fine(self):
        found = compare.above(b"Received: by x\r\n\twith y\r\nX-Hangu-Id: 7\r\n" + self.SENT, self.SENT)
        self.assertEqual([name for name, _ in found], [b"received", b"x-hangu-id"])

    def test_anything_else_is_not(self):
        for name, arrived in (
            ("another field on top", b"X-Other: y\r\n" + self.SENT),
            ("text on top", b"hello\r\n" + self.SENT),
            ("a byte changed", b"Received: x\r\n" + self.SENT.replace(b"body", b"bodY")),
            ("a byte more", b"Received: x\r\n" + self.SENT + b"\r\n"),
            ("a byte less", b"Received: x\r\n" + self.SENT[:-1]),
            ("line ends changed", self.SENT.replace(b"\r\n", b"\n")),
            ("a trace field without its end", b"Received: x\n" + self.SENT),
        ):
            with self.subTest(name):
                self.assertRaises(AssertionError, compare.above, arrived, self.SENT)

    def test_firewall(self):
        message = (
            b"x-hangu-class: clean\r\nFrom: a\r\nX-MS-Exchange-Organization-SCL: -1\r\n more\r\n"
            b"Authentication-Results: gateway.example;\r\n spf=pass\r\n"
            b"Authentication-Results: other.example; spf=pass\r\n\r\nX-Hangu-Class: clean\r\n"
        )
        self.assertEqual(
            compare.behind_firewall(message),
            b"From: a\r\nAuthentication-Results: other.example; spf=pass\r\n\r\nX-Hangu-Class: clean\r\n",
        )


class NameServer(base.Case):
    def ask(self, zones, name, kind):
        server = names.Names(zones).start()
        self.addCleanup(server.stop)
        question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + names._name(name) + bytes([0, kind, 0, 1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(question, (server.host, server.port))
            answer = sock.recv(512)
        self.assertEqual((answer[:2], answer[12 : len(question)]), (question[:2], question[12:]))
        return answer[3] & 15, answer[7], answer[len(question) :]

    def test_what_is_not_in_the_table_does_not_exist(self):
        self.assertEqual(self.ask({}, "example.org", 15), (names.NXDOMAIN, 0, b""))

    def test_records(self):
        zones = {"example.net": {"MX": [(10, "mx.example.net")], "A": ["127.0.0.9"]}, "broken.example": names.Fail}
        code, count, records = self.ask(zones, "example.net", 15)
        self.assertEqual((code, count), (0, 1))
        self.assertTrue(records.endswith(b"\0\x0a\x02mx\x07example\x03net\0"))
        self.assertEqual(self.ask(zones, "EXAMPLE.net", 1)[2][-4:], bytes([127, 0, 0, 9]))
        self.assertEqual(self.ask(zones, "example.net", 28), (0, 0, b""))
        self.assertEqual(self.ask(zones, "broken.example", 1)[0], names.SERVFAIL)


class BenchMessages(base.Case):
    def test_the_same_bytes_on_every_machine(self):
        digests = {name: hashlib.sha256(messages.make(name)).hexdigest()[:16] for name in messages.SIZES}
        self.assertEqual(digests, {"4k": "e12e719767c04c88", "64k": "947b060dbf17d082", "1m": "d85598549579993a"})


@base.needs_root
class Peers(base.Case):
    """Each real relay hands real mail on unchanged, so that what differs behind the gateway is the gateway's doing."""

    def through(self, kind, changed_share=0.0, **options):
        box = self.open(
            sink.Sink(tls=certificates.server_context("sink.example") if options.get("client_tls") else None)
        )
        peer = self.peer(kind, next_port=box.port, **options)
        items = list(enumerate(m for m in list(corpus.real(2)) if m.lawful and len(m.data) < 200000))
        replies = base.send_all(self, peer.port, items)
        accepted = [i for i, r in replies.items() if r.code == 250]
        box.wait(len(accepted), 60)
        found = base.by_recipient(box.arrivals)
        changed = {i: base.same_below_trace(found[i][0].data, items[i][1].data) for i in accepted}
        changed = {items[i][1].name: why for i, why in changed.items() if why}
        self.say("%s: %d sent, %d accepted, %d changed" % (kind.__name__, len(items), len(accepted), len(changed)))
        self.assertGreater(len(accepted), len(items) * 0.9)
        self.assertLessEqual(len(changed), len(items) * changed_share, changed)
        return box

    def test_postfix(self):
        self.through(peers.Postfix)

    def test_postfix_with_tls(self):
        box = self.through(peers.Postfix, client_tls="encrypt")
        self.assertEqual({a.protocol for a in box.arrivals}, {"ESMTPS"})

    def test_exim(self):
        box = self.through(peers.Exim)
        self.assertEqual({a.verb for a in box.arrivals}, {"BDAT"})

    def test_opensmtpd(self):
        self.through(peers.OpenSmtpd, changed_share=0.35)  # it adds Message-ID, and takes Bcc away

    def test_dovecot(self):
        store = self.peer(peers.Dovecot)
        message = base.numbered(1)
        with smtp.Client(store.port) as client:
            client.command("LHLO me.example")
            client.envelope("a@example.org", ["b@example.net"])
            self.assertEqual(client.data(message).code, 250)
        compare.above(store.stored("b@example.net")[0], message)

    def test_swaks(self):
        box = self.open(sink.Sink())
        status, text = peers.swaks(box.port, base.numbered(1) + b".dot\r\n%FROM_ADDRESS% \\n\r\n")
        self.assertEqual(status, 0, text)
        self.assertEqual(box.wait(1)[0].data, base.numbered(1) + b".dot\r\n%FROM_ADDRESS% \\n\r\n")

    def test_smtp_source(self):
        box = self.open(sink.Sink())
        status, _, text = peers.smtp_source(box.port, 5, 50)
        self.assertEqual((status, text), (0, ""))
        box.wait(50)
