"""Ten thousand messages through a next hop that restarts, refuses, defers, resets, stalls and loses its last reply:
none lost, and no copy too many but where RFC 5321 section 4.5.3.2 leaves no choice.
"""
import random
import threading
import time

from harness import load, places, process, sink, smtp

from . import base

MANY = 10000


@base.needs_gateway
class NextHop(base.Case):
    @base.limit(600)
    def test_ten_thousand_messages(self):
        source = random.Random(20)
        script = sink.Troubles(source, share=0.12, stall_s=0.3)
        box = self.open(sink.Sink(script=script))
        gate = self.gateway(
            next_port=box.port,
            route={"retry": "1s, 1s, 2s", "probe": "1s", "timeout_command": "20s", "timeout_end": "20s"},
        )
        over = threading.Event()
        restarts = [0]

        def restart():
            while not over.wait(source.uniform(1.5, 4)):
                box.close(reset=source.random() < 0.5)
                restarts[0] += 1
                over.wait(source.uniform(0.1, 1.0))
                box.listen()

        trouble = threading.Thread(target=restart)
        trouble.start()
        try:
            sender = load.Load(gate.port, base.numbered, threads=8, count=MANY, per_session=100).start().join()
        finally:
            over.set()
            trouble.join()
        process.wait_for(
            lambda: gate.queued() == 0,
            240,
            lambda: "the queue to empty (%d left, %d arrived)" % (gate.queued(), box.count),
            0.5,
        )
        account = load.Account(sender, box.arrivals)
        self.say(
            "%s; %d restarts, troubles %s"
            % (account.text, restarts[0], {"%s %s" % k: v for k, v in sorted(script.given.items())})
        )
        self.assertEqual((account.lost, account.unexcused, sender.unknown), ([], {}, set()))
        self.assertEqual(len(sender.acknowledged), MANY)

    def test_a_refused_message_is_given_up_at_once(self):
        box = self.open(sink.Sink(script=lambda stage, *_: sink.Say("550 5.7.1 never") if stage == "dot" else None))
        gate = self.gateway(next_port=box.port)
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        process.wait_for(lambda: gate.metric('hangu_deliveries_total{result="failed"}') == 1, 20, "one failed delivery")
        gate.wait_empty()
        self.assertEqual(box.count, 0)

    def test_a_stranger_gets_no_bounce(self):
        """I-27: a sender that nobody has confirmed is not told, or we would send backscatter."""
        box = self.open(
            sink.Sink(
                script=lambda stage, session, argument: sink.Say("550 5.1.1 no")
                if stage == "rcpt" and "nobody" in argument
                else None
            )
        )
        gate = self.gateway(next_port=box.port, listener={"relay_from": ""})
        self.assertEqual(smtp.send(gate.port, base.numbered(1), recipients=["nobody@example.net"]).code, 250)
        gate.wait_empty()
        time.sleep(1)
        self.assertEqual(box.count, 0)

    def test_own_people_get_a_bounce(self):
        box = self.open(
            sink.Sink(
                script=lambda stage, session, argument: sink.Say("550 5.1.1 no")
                if stage == "rcpt" and "nobody" in argument
                else None
            )
        )
        gate = self.gateway(next_port=box.port, sections={"organisation": {"networks": "127.0.0.0/8"}})
        self.assertEqual(
            smtp.send(gate.port, base.numbered(1), sender="sender@example.net", recipients=["nobody@example.org"]).code,
            250,
        )
        notice = box.wait(1)[0]
        self.assertEqual((notice.sender, notice.recipients), ("", ["sender@example.net"]))
        self.assertIn(b"multipart/report", notice.data)
        self.assertIn(b"5.1.1", notice.data)

    def test_a_deferred_message_waits_and_goes(self):
        answers = iter([sink.Say("451 4.3.0 later"), sink.Say("421 4.3.2 closing", end=True), None])
        box = self.open(sink.Sink(script=lambda stage, *_: next(answers, None) if stage == "mail" else None))
        gate = self.gateway(next_port=box.port)
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        box.wait(1, 30)
        gate.wait_empty()
        self.assertEqual(box.count, 1)

    def test_one_dead_destination_does_not_hold_up_another(self):
        alive = self.open(sink.Sink())
        dead = self.open(sink.Sink(script=lambda *_: sink.Stall(600)))
        gate = self.gateway(
            next_port=alive.port,
            sections={"route dead": {"domains": "dead.example", "hosts": "127.0.0.1:%d" % dead.port, "tls": "none"}},
        )
        for number in range(100):
            self.assertEqual(smtp.send(gate.port, base.numbered(number), recipients=["x@dead.example"]).code, 250)
        started = time.monotonic()
        for number in range(50):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        alive.wait(50, 20)
        self.assertLess(time.monotonic() - started, 15)

    def test_a_next_hop_that_is_back_is_noticed(self):
        """I-33: asked EHLO and QUIT while it is away; what was put off for an hour goes at once when it answers."""
        port = places.free_port()
        gate = self.gateway(next_port=port, route={"retry": "1h", "probe": "1s", "connection_idle": "1s"})
        for number in range(5):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        process.wait_for(lambda: gate.queue()["deferred"] == 5, 20, "all to be put off")
        box = self.open(sink.Sink(port=port))
        box.wait(5, 20)
        gate.wait_empty()
        gate.wait_log("delivery.destination_back")

    def test_asking_costs_no_message_an_attempt(self):
        """A next hop that greets with 421 for a while: only what was really tried is counted."""
        closed = [True]
        box = self.open(sink.Sink(script=lambda stage, *_: sink.Say("421 4.3.2 not now", end=True) if stage == "connect" and closed[0] else None))
        gate = self.gateway(next_port=box.port, route={"retry": "1h", "probe": "1s"})
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        process.wait_for(lambda: gate.log().count("delivery.destination_failed") >= 3, 20, "it to be asked again")
        self.assertIn("tried 1 times", gate.command("queue", "list", check=True).stdout)
        closed[0] = False
        box.wait(1, 20)

    def test_fail_over_within_one_attempt(self):
        second = self.open(sink.Sink())
        gate = self.gateway(
            route={
                "domains": "*",
                "tls": "none",
                "hosts": "127.0.0.1:9 priority=10, 127.0.0.1:%d priority=20" % second.port,
            }
        )
        started = time.monotonic()
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        second.wait(1, 20)
        self.assertLess(time.monotonic() - started, 5, "the next host was tried at once")

    def test_through_mode_relays_the_answer(self):
        box = self.open(
            sink.Sink(
                script=lambda stage, session, a: sink.Say("552 5.2.2 mailbox full")
                if stage == "dot" and "full@example.net" in a.recipients
                else None
            )
        )
        gate = self.gateway(next_port=box.port, route={"mode": "through"})
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        self.assertEqual(box.count, 1, "delivered before the 250")
        answer = smtp.send(gate.port, base.numbered(2), recipients=["full@example.net"])
        self.assertEqual((answer.code, answer.enhanced), (552, "5.2.2"))
        gate.wait_empty()

    def test_through_mode_says_what_the_next_hop_means(self):
        """I-25: which refusals go on as they are; and I-24: what is not refused for good is ours, 250, and tried again."""
        says = {}

        def script(stage, _, argument):
            whom = argument if stage == "rcpt" else argument.recipients[0] if stage == "dot" else ""
            at, words = says.get(whom.partition("@")[0], (None, None))
            return sink.Say(words) if at == stage else None

        box = self.open(sink.Sink(script=script))
        gate = self.gateway(next_port=box.port, route={"mode": "through", "retry": "60s"})
        rows = (
            ("rcpt", "550 5.1.1 nobody here", 550, "5.1.1", "nobody here"),
            ("rcpt", "550 nobody here", 550, "5.0.0", "rejected by next hop: nobody here"),
            ("dot", "552 5.3.4 too large", 552, "5.3.4", "too large"),
            ("dot", "552 5.2.2 full", 552, "5.2.2", "full"),
            ("dot", "554 5.7.9 bad words", 554, "5.7.1", "rejected by next hop: bad words"),
            ("dot", "554 5.6.0 broken", 554, "5.6.0", "rejected by next hop: broken"),
            ("rcpt", "450 4.2.1 busy", 250, "2.0.0", "Ok: kept as"),
            ("rcpt", "452 4.3.1 no room", 250, "2.0.0", "Ok: kept as"),
            ("dot", "451 4.7.1 later", 250, "2.0.0", "Ok: kept as"),
            ("dot", "421 4.3.2 closing", 250, "2.0.0", "Ok: kept as"),
        )
        for number, (stage, words, code, status, text) in enumerate(rows):
            with self.subTest(words):
                says["r%d" % number] = (stage, words)
                waiting = gate.queued()
                answer = smtp.send(gate.port, base.numbered(number), recipients=["r%d@example.net" % number])
                self.assertEqual((answer.code, answer.enhanced), (code, status))
                self.assertIn(text, answer.text)
                self.assertEqual(gate.queued(), waiting + (code == 250))
        self.assertEqual(box.count, 0)
