"""The supervisor: what it refuses to start with, how it replaces what ends, what a reload binds and lets go, and when it
gives up.
"""
import os
import pwd
import signal
import socket
import subprocess
import time

from harness import faults, gateway, places, process, sink, smtp

from . import base

ASK_STATUS, ASK_PROVE, SAYS_LINE, SAYS_DONE = 1, 3, 6, 8


def ask(gate, word):
    """(code, lines) of supervisor.sock, spoken to directly."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as talk:
        talk.settimeout(60)
        talk.connect(str(gate.sections["gateway"]["run"] / "supervisor.sock"))
        talk.send(bytes([1, word]))
        lines = []
        while True:
            frame = talk.recv(65536)
            if not frame:
                return None, lines
            if frame[1] == SAYS_LINE:
                lines.append(frame[6:].decode())
            elif frame[1] == SAYS_DONE:
                return frame[2], lines


@base.needs_gateway
class Start(base.Case):
    def refused(self, gate, pattern):
        done = gate.run_to_end()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, pattern)

    def test_twice_in_one_place(self):
        first = self.gateway(next_port=9)
        second = gateway.Gateway(next_port=9)
        second.sections["gateway"]["run"] = first.sections["gateway"]["run"]
        self.refused(second, "supervisor.running")
        self.assertEqual(ask(first, ASK_STATUS)[0], 0, "the first one still has its socket")

    @base.needs_root
    def test_an_unknown_user(self):
        self.refused(gateway.Gateway(next_port=9, sections={"gateway": {"user": "nobody-of-that-name"}}), "user.unknown")

    def test_a_state_folder_that_cannot_be(self):
        self.refused(gateway.Gateway(next_port=9, sections={"gateway": {"state": "/dev/null/state"}}), "state.failed")

    def test_an_address_of_another_machine(self):
        self.refused(
            gateway.Gateway(next_port=9, listener={"address": "192.0.2.1:2525"}), "192.0.2.1:2525: this machine has no such"
        )

    @base.needs_root
    def test_as_an_ordinary_user(self):
        """Everything but the change of user is the same."""
        account = pwd.getpwnam("nobody")
        become = ("setpriv", "--reuid=%d" % account.pw_uid, "--regid=%d" % account.pw_gid, "--clear-groups")
        gate = gateway.Gateway(next_port=9, argv_front=become)
        os.chmod(gate.folder, 0o755)
        for folder in ("state", "run"):
            os.chown(gate.folder / folder, account.pw_uid, account.pw_gid)
        self.addCleanup(gate.__exit__)
        try:
            gate.start()
        except (PermissionError, RuntimeError) as error:
            if "Permission denied" in str(error):
                self.skipTest("the build folder is closed to other users")
            raise
        code, lines = ask(gate, ASK_PROVE)
        self.assertEqual(code, 0, "\n".join(line for line in lines if " ok " not in line))

    def test_readiness_is_told(self):
        folder = places.run_folder("notify")
        self.addCleanup(places.remove, folder)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(folder / "s"))
            manager.settimeout(20)
            gate = self.gateway(next_port=9, env={**os.environ, "NOTIFY_SOCKET": str(folder / "s")})
            self.assertIn(b"READY=1", manager.recv(1000))
            gate.reload()
            self.assertIn(b"RELOADING=1", manager.recv(1000))
            self.assertIn(b"READY=1", manager.recv(1000))
            gate.stop()
            self.assertIn(b"STOPPING=1", manager.recv(1000))


@base.needs_gateway
class Replacement(base.Case):
    def test_nobody_outlives_the_supervisor(self):
        gate = self.gateway(next_port=9)
        others = [pid for role, pids in gate.roles().items() if role != "supervisor" for pid in pids]
        self.assertGreaterEqual(len(others), 3)
        os.kill(gate.server.pid, signal.SIGKILL)
        process.wait_for(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in others), 5, "the roles to end")

    def test_a_role_comes_back(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        for role in ("scan", "records", "gate", "scan"):
            with self.subTest(role):
                old = gate.kill_role(role)
                process.wait_for(lambda: gate.roles()[role] and old not in gate.roles()[role], 10, role + " to be replaced")
        process.wait_for(lambda: all(" up " in line for line in ask(gate, ASK_STATUS)[1][1:]), 10, "all of them up")
        with smtp.Client(gate.port) as client:
            client.hello()
            client.envelope("a@example.org", ["b@example.net"])
            self.assertEqual(client.data(base.numbered(1)).code, 250)
        box.wait(1)

    def test_a_crash_that_no_test_made_is_told_at_the_end(self):
        """About the harness: a test under which a role crashed fails, although the role came back."""
        gate = self.gateway(next_port=9)
        victim = gate.roles()["scan"][0]
        os.kill(victim, signal.SIGSEGV)
        gate.wait_log(r"error supervisor role\.ended .*pid=%d\b" % victim)
        with self.assertRaisesRegex(faults.Found, "(?s)log tells of a fault.*pid=%d" % victim) as found:
            gate.stop()
        # Where the build has one, the sanitizer's own report is found as well.
        if "box.wider" in gate.log():
            self.assertRegex(str(found.exception), r"==%d==\s*ERROR: \w+Sanitizer: SEGV" % victim)
        gate.killed.add(victim)
        gate.look()

    def test_too_many_crashes_end_it(self):
        """A crash tells an attacker a little about the address layout: after thirty of them everything starts anew."""
        gate = self.gateway(next_port=9)
        gate.wait_log("supervisor.serving")
        pid, crashes = gate.server.pid, 0
        until = time.monotonic() + 60
        while gate.alive() and time.monotonic() < until:
            for scanner in gate.roles()["scan"]:
                gate.signal(scanner, signal.SIGSEGV)
                crashes += 1
            # Back-off would make the test long; a role that lives on is crashed as well.
            for role in ("records", "gate"):
                for other in gate.roles()[role]:
                    gate.signal(other, signal.SIGSEGV)
            time.sleep(0.05)
        self.assertFalse(gate.alive(), "it should have ended after %d crashes" % crashes)
        self.assertEqual(gate.server.process.returncode, 1)
        self.assertRegex(gate.log(), "supervisor.crashes")
        self.assertFalse(os.path.exists("/proc/%d" % pid))


@base.needs_gateway
class Listeners(base.Case):
    def greets(self, port):
        try:
            with smtp.Client(port):
                return True
        except (OSError, smtp.Closed):
            return False

    def test_a_reload_binds_and_lets_go(self):
        gate = self.gateway(next_port=9)
        first, second = gate.port, places.free_port()
        gate.sections["listener internet"]["address"] = ["127.0.0.1:%d" % first, "127.0.0.1:%d" % second]
        gate.reload()
        process.wait_for(lambda: self.greets(second), 10, "the new address")
        self.assertTrue(self.greets(first))
        gate.sections["listener internet"]["address"] = ["127.0.0.1:%d" % second]
        gate.reload()
        process.wait_for(lambda: not self.greets(first), 10, "the old address to close")
        self.assertTrue(self.greets(second))
        # And a gate that is replaced has the same.
        gate.kill_role("gate")
        process.wait_for(lambda: self.greets(second), 20, "the new gate")
        self.assertFalse(self.greets(first))

    def test_a_port_in_use_changes_nothing(self):
        gate = self.gateway(next_port=9)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            gate.sections["listener internet"]["address"] = [
                "127.0.0.1:%d" % gate.port,
                "127.0.0.1:%d" % other.getsockname()[1],
            ]
            gate.reload()
            gate.wait_log("reload.refused.*somebody else listens there")
        self.assertTrue(self.greets(gate.port))

    def test_a_connection_made_during_a_takeover_is_served(self):
        gate = self.gateway(next_port=9)
        with smtp.Client(gate.port) as old:
            old.hello()
            log = gate.folder / "log2"
            with open(log, "wb") as out:
                new = subprocess.Popen(gate.argv("--takeover"), stdout=out, stderr=out)
            self.addCleanup(new.wait, 30)
            self.addCleanup(new.terminate)
            gate.wait_log("takeover.given")
            # The old one drains for as long as this session lasts; whoever comes now waits in the backlog.
            with socket.create_connection(("127.0.0.1", gate.port), 60) as waiting:
                old.quit()
                self.assertRegex(waiting.recv(200), rb"^220 ")
        self.assertEqual(gate.server.process.wait(30), 0)
        process.wait_for(lambda: "supervisor.serving" in log.read_text(), 20, "the new one to say that it serves")


@base.needs_gateway
class Asking(base.Case):
    def test_nonsense_is_not_answered(self):
        gate = self.gateway(next_port=9)
        path = str(gate.sections["gateway"]["run"] / "supervisor.sock")
        for frame in (b"\x01\x00", b"\x01\xff", b"\x02\x01", b"\x01\x01x", b"x" * 60000, b"\x01\x07\x00\x00", b"\x01\x08\x00"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as talk:
                talk.settimeout(10)
                talk.connect(path)
                talk.send(frame)
                self.assertEqual(talk.recv(1000), b"", frame[:20])
        self.assertEqual(ask(gate, ASK_STATUS)[0], 0)

    def test_silent_clients_do_not_shut_others_out_for_ever(self):
        gate = self.gateway(next_port=9)
        path = str(gate.sections["gateway"]["run"] / "supervisor.sock")
        silent = []
        for _ in range(12):
            talk = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            talk.connect(path)
            silent.append(talk)

        def answered():
            try:
                return ask(gate, ASK_STATUS)[0] == 0
            except OSError:
                return False

        process.wait_for(answered, 20, "an answer in spite of them", 0.2)
        for talk in silent:
            talk.close()

    @base.needs_root
    def test_a_stranger_is_not_heard(self):
        gate = self.gateway(next_port=9)
        for folder in (gate.folder, gate.sections["gateway"]["run"]):
            os.chmod(folder, 0o755)
        path = gate.sections["gateway"]["run"] / "supervisor.sock"
        os.chmod(path, 0o777)
        script = (
            "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\ns.settimeout(10)\n"
            "s.connect(sys.argv[1])\n"
            "try:\n s.send(bytes([1,4]))\n print(repr(s.recv(1000)))\nexcept OSError as e:\n print(repr(b''))\n"
        )
        done = subprocess.run(
            ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "/usr/bin/python3", "-c", script, str(path)],
            capture_output=True, text=True, timeout=60,
        )
        if done.returncode != 0:
            self.skipTest("no python for a stranger: " + done.stderr[-200:])
        self.assertEqual(done.stdout.strip(), "b''")
        self.assertTrue(gate.alive())
