"""Real mail through the gateway: in from several senders, out to several mail systems, compared byte for byte below
the trace fields.

What a message is turned into by a peer itself is known by sending it to that peer without the gateway; only
differences to that count.
"""
import re

from harness import compare, corpus, gateway, peers, sink, smtp

from . import base

# The corpora hold a little of everything; the MIME suites hold what parsers trip over.
REAL_EACH = 12
SIZE_MAX = 2000000


def everything(case):
    found = list(corpus.real(REAL_EACH)) + list(corpus.mime())
    return list(enumerate(m for m in found if len(m.data) <= SIZE_MAX))


# What OpenSMTPD makes up for a message that lacks it, anew each time.
MADE_UP = re.compile(rb"(?m)^(?:Message-ID: <[0-9a-f]{16}@opensmtpd\.example>|Date: [^\r\n]* \+0000 \(UTC\))\r\n")


# Stands for the gateway's trace where a relay gets a message without the gateway: some look at what comes first.
TRACE = b"Received: from stand-in.example by gateway.example; Tue, 14 Oct 2025 10:20:28 +0000\r\n"


def differs(with_us, without_us, fields=1):
    """None when a relay's product is the same with and without the gateway in the way; else what differs.

    On top of `without_us` stand `fields` of trace: the relay's own carries a time and an id. Exim ends some
    messages without CRLF when it sends by BDAT; such a one has got it, where we sent it on by DATA.
    """
    own = sum(len(field) for _, field in compare.fields(without_us)[0][:fields])
    expected = MADE_UP.sub(b"", compare.behind_firewall(without_us[own:]))
    arrived = MADE_UP.sub(b"", with_us)
    if arrived.endswith(b"\r\n") and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    return None if arrived.endswith(expected) else compare.difference(arrived[-len(expected) :], expected)


def without_empty_line(message):
    """The message without the first of its empty lines."""
    return message.replace(b"\r\n\r\n", b"\r\n", 1)


@base.needs_gateway
class IntoHangu(base.Case):
    """In by every kind of sender; out to a sink that keeps every byte."""

    def setUp(self):
        self.box = self.open(sink.Sink())
        self.gate = self.gateway(next_port=self.box.port, sections=gateway.DELIVER_ALL)

    def arrived(self, count, timeout_s=60):
        self.box.wait(count, timeout_s)
        return base.by_recipient(self.box.arrivals)

    def compare(self, items, accepted, found):
        """Every accepted message came exactly once and unchanged."""
        changed, twice = {}, []
        for index in accepted:
            message = items[index][1]
            here = found.get(index, [])
            if len(here) != 1:
                twice.append((message.name, len(here)))
                continue
            why = base.same_below_trace(here[0].data, compare.behind_firewall(message.data))
            if why:
                changed[message.name] = why
        self.assertEqual(twice, [], "not exactly once")
        self.assertEqual(changed, {})

    @base.limit(300)
    def test_data(self):
        items = everything(self)
        replies = base.send_all(self, self.gate.port, items)
        accepted = [i for i, r in replies.items() if r.code == 250]
        refused = {items[i][1].name: repr(r) for i, r in replies.items() if r.code != 250}
        # Bare CR and NUL are refused, and so may be headers beyond the limits; everything else must come through.
        unlawful = {m.name for _, m in items if not m.lawful}
        wrongly = {n: r for n, r in refused.items() if n not in unlawful and "552" not in r}
        self.say(
            "%d sent, %d accepted, %d refused of which %d hold a bare CR or a NUL"
            % (len(items), len(accepted), len(refused), len(unlawful))
        )
        self.assertEqual(wrongly, {})
        self.assertEqual([n for n in unlawful if n not in refused], [], "bare CR or NUL taken")
        self.compare(items, accepted, self.arrived(len(accepted), 120))

    @base.limit(300)
    def test_bdat(self):
        items = [(i, m) for i, m in everything(self) if m.lawful][::4]
        items = list(enumerate(m for _, m in items))
        accepted = []
        for index, message in items:
            with smtp.Client(self.gate.port) as client:
                client.hello()
                client.envelope("sender@example.org", ["m%d@example.net" % index], " BODY=8BITMIME")
                answer = client.bdat(
                    message.data, (1, 77, 4096, 1000000)[index % 4] if len(message.data) < 5000 else 50000
                )
                if answer.code == 250:
                    accepted.append(index)
                else:
                    self.assertIn(answer.code, (552, 554), "%s: %r" % (message.name, answer))
        self.assertGreater(len(accepted), len(items) * 0.9)
        self.compare(items, accepted, self.arrived(len(accepted), 120))

    def test_smtp_source(self):
        status, seconds, text = peers.smtp_source(self.gate.port, 20, 400, size=8000)
        self.assertEqual((status, text), (0, ""))
        self.box.wait(400)
        self.say("400 messages in %.2f s" % seconds)
        self.assertEqual(
            {len(compare.above(a.data, a.data[a.data.index(b"From: ") :])) > 0 for a in self.box.arrivals}, {True}
        )

    def test_swaks(self):
        message = base.numbered(7) + b".a dot\r\n\xe5\x87\xbd\xe8\xb0\xb7\r\n"
        status, text = peers.swaks(self.gate.port, message)
        self.assertEqual(status, 0, text)
        self.assertIsNone(base.same_below_trace(self.box.wait(1)[0].data, message))

    @base.needs_root
    @base.limit(300)
    def test_from_postfix(self):
        self.from_relay(peers.Postfix)

    @base.needs_root
    @base.limit(300)
    def test_from_exim_by_bdat(self):
        self.from_relay(peers.Exim)
        self.assertRegex(self.peer_log(), r"=> m\d+@example.net .* K ", "Exim marks a delivery by BDAT with K")

    @base.needs_root
    @base.limit(300)
    def test_from_opensmtpd(self):
        self.from_relay(peers.OpenSmtpd)

    def from_relay(self, kind):
        """A real relay takes the corpora and hands them to the gateway."""
        relay = self.peer(kind, next_port=self.gate.port)
        self.peer_log = relay.log
        items = list(enumerate(m for _, m in everything(self) if m.lawful))
        replies = base.send_all(self, relay.port, items)
        accepted = [i for i, r in replies.items() if r.code == 250]
        # What a relay does to a message shows when it hands it to a sink without the gateway between.
        straight = self.open(sink.Sink())
        second = self.peer(kind, next_port=straight.port)
        base.send_all(self, second.port, [items[i] for i in accepted])
        straight.wait(len(accepted), 120)
        reference = base.by_recipient(straight.arrivals)
        lawful = sum(corpus.Message("", there[0].data).lawful for there in reference.values())
        found = self.arrived(lawful, 120)
        changed, unlawful = {}, 0
        for index in accepted:
            message, here, there = items[index][1], found.get(index, []), reference[index]
            if not corpus.Message("", there[0].data).lawful:
                unlawful += 1  # Exim sends a bare LF by BDAT where a header ends without an empty line
                self.assertEqual(here, [])
                continue
            self.assertEqual(len(here), 1, message.name)
            why = differs(here[0].data, there[0].data)
            if why:
                changed[message.name] = why
        self.say(
            "%s: %d sent, %d accepted and compared, %d of them made unlawful by the relay and refused by us"
            % (kind.__name__, len(items), len(accepted), unlawful)
        )
        self.assertGreater(len(accepted), len(items) * 0.85)
        self.assertEqual(changed, {})


@base.needs_gateway
@base.needs_root
class OutOfHangu(base.Case):
    """Out to every real mail system. A relay hands on to a sink; Dovecot stores."""

    def through(self, kind, route=None, **options):
        box = self.open(sink.Sink())
        relay = self.peer(kind, next_port=box.port, **options)
        gate = self.gateway(next_port=relay.port, sections=gateway.DELIVER_ALL, route=route)
        items = list(enumerate(m for _, m in everything(self) if m.lawful))
        replies = base.send_all(self, gate.port, items)
        accepted = [i for i, r in replies.items() if r.code == 250]
        self.assertGreater(len(accepted), len(items) * 0.95)
        straight = self.open(sink.Sink())
        second = self.peer(kind, next_port=straight.port, **options)
        direct = base.send_all(
            self,
            second.port,
            [
                (i, corpus.Message(items[i][1].name, TRACE + compare.behind_firewall(items[i][1].data)))
                for i in accepted
            ],
        )
        taken = [i for i in accepted if direct[i].code == 250]
        straight.wait(len(taken), 120)
        box.wait(len(taken), 120)
        reference, found = base.by_recipient(straight.arrivals), base.by_recipient(box.arrivals)
        changed, own_doing, moved = {}, 0, 0
        for index in taken:
            message, here, there = items[index][1], found.get(index, []), reference[index][0]
            self.assertEqual(len(here), 1, "%s came %d times" % (message.name, len(here)))
            sent = compare.behind_firewall(message.data)
            if base.same_below_trace(here[0].data, sent) is None:
                continue
            # The peer changes this message by itself: what it makes of the body with and without the gateway must
            # agree.
            own_doing += 1
            why = differs(here[0].data, there.data, 2)
            if why and kind is peers.Exim and not compare.fields(sent)[1].startswith(b"\r\n"):
                # A header that no empty line ends gets one from Exim, in front of what is no field or behind it, depending
                # on the fields on top. Only there, and only that one.
                moved += 1
                why = differs(without_empty_line(here[0].data), without_empty_line(there.data), 2)
            if why:
                changed[message.name] = why
        self.say(
            "%s: %d accepted here, %d there, %d changed by the peer itself, %d of them with an empty line elsewhere"
            % (kind.__name__, len(accepted), len(taken), own_doing, moved)
        )
        self.assertEqual(changed, {})
        return box, relay, gate

    @base.limit(300)
    def test_postfix(self):
        box, _, _ = self.through(peers.Postfix)
        self.assertTrue(box.arrivals)

    @base.limit(300)
    def test_exim(self):
        self.through(peers.Exim)

    @base.limit(300)
    def test_exim_by_bdat(self):
        self.through(peers.Exim, route={"chunking": "yes"})

    @base.limit(300)
    def test_opensmtpd(self):
        self.through(peers.OpenSmtpd)

    @base.limit(300)
    def test_dovecot_by_lmtp(self):
        store = self.peer(peers.Dovecot)
        gate = self.gateway(next_port=store.port, sections=gateway.DELIVER_ALL, route={"protocol": "lmtp"})
        items = list(enumerate(m for _, m in everything(self) if m.lawful))
        replies = base.send_all(self, gate.port, items)
        accepted = [i for i, r in replies.items() if r.code == 250]
        gate.wait_empty(120)
        changed, missing = {}, []
        for index in accepted:
            message = items[index][1]
            stored = store.stored("m%d@example.net" % index)
            if len(stored) != 1:
                missing.append((message.name, len(stored)))
                continue
            why = base.same_below_trace(stored[0], compare.behind_firewall(message.data))
            if why:
                changed[message.name] = why
        self.say("%d accepted, %d stored" % (len(accepted), len(accepted) - len(missing)))
        self.assertEqual((missing, changed), ([], {}))

    def test_lmtp_answers_of_one_message_differ(self):
        """One recipient over quota, one unknown, one fine: each has its own outcome."""
        verdicts = {"full": "452 4.2.2 full", "gone": "550 5.1.1 no such user"}

        box = sink.Sink(lmtp=True)

        class Session(sink.Session):
            def whole(self, verb, wire, data):
                words = [verdicts.get(r.split("@")[0], "250 2.0.0 stored") for r in self.recipients]
                box._store(
                    sink.Arrival(
                        self.number,
                        self.peer,
                        self.protocol(),
                        self.greeted,
                        self.sender,
                        [],
                        list(self.recipients),
                        [],
                        verb,
                        wire,
                        data,
                    )
                )
                self.forget()
                self.say("\n".join(words))

        box.session_class = Session
        self.open(box)
        gate = self.gateway(next_port=box.port, route={"protocol": "lmtp", "retry": "1s"})
        answer = smtp.send(
            gate.port, base.numbered(1), recipients=["fine@example.net", "full@example.net", "gone@example.net"]
        )
        self.assertEqual(answer.code, 250)
        box.wait(2)  # the one over quota is tried again
        self.assertEqual(box.arrivals[1].recipients, ["full@example.net"])
