"""What a scan leads to: dispositions, and the words that travel with the message. Scans that fail: test_scan_failures."""
import re

from harness import process, sink, smtp

from . import base

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def attached(name):
    """A message with an attachment of that name, written as raw UTF-8 the way bad senders do."""
    return (
        base.numbered(1).partition(b"\r\n\r\n")[0]
        + b'\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        + b'--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="'
        + name.encode()
        + b'"\r\n\r\nx\r\n--b--\r\n'
    )


def field(message, name):
    """The value of the first field of that name, or None."""
    found = re.search(rb"(?mi)^" + name.encode() + rb":[ \t]*(.*?)\r\n(?![ \t])", message.partition(b"\r\n\r\n")[0] + b"\r\n")
    return found.group(1).decode() if found else None


@base.needs_gateway
class Dispositions(base.Case):
    def test_the_table(self):
        """What comes from strangers: refused with a reason, held and named, or delivered with its class."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener={"relay_from": ""})
        rows = (
            ("an ordinary message", base.numbered(1), "delivered", "clean"),
            ("EICAR", base.numbered(1) + EICAR + b"\r\n", "held", "content.eicar"),
            ("EICAR behind base64", self.encoded(), "held", "content.eicar"),
            ("GTUBE", base.numbered(1) + GTUBE + b"\r\n", "refused", "5.7.1"),
            ("a program", attached("setup.exe"), "held", "name.executable"),
            ("a program behind a document", attached("invoice.pdf.scr"), "held", "name."),
            ("a name that reads backwards", attached("invoice\u202efdp.exe"), "held", "name."),
            ("two authors", b"From: other@example.com\r\n" + base.numbered(1), "held", "header.from_duplicate"),
            ("a document", attached("invoice.pdf"), "delivered", "clean"),
            ("no MIME boundary", self.no_boundary(), "delivered", "policy"),
        )
        for name, message, outcome, word in rows:
            with self.subTest(name):
                before, held = box.count, gate.held()
                answer = smtp.send(gate.port, message)
                if outcome == "refused":
                    self.assertEqual((answer.code // 100, answer.enhanced), (5, word))
                    continue
                self.assertEqual(answer.code, 250, answer)
                if outcome == "held":
                    process.wait_for(lambda: gate.held() == held + 1, 10, "one more held message")
                    self.assertIn(word, gate.command("queue", "list", "--quarantined", check=True).stdout)
                    self.assertEqual(box.count, before)
                else:
                    arrived = box.wait(before + 1)[before].data
                    self.assertEqual(field(arrived, "X-Hangu-Class"), word)
                    self.assertIsNone(base.same_below_trace(arrived, message))

    @staticmethod
    def encoded():
        import base64

        return (
            base.numbered(1).partition(b"\r\n\r\n")[0]
            + b"\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(EICAR).replace(b"\n", b"\r\n")
        )

    @staticmethod
    def no_boundary():
        return (
            base.numbered(1).partition(b"\r\n\r\n")[0]
            + b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"
        )

    def test_recipients_of_one_message_differ(self):
        """I-26, I-29: the postmaster gets what others do not, and then nobody is refused; alone, the others are."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener={"relay_from": ""})
        message = base.numbered(1) + GTUBE + b"\r\n"
        answer = smtp.send(gate.port, message, recipients=["rcpt@example.net", "postmaster@example.net"])
        self.assertEqual(answer.code, 250)
        self.assertEqual(box.wait(1)[0].recipients, ["postmaster@example.net"])
        process.wait_for(lambda: gate.held() == 1, 10, "the other recipient's copy in quarantine")
        self.assertEqual(smtp.send(gate.port, message).code // 100, 5)
        malware = base.numbered(2) + EICAR + b"\r\n"
        self.assertEqual(smtp.send(gate.port, malware, recipients=["postmaster@example.net"]).code, 250)
        process.wait_for(lambda: gate.held() == 2, 10, "malware for the postmaster in quarantine")
        self.assertEqual(box.count, 1)

    def test_exchange_fields_of_our_own_systems_stay(self):
        """I-12: what our own mail systems say among themselves is passed through; what claims to be ours never is."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        front = b"X-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-SCL: -1\r\n"
        forged = b"X-Hangu-Class: clean\r\nAuthentication-Results: gateway.example; dmarc=pass\r\n"
        message = front + base.numbered(1)
        self.assertEqual(smtp.send(gate.port, message, recipients=["rcpt@example.net"]).code, 250)
        self.assertIsNone(base.same_below_trace(box.wait(1)[0].data, message))
        self.assertEqual(smtp.send(gate.port, forged + message, recipients=["rcpt@example.net"]).code, 250)
        self.assertIsNone(base.same_below_trace(box.wait(2)[1].data, message))
        self.assertEqual(smtp.send(gate.port, message, recipients=["x@elsewhere.example"]).code, 250)
        self.assertNotIn(b"X-MS-Exchange-Organization", box.wait(3)[2].data)

    def test_fields_that_a_route_asks_for(self):
        """I-15, I-16: X-Spam-* and the SCL, for the route that wants them and for no other."""
        plain, spam, exchange = (self.open(sink.Sink()) for _ in range(3))

        def route(name, box, **keys):
            return dict({"domains": name, "hosts": "127.0.0.1:%d" % box.port, "tls": "none"}, **keys)

        gate = self.gateway(
            next_port=plain.port,
            domains=("example.net", "spam.example", "exchange.example"),
            listener={"relay_from": ""},
            sections={
                "route spam": route("spam.example", spam, spam_headers="yes"),
                "route exchange": route("exchange.example", exchange, scl="yes", spam_headers="yes", chunking="yes"),
                "policy": {"on_executable": "tag"},
            },
        )
        for message, flag, status, level, scl in (
            (base.numbered(1), "NO", "No, score=0.0 required=5.0", "", "1"),
            (attached("setup.exe"), "YES", "Yes, score=8.0 required=5.0", "********", "9"),
        ):
            with self.subTest(flag):
                theirs = b"X-Spam-Flag: NO\r\nX-Spam-Status: No, score=-99.0\r\n tests=none\r\nx-spam-Report: fine\r\n"
                before = spam.count
                first_one = plain.count
                everybody = ["a@example.net", "a@spam.example", "a@exchange.example"]
                self.assertEqual(smtp.send(gate.port, message, recipients=everybody).code, 250)
                first = plain.wait(first_one + 1)[first_one].data
                second, third = (box.wait(before + 1)[before].data for box in (spam, exchange))
                self.assertNotIn(b"X-Spam", first)
                for arrived in (second, third):
                    found = [field(arrived, "X-Spam-" + word) for word in ("Flag", "Status", "Level")]
                    self.assertEqual(found, [flag, status, level])
                self.assertIsNone(field(second, "X-MS-Exchange-Organization-SCL"))
                self.assertEqual(field(third, "X-MS-Exchange-Organization-SCL"), scl)
                for arrived in (first, second, third):
                    self.assertTrue(arrived.endswith(message), "below that nothing has changed")
                # What others say is cut where ours is written, for everybody who gets the message, and stays elsewhere.
                self.assertEqual(smtp.send(gate.port, theirs + message, recipients=everybody).code, 250)
                for box, at in ((plain, first_one + 1), (spam, before + 1), (exchange, before + 1)):
                    arrived = box.wait(at + 1)[at].data
                    self.assertTrue(arrived.endswith(b"\r\n" + message))
                    self.assertNotIn(b"score=-99", arrived)
                    self.assertNotIn(b"x-spam-Report", arrived)
                self.assertEqual(smtp.send(gate.port, theirs + message, recipients=["a@example.net"]).code, 250)
                self.assertTrue(plain.wait(first_one + 3)[first_one + 2].data.endswith(theirs + message))
