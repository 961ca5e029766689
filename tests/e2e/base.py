"""What end-to-end tests share."""
import os
import re
import struct
import unittest

from harness import compare, gateway, places, smtp

ROOT = os.geteuid() == 0


def needs_gateway(thing):
    return unittest.skipUnless(gateway.built(), "this build has no hangud")(thing)


def needs_root(thing):
    return unittest.skipUnless(ROOT, "only root can start peers aside")(thing)


def limit(seconds):
    """How long one test may take before the runner ends it (120 s without this)."""

    def mark(function):
        function.limit_s = seconds
        return function

    return mark


def soak(function):
    """A long run: only with `run.py --soak` (make soak)."""
    function.soak = True
    return function


class Case(unittest.TestCase):
    """A test case whose helpers skip instead of failing where the machine lacks a peer or the corpora."""

    maxDiff = 20000

    def peer(self, kind, **options):
        """A started peer that ends with the test."""
        made = kind(**options).start()
        self.addCleanup(made.__exit__)
        return made

    def gateway(self, **options):
        made = gateway.Gateway(**options)
        self.addCleanup(made.__exit__)
        return made.start()

    def open(self, sink):
        sink.listen()
        self.addCleanup(self._close_sink, sink)
        return sink

    def _close_sink(self, sink):
        sink.close()
        self.assertEqual(sink.trouble, [], "the sink itself stumbled")

    def say(self, text):
        """A line for people, printed behind the test's name."""
        print("  # " + text, flush=True)


class ShiftedClock(Case):
    """A gateway whose wall clock the test sets, by seconds from the real one; time that passes is what it is."""

    def shifted(self, **options):
        """A gateway, not started yet."""
        library = places.program("tests/e2e/clock_shift.so")
        if library is None:
            raise places.Unavailable("this build has no clock_shift.so")
        gate = gateway.Gateway(**options)
        self.addCleanup(gate.__exit__)
        self.shift = gate.folder / "shift"
        # A sanitizer does not mind that this library stands before its own.
        sanitizer = (os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0").lstrip(":")
        gate.env = dict(os.environ, LD_PRELOAD=str(library), HANGU_CLOCK_SHIFT=str(self.shift), ASAN_OPTIONS=sanitizer)
        self.set_clock(0)
        return gate

    def set_clock(self, seconds):
        if self.shift.exists():
            with open(self.shift, "r+b") as file:  # in place: it is mapped
                file.write(struct.pack("=q", seconds))
        else:
            self.shift.write_bytes(struct.pack("=q", seconds))
            self.shift.chmod(0o644)


def numbered(number, size=0):
    """A small message that carries `number` in a field of its own and in its body."""
    body = b"This is message %d.\r\n" % number
    if size:
        body += (b"The quick brown fox jumps over the lazy dog, once more and again.\r\n" * (size // 66 + 1))[
            : max(0, size - 300)
        ]
        body = body[: body.rfind(b"\r\n") + 2]
    return (
        b"From: Sender <sender@example.org>\r\nTo: rcpt@example.net\r\nSubject: message %d\r\n"
        b"Date: Tue, 14 Oct 2025 10:20:28 +0800\r\n"
        b"Message-ID: <%d.number@example.org>\r\nX-Test-Number: %d\r\n\r\n" % (number, number, number)
    ) + body


def send_all(case, port, items, sender="sender@example.org", parameters=True):
    """Send messages over as few sessions as the server allows; item i goes to m<i>@example.net. Returns {i: reply}."""
    replies, client = {}, None
    for index, message in items:
        if client is None:
            client = smtp.Client(port, timeout_s=60)
            offers = client.hello()
        extra = " BODY=8BITMIME" if parameters and message.eightbit and "8BITMIME" in offers else ""
        try:
            answer = client.command("MAIL FROM:<%s>%s" % (sender, extra))
            if answer.code == 250:
                answer = client.command("RCPT TO:<m%d@example.net>" % index)
            if answer.code == 250:
                answer = client.data(message.data)
            replies[index] = answer
            if answer.code == 421:
                raise smtp.Closed
            if answer.code != 250:
                client.command("RSET")
        except (smtp.Closed, OSError):
            replies.setdefault(index, smtp.Reply(b"421 closed\r\n"))
            client.close()
            client = None
    if client:
        client.quit()
    return replies


def by_recipient(arrivals):
    """{i: [arrival]} of messages sent with send_all."""
    found = {}
    for arrival in arrivals:
        for recipient in arrival.recipients:
            match = re.match(r"m(\d+)@", recipient)
            if match:
                found.setdefault(int(match.group(1)), []).append(arrival)
    return found


def same_below_trace(arrived, sent):
    """None when `sent` arrived unchanged below trace fields, else what differs."""
    try:
        compare.above(arrived, sent)
        return None
    except AssertionError as why:
        return str(why)


def received(message, number=0):
    """A Received field of a message, from the top."""
    return [whole for name, whole in compare.fields(message)[0] if name == b"received"][number]
