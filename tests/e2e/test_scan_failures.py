"""Scanners that die, overrun, or are not there: what becomes of the message that did it, and of everybody else's."""
import os
import pathlib
import pwd
import re
import resource
import select
import signal
import subprocess
import threading

from harness import compare, process, sink, smtp

from . import base



def slow():
    """Some MiB that are lawful and take a scanner some tenths of a second: each line may end each of thirty parts."""
    head = base.numbered(1).partition(b"\r\n\r\n")[0] + b"\r\nMIME-Version: 1.0\r\n"
    for depth in range(30):
        boundary = b"%060d" % depth
        head += b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n--%s\r\n' % (boundary, boundary)
    return head + b"\r\n" + b"--\r\n" * (2 << 20)


LARGE = slow()
READING_PAGES = 1024  # more of shared memory in a scanner than at rest: it has begun to read LARGE, and touches nothing else so large


def pages_read(pid):
    """Pages of files and shared memory that a process has touched; 0 when it is gone."""
    try:
        return int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[2])
    except (OSError, IndexError):
        return 0


@base.needs_gateway
@base.needs_root
class Failures(base.Case):
    """The same end by three ways: killed, too slow, out of memory. Scanners are met from outside, while they read."""

    def setUp(self):
        self.box = self.open(sink.Sink())

    def start(self, **scan):
        gate = self.gateway(next_port=self.box.port, sections={"scanner": {"count": 2}, "scan": scan})
        process.wait_for(lambda: len(gate.roles()["scan"]) == 2, 10, "two scanners")
        return gate

    @staticmethod
    def identity(answer):
        return re.search(r"kept as ([0-9A-Z]{13})", answer.text).group(1)

    def strike(self, gate, number):
        """Send LARGE, and `number` to each scanner that is seen reading it. Returns the answer and how many were met."""
        pids, met = gate.roles()["scan"], set()
        at_rest = {pid: pages_read(pid) for pid in pids}
        for pid in pids:
            os.setpriority(os.PRIO_PROCESS, pid, 19)  # we look more often than they read
        with smtp.Client(gate.port, timeout_s=60) as client:
            client.hello()
            client.envelope("sender@example.org", ["rcpt@example.net"])
            self.assertEqual(client.command("DATA").code, 354)
            client.send(LARGE + b".\r\n")
            while not select.select([client.sock], [], [], 0)[0]:
                for pid in pids:
                    if pid not in met and pages_read(pid) > at_rest[pid] + READING_PAGES:
                        met.add(pid)
                        gate.signal(pid, number)
            answer = client.reply()
        if len(met) < 2:  # one was too quick for us, and may have been stopped when it had done its work
            for pid in met:
                gate.signal(pid, signal.SIGCONT)
        return answer, len(met)

    def strike_twice(self, gate, number):
        """Until one message was met in both scanners; those before it are accepted like any other."""
        for _ in range(20):
            before = gate.roles()["scan"]
            answer, met = self.strike(gate, number)
            self.assertEqual(answer.code, 250, answer)
            said = gate.wait_log(r'message\.accepted message="%s".* reason="(\w*)"' % self.identity(answer))
            if met == 2 and said.group(1) == "unscannable":
                return answer, before
            process.wait_for(lambda: gate.metric("hangu_scanners_up") == 2, 20, "both scanners")
        self.fail("no message was met twice")

    def held_by_name(self, gate, answer, before):
        """It is in quarantine, named with its cause wherever one looks; scanners are new, and others are served."""
        identity = self.identity(answer)
        process.wait_for(lambda: gate.held() == 1, 10, "the message in quarantine")
        listing = gate.command("queue", "list", "--quarantined", check=True).stdout
        self.assertRegex(listing, r"(?s)%s .*unscannable" % identity)
        gate.wait_log(r'message\.accepted message="%s".* reason="unscannable"' % identity)
        process.wait_for(
            lambda: "held (unscannable)" in gate.command("trace", identity).stdout, 10, "the message in the trace"
        )
        self.assertEqual(gate.metric("hangu_scan_unscannable_total"), 1)
        process.wait_for(
            lambda: len(set(gate.roles()["scan"]) - set(before)) == 2 and gate.metric("hangu_scanners_up") == 2,
            20,
            "two new scanners",
        )
        for number in range(20, 30):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        process.wait_for(
            lambda: {a.number() for a in self.box.arrivals} >= {str(n) for n in range(20, 30)}, 20, "the others' mail"
        )
        self.assertEqual(gate.held(), 1)
        return identity

    def test_a_message_that_kills_two_scanners(self):
        gate = self.start()
        answer, before = self.strike_twice(gate, signal.SIGKILL)
        identity = self.held_by_name(gate, answer, before)
        self.assertGreaterEqual(gate.metric('hangu_scan_failures_total{cause="crash"}'), 2)
        # Whoever looks for it by what it calls itself finds it, although nobody has read it.
        process.wait_for(lambda: identity in gate.command("trace", "<1.number@example.org>").stdout, 10, "its Message-ID in the trace")
        # A person may still let it go.
        arrived = self.box.count
        gate.command("queue", "release", identity, check=True)
        self.box.wait(arrived + 1, 30)
        self.assertIsNone(base.same_below_trace(self.box.arrivals[-1].data, LARGE))

    def test_a_message_that_overruns_twice(self):
        gate = self.start(deadline="2s")
        done = threading.Event()
        others = []

        def send_others():
            for number in range(100, 1000):
                if done.is_set():
                    return
                others.append(smtp.send(gate.port, base.numbered(number)).code)
                done.wait(0.05)

        busy = threading.Thread(target=send_others, daemon=True)
        busy.start()
        answer, before = self.strike_twice(gate, signal.SIGSTOP)
        done.set()
        busy.join(30)
        self.assertEqual(set(others), {250}, "nobody else was refused meanwhile")
        self.held_by_name(gate, answer, before)
        self.assertGreaterEqual(gate.metric('hangu_scan_failures_total{cause="deadline"}'), 2)

    @staticmethod
    def memory_max(pid):
        limits = pathlib.Path("/proc/%d/limits" % pid).read_text()
        found = re.search(r"Max address space +(\d+)", limits)
        return int(found.group(1)) if found else None

    def test_a_message_that_needs_too_much_memory(self):
        """`hangu check` lets no such setting pass, so the limits of the running scanners are narrowed from outside."""
        gate = self.start()
        before, account = gate.roles()["scan"], pwd.getpwnam(gate.sections["gateway"]["user"])
        if self.memory_max(before[0]) is None:
            return self.say("a sanitizer needs more address space than any limit would leave")
        for pid in before:
            self.assertEqual(self.memory_max(pid), 512 << 20)
            used = int(pathlib.Path("/proc/%d/statm" % pid).read_text().split()[0]) * resource.getpagesize()
            # Who is no scanner's equal needs a capability that root may lack in a container.
            subprocess.run(
                ["prlimit", "--pid", str(pid), "--as=%d:" % (used + (1 << 20))],
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                check=True,
            )
        answer = smtp.send(gate.port, LARGE, timeout_s=60)
        self.assertEqual(answer.code, 250)
        self.held_by_name(gate, answer, before)
        self.assertEqual(gate.metric('hangu_scan_failures_total{cause="bad_answer"}'), 2)
        for pid in gate.roles()["scan"]:
            self.assertEqual(self.memory_max(pid), 512 << 20)
        # In scanners with the whole of it there is nothing wrong with such a message.
        self.assertEqual(smtp.send(gate.port, LARGE, timeout_s=60).code, 250)
        self.assertEqual(gate.held(), 1)

    def test_a_scanner_that_stands_still_blames_nobody(self):
        """What waits behind it was not being read: it goes elsewhere, and none of it is held."""
        gate = self.start(deadline="300ms")
        gate.signal(gate.roles()["scan"][0], signal.SIGSTOP)
        for number in range(10):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        self.box.wait(10, 30)
        self.assertEqual((gate.held(), gate.metric("hangu_scan_unscannable_total")), (0, 0))


@base.needs_gateway
class Unavailable(base.Case):
    """The only scanner stands still, its line and the waiting room are full: `on_scan_failure` decides about who comes
    then, and about nobody else.
    """

    ROOM = 3 + 1  # SCAN_PIPELINE at the scanner, waiting_max behind it

    def decided(self, on_scan_failure):
        """One message more than there is room for: the gateway, the reply to that one, and its number."""
        self.box = self.open(sink.Sink())
        gate = self.gateway(
            next_port=self.box.port,
            sections={
                "gateway": {"loops": 1},
                "scanner": {"count": 1, "waiting_max": 1},
                "scan": {"on_scan_failure": on_scan_failure, "deadline": "2m"},
            },
        )
        self.scanner = gate.roles()["scan"][0]
        gate.signal(self.scanner, signal.SIGSTOP)
        self.addCleanup(gate.signal, self.scanner, signal.SIGCONT)
        self.waiting = {}
        for number in range(self.ROOM + 1):
            client = smtp.Client(gate.port)
            self.addCleanup(client.close)
            client.hello()
            client.envelope("sender@example.org", ["rcpt@example.net"])
            self.assertEqual(client.command("DATA").code, 354)
            client.send(base.numbered(number) + b".\r\n")
            self.waiting[client.sock] = (number, client)
        answered = select.select(list(self.waiting), [], [], 30)[0]
        self.assertEqual(len(answered), 1, "one is decided, the others wait")
        number, client = self.waiting.pop(answered[0])
        return gate, client.reply(), str(number)

    def restored(self, gate):
        """With a scanner again those who waited are answered, and nothing of theirs was lost."""
        gate.signal(self.scanner, signal.SIGCONT)
        for _, client in self.waiting.values():
            self.assertEqual(client.reply().code, 250)
        self.assertEqual(smtp.send(gate.port, base.numbered(50)).code, 250)
        wanted = {str(number) for number, _ in self.waiting.values()} | {"50"}
        process.wait_for(lambda: {a.number() for a in self.box.arrivals} >= wanted, 20, "those who waited")
        return {a.number() for a in self.box.arrivals}

    def test_defer(self):
        gate, answer, number = self.decided("defer")
        self.assertEqual((answer.code, answer.enhanced), (451, "4.3.0"))
        self.assertIn("cannot be examined", answer.text)
        self.assertNotIn(number, self.restored(gate))
        self.assertEqual(gate.held(), 0)

    def test_hold(self):
        gate, answer, number = self.decided("hold")
        self.assertEqual(answer.code, 250)
        process.wait_for(lambda: gate.held() == 1, 10, "the message in quarantine")
        self.assertIn("unscanned", gate.command("queue", "list", "--quarantined", check=True).stdout)
        self.assertNotIn(number, self.restored(gate))
        self.assertEqual(gate.held(), 1)

    def test_pass(self):
        gate, answer, number = self.decided("pass")
        self.assertEqual(answer.code, 250)
        self.assertEqual(self.box.wait(1)[0].number(), number)
        self.restored(gate)
        marked = [a.number() for a in self.box.arrivals if b"unscanned" in a.data.partition(b"\r\n\r\n")[0]]
        self.assertEqual(marked, [number], "its mark travels with it, and with nobody else's")


@base.needs_gateway
class Away(base.Case):
    """No scanner is alive at all, which is announced; a message that meets none in its time is decided by the same setting."""

    def without_scanners(self, word):
        box = self.open(sink.Sink())
        gate = self.gateway(
            next_port=box.port,
            sections={"scanner": {"count": "1"}, "scan": {"on_scan_failure": word, "deadline": "500ms"}},
        )
        # Nobody starts another one while the supervisor stands still: what follows has all the time it takes.
        (self.supervisor,) = gate.roles()["supervisor"]
        gate.signal(self.supervisor, signal.SIGSTOP)
        self.addCleanup(gate.signal, self.supervisor, signal.SIGCONT)
        for pid in gate.roles()["scan"]:
            gate.signal(pid)
        process.wait_for(lambda: gate.metric("hangu_scanners_up") == 0, 20, "the last scanner to be gone")
        answer = smtp.send(gate.port, base.numbered(1))
        process.wait_for(lambda: gate.metric("hangu_degraded") == 1, 10, "it to be announced")
        return box, gate, answer

    def back_again(self, box, gate):
        count = box.count
        gate.signal(self.supervisor, signal.SIGCONT)
        process.wait_for(lambda: gate.metric("hangu_degraded") == 0, 60, "everything to be done again")
        self.assertEqual(smtp.send(gate.port, base.numbered(2)).code, 250)
        box.wait(count + 1)

    def test_none_is_there_defer(self):
        box, gate, answer = self.without_scanners("defer")
        self.assertEqual((answer.code, answer.enhanced), (451, "4.3.0"))
        self.back_again(box, gate)

    def test_none_is_there_hold(self):
        box, gate, answer = self.without_scanners("hold")
        self.assertEqual(answer.code, 250)
        process.wait_for(lambda: gate.held() == 1, 10, "the message in quarantine")
        self.assertIn("unscanned", gate.command("queue", "list", "--quarantined", check=True).stdout)
        self.back_again(box, gate)

    def test_none_is_there_pass(self):
        box, gate, answer = self.without_scanners("pass")
        self.assertEqual(answer.code, 250)
        arrived = box.wait(1)[0].data
        self.assertEqual(re.search(rb"(?m)^X-Hangu-Mark: (.*)\r$", arrived).group(1), b"unscanned")
        self.assertIsNone(base.same_below_trace(arrived, base.numbered(1)))
        self.assertEqual(compare.fields(arrived)[0][0][0], b"received")
        self.back_again(box, gate)


@base.needs_gateway
class Settings(base.Case):
    def test_a_message_that_no_scanner_has_memory_for(self):
        gate = base.gateway.Gateway(next_port=9, sections={"scanner": {"memory_max": "145M"}})
        self.addCleanup(gate.__exit__)
        done = gate.check()
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"\d+: \[scanner\] memory_max: .*could not be scanned")
        gate.sections["scanner"]["memory_max"] = "146M"
        self.assertEqual(gate.check().returncode, 0)
        # And so it is: the largest message there is room for is read.
        gate.start()
        self.assertEqual(smtp.send(gate.port, base.numbered(1, 49 << 20), timeout_s=60).code, 250)
        self.assertEqual((gate.held(), gate.metric("hangu_scan_unscannable_total")), (0, 0))
