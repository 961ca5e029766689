"""One version up and one version down with mail in the queue, as docs/packaging.md promises: the version before this
one (packaging/previous-version) is built from git, and the two take turns over the same journal. Nothing that was
acknowledged is lost, nothing comes twice beyond RFC 5321 section 4.5.3.2, and both find the chain whole each time.
"""
import os
import pathlib
import re
import threading
import time

from harness import gateway, load, places, previous, process, sink, smtp

from . import base

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n"


def project_version(text):
    return re.search(r"(?m)^  version: '([^']+)',$", text).group(1)


class NextHop:
    """A sink that defers, by address: what begins with "later" waits until `open` is set."""

    def __init__(self, case):
        self.open = threading.Event()
        self.deferred = 0
        self.box = case.open(sink.Sink(script=self.answer))

    def answer(self, stage, _, argument):
        if stage == "rcpt" and "later" in str(argument) and not self.open.is_set():
            self.deferred += 1
            return sink.Say("451 4.2.2 come again later")
        return None


@base.needs_gateway
class Versions(base.Case):
    def old_programs(self):
        """The folder of the previous version. Skipped where git lacks it; a tree without history is said, and passes:
        there is nothing that could be built.
        """
        try:
            return previous.programs()
        except previous.NoHistory as why:
            if os.environ.get("HANGU_STRICT") == "1":
                self.say("not run: %s" % why)
                return None
            raise

    # What is in the queue.

    def fill(self, gate, first):
        """Five messages that go at once, five that are deferred, two for quarantine, three held by hand. Returns their
        numbers.
        """
        numbers = iter(range(first, first + 15))

        def give(name, body=b""):
            number = next(numbers)
            answer = smtp.send(gate.port, base.numbered(number) + body, recipients=["%s%d@example.net" % (name, number)])
            self.assertEqual(answer.code, 250, answer.text)
            return number

        for _ in range(5):
            give("m")
        for _ in range(5):
            give("later")
        for _ in range(2):
            give("m", EICAR)
        held = [give("later-kept") for _ in range(3)]
        for number in held:
            process.wait_for(
                lambda n=number: gate.command("queue", "hold", "--to", "later-kept%d@example.net" % n).returncode == 0,
                20,
                "the hold of %d" % number,
                0.2,
            )
        return set(range(first, first + 15))

    @staticmethod
    def shape(gate):
        """{(sender, address, state)} of the queue: what must be the same after a change of version."""
        rows = re.findall(
            r"(?m)^(\S{13})  (\S+) .*<(\S*)> -> <(\S*)>$", gate.command("queue", "list", check=True).stdout
        )
        return {(identity, "held" if state in ("held", "quarantine") else "queued", to) for identity, state, _, to in rows}

    def settled(self, gate, box, delivered):
        """Until the fresh ones have gone and the deferred ones wait; returns the shape then."""
        box.wait(delivered, 60)
        process.wait_for(
            lambda: gate.queue()["due"] == 0 and gate.queue()["sending"] == 0, 60, "the queue to come to rest"
        )
        return self.shape(gate)

    def both_verify(self, gate, old):
        for programs in (None, old):
            gate.programs, before = programs, gate.programs
            done = gate.verify(check=False)
            gate.programs = before
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def everything_leaves(self, gate, hop, numbers):
        hop.open.set()
        gate.command("queue", "release", "--state", "held", check=True)
        gate.command("queue", "retry", "--domain", "example.net", check=True)
        gate.wait_empty(90)
        process.wait_for(lambda: gate.held() == 0, 30, "nothing held any more")
        found = sorted(int(a.number()) for a in hop.box.arrivals)
        self.assertEqual(found, sorted(numbers), "each once")

    def change(self, gate, programs, how):
        """Let another version go on with the same journal."""
        if how == "takeover":
            gone = gate.server
            gate.programs = programs
            gate.server = process.Server(
                "hangud-next", gate.argv("--takeover"), gate.folder / ("log-%d" % time.monotonic_ns()), cwd=gate.folder
            )
            self.addCleanup(gone.stop)
            process.wait_for(
                lambda: gone.process.poll() is not None, 60, lambda: "the other one to end:\n" + gate.log()[-1500:]
            )
            self.assertEqual(gone.process.returncode, 0)
            gate.wait_log(r"supervisor\.serving", 30)
        else:
            if how == "kill":
                gate.kill()
            else:
                self.assertEqual(gate.stop(), 0)
            gate.programs = programs
            gate.start()
        serving = pathlib.Path(os.readlink("/proc/%d/exe" % gate.server.pid)).parent
        self.assertEqual(serving, (programs or places.build()).resolve())

    def up_and_down(self, how):
        old = self.old_programs()
        if old is None:
            return
        hop = NextHop(self)
        gate = self.gateway(
            next_port=hop.box.port,
            programs=old,
            route={"retry": "1h", "probe": "1s"},
            sections={"journal": {"segment_size": "1M"}},
        )
        numbers, shapes = set(), []
        for turn, programs in enumerate((None, old, None)):
            numbers |= self.fill(gate, 100 * turn)
            shapes.append(self.settled(gate, hop.box, 5 * (turn + 1)))
            self.assertEqual(
                sorted(state for _, state, _ in shapes[-1]), ["held"] * 5 * (turn + 1) + ["queued"] * 5 * (turn + 1)
            )
            self.change(gate, programs, how)
            self.assertEqual(self.shape(gate), shapes[-1], "the queue as the other version left it")
            self.traced(gate, 100 * turn)
        self.everything_leaves(gate, hop, numbers)
        self.assertEqual(gate.stop(), 0)
        self.both_verify(gate, old)
        # And the older one reads what is left, an empty queue.
        gate.programs = old
        gate.start()
        self.assertEqual(sum(gate.queue().values()), 0)

    def traced(self, gate, number):
        """A message that the other version took is found by this one."""
        process.wait_for(
            lambda: "m%d@example.net" % number in gate.command("trace", "<%d.number@example.org>" % number).stdout,
            20,
            "message %d in the trace" % number,
        )

    @base.limit(400)
    def test_stop_and_start(self):
        self.up_and_down("stop")

    @base.limit(400)
    def test_takeover(self):
        self.up_and_down("takeover")

    @base.limit(400)
    def test_kill_and_start(self):
        self.up_and_down("kill")

    @base.limit(400)
    def test_takeover_under_load(self):
        """Up, down and up again while six senders send: nothing is lost, nothing comes twice."""
        old = self.old_programs()
        if old is None:
            return
        hop = NextHop(self)
        gate = self.gateway(next_port=hop.box.port, programs=old, route={"retry": "1s", "probe": "1s"})
        waiting = self.fill(gate, 1000000)
        busy = load.Load(gate.port, base.numbered, threads=6, per_session=20, patience_s=90, pause_s=0.002).start()
        try:
            for programs in (None, old, None):
                time.sleep(1)
                before = len(busy.acknowledged)
                self.change(gate, programs, "takeover")
                process.wait_for(lambda b=before: len(busy.acknowledged) > b + 50, 30, "mail to flow again")
        finally:
            busy.stop()
        hop.open.set()
        gate.command("queue", "release", "--state", "held", check=True)
        gate.wait_empty(90)
        process.wait_for(lambda: gate.held() == 0, 30, "nothing held any more")
        mine = [a for a in hop.box.arrivals if int(a.number()) >= 1000000]
        account = load.Account(busy, [a for a in hop.box.arrivals if int(a.number()) < 1000000])
        self.say(account.text)
        self.assertEqual((account.lost, account.unexcused, busy.unknown), ([], {}, set()))
        # A session that the old one still had is told to come again: 421, RFC 5321 section 3.8. Nobody else is refused.
        self.assertLessEqual(set(busy.refused), {"421 4.3.2"})
        self.assertEqual(sorted(int(a.number()) for a in mine), sorted(waiting), "each once")
        self.assertEqual(gate.stop(), 0)
        self.both_verify(gate, old)

    @base.limit(400)  # whichever comes first builds the version before
    def test_commands_of_one_and_gateway_of_the_other(self):
        """Between the installation of a package and the handover the command is newer than the gateway."""
        old = self.old_programs()
        if old is None:
            return
        for running, asking in ((old, None), (None, old)):
            gate = self.gateway(next_port=places.free_port(), programs=running)
            self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
            process.wait_for(
                lambda g=gate: g.command("trace", "rcpt@example.net").returncode == 0, 20, "the message in the trace"
            )
            gate.programs = asking
            for words in (["status"], ["queue", "list"], ["reload"], ["trace", "rcpt@example.net"]):
                with self.subTest(running=str(running), words=words):
                    gate.command(*words, check=True)
            self.assertEqual(gate.check().returncode, 0)
            gate.programs = running
            self.assertEqual(gate.stop(), 0)

    def test_what_is_named(self):
        """The tracked file, the tag where it was fetched, and the commit's own word agree; and it is not this version."""
        try:
            previous.require_history()
        except previous.NoHistory as why:
            return self.say("not run: %s" % why)
        tag, commit = previous.named()
        self.assertIn(previous.tag_commit(), (None, commit))
        self.assertEqual("v" + project_version(previous.show("meson.build").decode()), tag)
        self.assertNotEqual("v" + project_version((places.SOURCE / "meson.build").read_text()), tag)
