"""The gateway under test: its settings written to a folder of its own, hangud in the foreground on free loopback
ports, its end.

`Gateway(next_port=PORT)` sends everything for example.net, example.org and the rest to that port; `sections` changes
or adds settings. Everything about hangud's command line and its words stands in this file alone.
"""
import os
import pathlib
import pwd
import re
import signal
import subprocess
import urllib.request

from . import certificates, faults, places, process
from .peers import greets

HOST = "127.0.0.1"
# A policy under which every message that can be carried is carried: for tests of the way, not of the judgement.
DELIVER_ALL = {
    "policy": {
        "on_" + word: "none"
        for word in ("malware", "executable", "test_spam", "unclear_from", "ambiguous", "loop", "limit")
    }
}
ROLES = ("supervisor", "gate", "scan", "records")


class Missing(Exception):
    """This build has no hangud."""


def built():
    return places.program("hangud") is not None


def _account():
    """Whom the roles run as: `hangu` where the machine has it, else nobody."""
    for name in ("hangu", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Missing("no account for the roles")


class Gateway:
    """One hangud. As a context manager it is started and, at the end, stopped and its folder removed."""

    def __init__(
        self,
        next_port=None,
        sections=None,
        listener=None,
        route=None,
        tls=None,
        accounted=False,
        domains=("example.net",),
        dns=None,
        folder=None,
        env=None,
        argv_front=(),
        programs=None,
    ):
        """listener, route: keys that override the standard [listener internet] and [route all]. tls: host name for
        STARTTLS. sections: {"heading": {key: value} or None to leave the section out}. dns: "address:port" of a stub;
        without it nothing answers. programs: the folder with another version's programs; it may be changed between
        starts.
        """
        self.port, self.metrics_port = places.free_port(), places.free_port()
        self.folder = pathlib.Path(folder) if folder else places.run_folder("hangu")
        self.next_port, self.accounted, self.env, self.argv_front = next_port, accounted, env, list(argv_front)
        self.server, self.programs = None, programs
        self.killed = set()  # processes that the test ended or crashed; see harness/faults.py
        account = _account()
        state, run = self.folder / "state", self.folder / "run"
        for path in (state, run):
            path.mkdir(exist_ok=True)
            os.chown(path, account.pw_uid, account.pw_gid)
            path.chmod(0o750)
        self.sections = {
            "gateway": {"hostname": "gateway.example", "user": account.pw_name, "state": state, "run": run},
            "listener internet": {
                "address": "%s:%d" % (HOST, self.port),
                "role": "internet",
                "relay_from": "127.0.0.0/8",
                "connections_max": 30000,
                "connections_per_peer": 30000,
                "connection_rate": 10000000,
                "message_rate": 10000000,
                "messages_per_session": 1000000,
            },
            "dns": {"server": dns or "127.0.0.1:9", "reverse": "no"},
            "metrics": {"address": "%s:%d" % (HOST, self.metrics_port)},
            "scan": {"depth": "structure"},
        }
        for name in domains:
            self.sections["domain " + name] = {"recipients": "any"}
        if tls:
            certificate, key = self.key_pair(tls)
            self.sections["certificate own"] = {"file": certificate, "key": key}
            self.sections["listener internet"].update(tls="starttls", certificate="own")
        if next_port:
            self.sections["route all"] = {
                "domains": "*",
                "hosts": "%s:%d" % (HOST, next_port),
                "tls": "none",
                "retry": "1s, 2s, 5s",
                "probe": "1s",
            }
        self.sections["listener internet"].update(listener or {})
        if route:
            self.sections.setdefault("route all", {}).update(route)
        for heading, keys in (sections or {}).items():
            if keys is None:
                self.sections.pop(heading, None)
            else:
                self.sections.setdefault(heading, {}).update(keys)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        places.remove(self.folder)

    # Settings.

    def key_pair(self, name, **options):
        """A certificate and key for `name`, copied to where the roles may read them."""
        account = _account()
        copies = []
        for path in certificates.issue(name, **options):
            copy = self.folder / path.name
            copy.write_bytes(path.read_bytes())
            os.chown(copy, account.pw_uid, account.pw_gid)
            copies.append(copy)
        return copies

    def settings_text(self):
        text = ""
        for heading, keys in self.sections.items():
            text += "[%s]\n" % heading
            for key, value in keys.items():
                text += "%s = %s\n" % (key, ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value)
            text += "\n"
        return text

    @property
    def settings_path(self):
        return self.folder / "hangu.conf"

    def write_settings(self):
        self.settings_path.write_text(self.settings_text())
        self.settings_path.chmod(0o644)

    # Life.

    def argv(self, *more):
        return [*self.argv_front, self._program("hangud"), "--settings", self.settings_path, *more]

    def start(self, wait=True, more=(), timeout_s=60):
        self.write_settings()
        self.server = process.Server(
            "hangud", self.argv(*more), self.folder / "log", accounted=self.accounted, cwd=self.folder, env=self.env
        )
        if wait:
            try:
                process.wait_for(
                    lambda: not self.alive() or self.ready(),
                    timeout_s,
                    lambda: "hangud to greet:\n" + self.log()[-2000:],
                )
                if not self.alive():
                    raise RuntimeError(
                        "hangud ended at once with %r:\n%s" % (self.server.process.returncode, self.log()[-3000:])
                    )
            except Exception:
                self._end(30)
                raise
        return self

    def ready(self):
        if self.sections["listener internet"].get("proxies"):
            # Nobody is greeted here who does not say first for whom he speaks; the roles tell.
            return "supervisor.serving" in self.log()
        return greets(self.port)

    def stop(self, grace_s=30):
        """Ask it to end in peace, and look whether all went well: a report of a sanitizer, or a role that ended by itself, is a
        failure (faults.Found). Returns the exit status.
        """
        if not self.server:
            return None
        lived, status = self.alive(), self._end(grace_s)
        self.look()
        if lived and status != 0:
            raise faults.Found("hangud ended with %r instead of in peace:\n%s" % (status, self.log()[-1500:]))
        return status

    def _end(self, grace_s):
        status = self.server.stop(grace_s)
        self.server = None
        return status

    def look(self):
        """Look for faults in every log of this folder (a take-over has two)."""
        for log in sorted(self.folder.glob("log*")):
            faults.check(log.read_text(errors="replace"), self.killed, log.name)

    def kill(self):
        """kill -9 of everything, as when the machine stops; `start` goes on with the same state."""
        if self.server:
            for pid in self.server.pids():
                self.signal(pid)
            self.server.stop(0, signal.SIGKILL)
            self.server = None

    def signal(self, pid, sign=signal.SIGKILL):
        """Send a signal to a process of the gateway; its end is then no surprise."""
        self.killed.add(pid)
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass

    def alive(self):
        return self.server is not None and self.server.alive()

    def roles(self):
        """{role: [pids]} as /proc shows them: a role names its process "hangu-ROLE" (the supervisor is the first
        one).
        """
        found = {role: [] for role in ROLES}
        for pid in process.children(self.server.pid):
            try:
                name = pathlib.Path("/proc/%d/comm" % pid).read_text().strip()
            except OSError:
                continue
            if pid == self.server.pid:
                found["supervisor"].append(pid)
            else:
                role = re.sub(r"^(hangud?[-:/])", "", name)
                for known in ROLES:
                    if role.startswith(known):
                        found[known].append(pid)
        return found

    def kill_role(self, role, which=0):
        """kill -9 of one process of a role; returns its pid."""
        pids = process.wait_for(lambda: self.roles()[role], 10, "a process of role " + role)
        self.signal(pids[which % len(pids)])
        return pids[which % len(pids)]

    # What it says.

    def log(self):
        return self.server.log() if self.server else (self.folder / "log").read_text(errors="replace")

    def metrics(self):
        """{name or name{labels}: number}."""
        with urllib.request.urlopen("http://%s:%d/metrics" % (HOST, self.metrics_port), timeout=10) as answer:
            text = answer.read().decode()
        return {
            m.group(1): float(m.group(2)) for m in re.finditer(r"(?m)^([a-z_]+(?:\{[^}]*\})?) ([0-9.eE+-]+)$", text)
        }

    def metric(self, name):
        """One number, or the sum of all labels of a family; 0 when it is absent."""
        numbers = self.metrics()
        return numbers.get(name, sum(v for k, v in numbers.items() if k.startswith(name + "{")))

    def command(self, *words, text=None, timeout_s=60, check=False):
        """Run the administrator's command against this gateway. Returns the finished process."""
        argv = [self._program("hangu"), "--run", self.sections["gateway"]["run"], *map(str, words)]
        return self._finished(argv, text, timeout_s, check)

    def check(self):
        """Let hangud check these settings without starting anything. Returns the finished process."""
        return self.run_to_end("--check")

    def run_to_end(self, *more):
        """hangud where it is expected to end by itself. Returns the finished process."""
        self.write_settings()
        return self._finished(self.argv(*more), None, 60, False)

    def verify(self, check=True):
        """Walk the journal's chain offline. Returns the finished process."""
        argv = [self._program("hangu"), "verify", self.sections["gateway"]["state"] / "journal"]
        return self._finished(argv, None, 300, check)

    def _program(self, name):
        program = self.programs / name if self.programs else places.program(name)
        if not program:
            raise Missing("this build has no " + name)
        return program

    @staticmethod
    def _finished(argv, text, timeout_s, check):
        done = subprocess.run(
            argv, input=text or "", capture_output=True, text=True, errors="replace", timeout=timeout_s
        )
        faults.check(done.stderr, where=" ".join(map(str, argv)))
        if done.returncode < 0:
            raise faults.Found("%s: ended by signal %d\n%s" % (" ".join(map(str, argv)), -done.returncode, done.stderr))
        if check and done.returncode != 0:
            raise AssertionError(
                "%s: %d\n%s%s" % (" ".join(map(str, argv[1:])), done.returncode, done.stdout, done.stderr)
            )
        return done

    def queue(self):
        """{state: recipients} of the whole queue: due, sending, deferred, uncertain, held."""
        text = self.command("queue", "summary", check=True).stdout
        return {state: int(count) for count, state in re.findall(r"(?m)^\s*(\d+) recipients (\w+)$", text)}

    def queued(self):
        """Recipients that still wait for an outcome; held ones do not count."""
        return sum(count for state, count in self.queue().items() if state != "held")

    def held(self):
        return self.queue()["held"]

    def wait_empty(self, timeout_s=60):
        """Until nothing waits for delivery; held messages do not count."""
        process.wait_for(lambda: self.queued() == 0, timeout_s, lambda: "an empty queue (%d left)" % self.queued(), 0.1)

    def reload(self):
        """Write the settings anew and tell the gateway; returns at once."""
        self.write_settings()
        os.kill(self.server.pid, signal.SIGHUP)

    def wait_log(self, pattern, timeout_s=20):
        return process.wait_for(
            lambda: re.search(pattern, self.log()),
            timeout_s,
            lambda: "%r in the log:\n%s" % (pattern, self.log()[-1500:]),
        )
