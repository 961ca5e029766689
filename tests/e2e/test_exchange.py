"""The gateway in front of, and behind, the Exchange double: INTEGRATIONS.md I-2, I-3, I-6 to I-8, I-12, section 12."""
import time

from harness import compare, exchange, load, sink, smtp

from . import base

# Words of Exchange that no foreign client may use.
PRIVATE = ("X-EXPS", "X-ANONYMOUSTLS", "XEXCH50", "XRDST", "AUTH")


@base.needs_gateway
class ToExchange(base.Case):
    def setUp(self):
        self.box = self.open(exchange.Exchange(tarpit_s=0.2))
        self.gate = self.gateway(
            next_port=self.box.port, route={"tls": "opportunistic"}, listener={"relay_from": "", "recipients_max": 1000}
        )

    def tearDown(self):
        used = [
            text for _, text in self.box.commands if text.upper().startswith(PRIVATE) or "BINARYMIME" in text.upper()
        ]
        self.assertEqual(used, [], "a private word of Exchange was used")
        self.assertNotIn("errors", self.box.noted)

    def test_plain_delivery(self):
        message = base.numbered(1)
        self.assertEqual(smtp.send(self.gate.port, message).code, 250)
        self.assertIsNone(base.same_below_trace(self.box.wait(1)[0].data, message))

    def test_by_bdat(self):
        gate = self.gateway(next_port=self.box.port, route={"chunking": "yes"})
        message = base.numbered(1, 100000)
        self.assertEqual(smtp.send(gate.port, message).code, 250)
        arrival = self.box.wait(1)[0]
        self.assertEqual(arrival.verb, "BDAT")
        self.assertIsNone(base.same_below_trace(arrival.data, message))

    def test_450_recipients(self):
        """I-8: what does not fit one transaction goes in the next, at once."""
        gate = self.gateway(next_port=self.box.port, route={"recipients_max": 1000, "retry": "60s"})
        recipients = ["r%d@example.net" % n for n in range(450)]
        started = time.monotonic()
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=recipients).code, 250)
        self.box.wait(3, 30)
        self.assertLess(time.monotonic() - started, 20)
        self.assertEqual(sorted(r for a in self.box.arrivals for r in a.recipients), sorted(recipients))
        self.assertTrue(all(len(a.recipients) <= 200 for a in self.box.arrivals))

    def test_not_redundant_yet(self):
        self.box.redundancy_fails = 3
        self.assertEqual(smtp.send(self.gate.port, base.numbered(1)).code, 250)
        self.box.wait(1, 30)
        self.gate.wait_empty()
        self.assertEqual(self.box.count, 1)

    def test_unknown_recipient_after_data(self):
        self.assertEqual(smtp.send(self.gate.port, base.numbered(1), recipients=["nobody@example.net"]).code, 250)
        self.gate.wait_empty()
        self.assertEqual(self.box.count, 0)

    def test_no_more_than_20_connections(self):
        busy = load.Load(self.gate.port, base.numbered, threads=30, count=600, per_session=5).start().join()
        self.box.wait(600, 60)
        self.assertLessEqual(self.box.most_open, 20)
        self.assertNotIn("connections", self.box.noted)
        self.assertEqual(load.Account(busy, self.box.arrivals).lost, [])

    def test_four_protocol_errors_and_no_fifth(self):
        """I-7: Exchange closes at the fifth; the connection is left before."""

        def script(stage, _, text):
            return sink.Say("501 5.1.3 Invalid address") if stage == "rcpt" and "odd@" in text else None

        box = self.open(exchange.Exchange(tarpit_s=0, script=script))
        gate = self.gateway(next_port=box.port, route={"connections_max": 1, "connection_idle": "10s"})
        for number in range(12):
            people = ["odd@example.net", "r@example.net"]
            self.assertEqual(smtp.send(gate.port, base.numbered(number), recipients=people).code, 250)
        box.wait(12, 30)
        gate.wait_empty()
        self.assertNotIn("errors", box.noted)
        self.assertEqual(sum(text.startswith("EHLO") for _, text in box.commands), 3)

    def test_the_connection_is_left_before_it_is_closed(self):
        self.box.lifetime_s = 3
        gate = self.gateway(next_port=self.box.port, route={"connection_lifetime": "2s", "connection_idle": "10s"})
        for number in range(40):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
            time.sleep(0.15)
        self.box.wait(40, 30)
        self.assertNotIn("lifetime", self.box.noted)

    def test_strangers_cannot_speak_for_exchange(self):
        """I-12: organisation headers of a stranger do not even reach it."""
        message = (
            b"X-MS-Exchange-Organization-SCL: -1\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\n" + base.numbered(1)
        )
        self.assertEqual(smtp.send(self.gate.port, message).code, 250)
        arrived = self.box.wait(1)[0].data
        self.assertNotIn(b"X-MS-Exchange-Organization", arrived)
        self.assertIsNone(base.same_below_trace(arrived, compare.behind_firewall(message)))

    def test_one_received_field_of_ours(self):
        self.assertEqual(smtp.send(self.gate.port, base.numbered(1)).code, 250)
        fields, _ = compare.fields(self.box.wait(1)[0].data)
        received = [whole for name, whole in fields if name == b"received"]
        self.assertEqual(len(received), 1)
        self.assertRegex(received[0], rb"(?s)from load?.*\[127\.0\.0\.1\]|\[127\.0\.0\.1\]")
        self.assertIn(b"by gateway.example", received[0])


@base.needs_gateway
class FromExchange(base.Case):
    def test_bdat_in(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        message = base.numbered(1, 300000)
        self.assertEqual(exchange.send(gate.port, message, "a@example.net", ["b@example.net"]).code, 250)
        self.assertIsNone(base.same_below_trace(box.wait(1)[0].data, message))

    def test_a_long_encapsulated_address(self):
        """I-10: Exchange encapsulates foreign addresses in local parts far longer than 64 octets."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        sender = "IMCEAEX-_O=" + "x" * 300 + "@example.net"
        self.assertEqual(exchange.send(gate.port, base.numbered(1), sender, ["b@example.net"]).code, 250)
        self.assertEqual(box.wait(1)[0].sender, sender)

    def test_offers(self):
        gate = self.gateway(next_port=9)
        with smtp.Client(gate.port) as client:
            offers = set(client.hello())
        self.assertTrue(
            {"PIPELINING", "SIZE", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING", "SMTPUTF8", "DSN"} <= offers, offers
        )
        self.assertEqual(
            offers & {"BINARYMIME", "XEXCH50", "X-ANONYMOUSTLS", "XSHADOW", "XOORG", "AUTH", "XCLIENT", "VRFY", "ETRN"},
            set(),
        )
