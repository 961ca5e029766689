"""kill -9 of every role under load: what was acknowledged is at the sink in the end; what comes twice is counted."""
import os
import random
import time

from harness import gateway, load, process, sink

from . import base

ROLES = ("gate", "scan", "records", "supervisor")


@base.needs_gateway
class Kill(base.Case):
    def kills(self, roles, times, seed):
        source = random.Random(seed)
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, route={"retry": "1s", "probe": "1s"})
        sender = load.Load(gate.port, lambda n: base.numbered(n, 4096), threads=6, patience_s=60, pause_s=0.002).start()
        killed = {}
        try:
            for number in range(times):
                time.sleep(source.uniform(0.05, 0.8))
                role = roles[number % len(roles)]
                if role == "supervisor":
                    everyone = process.children(gate.server.pid)
                    gate.kill_role(role)
                    gate.server.process.wait()
                    process.wait_for(
                        lambda: not [p for p in everyone if self.runs(p)], 10, "the roles of a dead supervisor to end"
                    )
                    gate.stop()
                    gate.start()
                else:
                    old = gate.kill_role(role, source.randrange(8))
                    process.wait_for(
                        lambda: gate.roles()[role] and old not in gate.roles()[role], 20, "a new %s" % role
                    )
                killed[role] = killed.get(role, 0) + 1
                process.wait_for(lambda: gateway.greets(gate.port), 30, "the gateway to greet again")
        finally:
            sender.stop()
        process.wait_for(lambda: self.settled(gate), 120, "the queue to empty", 0.2)
        account = load.Account(sender, box.arrivals)
        held = gate.held()
        self.say("killed %s; %s; %d held" % (killed, account.text, held))
        if held:
            # Unscannable messages are named and held, not lost; only killed scanners excuse them.
            self.assertIn("scan", killed)
            self.assertLessEqual(len(account.lost), held)
        else:
            self.assertEqual(account.lost, [])
        # A copy too many needs a death of the process that delivers; each has at most its connections' worth in flight.
        deaths = killed.get("gate", 0) + killed.get("supervisor", 0)
        self.assertLessEqual(sum(account.unexcused.values()), deaths * 20)
        self.assertGreater(len(sender.acknowledged), times)
        gate.stop()
        gate.verify()

    @staticmethod
    def runs(pid):
        found = process.stat(pid)
        return found is not None and found[0] != "Z"

    @staticmethod
    def settled(gate):
        try:
            return gate.queued() == 0
        except AssertionError:
            return False

    @base.limit(240)
    def test_gate(self):
        self.kills(["gate"], 5, 1)

    @base.limit(240)
    def test_scan(self):
        self.kills(["scan"], 5, 2)

    @base.limit(240)
    def test_records(self):
        self.kills(["records"], 5, 3)

    @base.limit(240)
    def test_supervisor(self):
        self.kills(["supervisor"], 5, 4)

    @base.soak
    @base.limit(3600)
    def test_two_hundred(self):
        self.kills(ROLES, int(os.environ.get("HANGU_KILLS", "200")), int(os.environ.get("HANGU_SEED", "5")))
