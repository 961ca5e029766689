"""A server we started: its log, its whole process tree, its CPU time and memory, its end.

CPU time is taken from a cgroup when one can be made (version 1 cpuacct, or version 2), because a cgroup also counts
processes that are long gone. Without one, /proc is summed over the tree, children already waited for included. Memory
is the proportional set size of every process of the tree.
"""
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

_TICKS = os.sysconf("SC_CLK_TCK")
_serial_lock = threading.Lock()
_serial = [0]


def wait_for(question, timeout_s, what, step_s=0.02):
    """Ask until the answer is true and return it; past the time limit raise with `what`."""
    end = time.monotonic() + timeout_s
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError("%s: not within %g s" % (what() if callable(what) else what, timeout_s))
        time.sleep(step_s)


def children(pid):
    """`pid` and everything below it, as far as /proc shows it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            for task in os.listdir("/proc/%d/task" % one):
                todo += [int(c) for c in pathlib.Path("/proc/%d/task/%s/children" % (one, task)).read_text().split()]
        except OSError:
            pass
    return found


def stat(pid):
    """(state, CPU seconds of the process, CPU seconds of children it has waited for), or None when it is gone."""
    try:
        fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], (int(fields[11]) + int(fields[12])) / _TICKS, (int(fields[13]) + int(fields[14])) / _TICKS


class Group:
    """A cgroup for one contender; usable is False where none can be made."""

    def __init__(self, name):
        with _serial_lock:
            _serial[0] += 1
            leaf = "hangu-%d-%d-%s" % (os.getpid(), _serial[0], name)
        self.path, self.version = None, 0
        for parent, version in (("/sys/fs/cgroup/cpuacct", 1), ("/sys/fs/cgroup", 2)):
            probe = "cpuacct.usage" if version == 1 else "cgroup.controllers"
            if not os.path.exists("%s/%s" % (parent, probe)):
                continue
            try:
                os.mkdir("%s/%s" % (parent, leaf))
            except OSError:
                continue
            self.path, self.version = "%s/%s" % (parent, leaf), version
            break

    @property
    def usable(self):
        return self.path is not None

    def enter(self):
        """For the child between fork and exec."""
        with open(self.path + "/cgroup.procs", "w") as procs:
            procs.write("0")

    def pids(self):
        with open(self.path + "/cgroup.procs") as procs:
            return [int(line) for line in procs]

    def cpu_s(self):
        if self.version == 1:
            return int(pathlib.Path(self.path + "/cpuacct.usage").read_text()) / 1e9
        return int(re.search(r"usage_usec (\d+)", pathlib.Path(self.path + "/cpu.stat").read_text()).group(1)) / 1e6

    def close(self):
        if self.usable:
            for _ in range(100):
                try:
                    os.rmdir(self.path)
                    break
                except OSError:
                    time.sleep(0.02)
            self.path = None


class Server:
    """One started program with all it forks. Ended by its own process ids only."""

    def __init__(self, name, argv, log, env=None, cwd=None, accounted=False, pass_fds=()):
        self.name, self.log_path = name, pathlib.Path(log)
        self.group = Group(name) if accounted else None
        if self.group and not self.group.usable:
            self.group = None
        self._log = open(log, "ab")
        enter = self.group.enter if self.group else None
        self.process = subprocess.Popen(
            [str(a) for a in argv],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            preexec_fn=enter,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self._tree_cpu = {}

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def pids(self):
        if self.group:
            return self.group.pids()
        return [p for p in children(self.pid) if stat(p)]

    def cpu_s(self):
        """CPU seconds used so far by the program and all it ever forked (the fall-back misses what nobody waited
        for).
        """
        if self.group:
            return self.group.cpu_s()
        for pid in self.pids():
            times = stat(pid)
            if times:
                self._tree_cpu[pid] = times[1] + times[2]
        return sum(self._tree_cpu.values())

    def memory_kib(self):
        """(proportional set size, resident set size, processes) over the tree, KiB."""
        pss = rss = count = 0
        for pid in self.pids():
            try:
                text = pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text()
            except OSError:
                continue
            found = dict(re.findall(r"^(Pss|Rss):\s+(\d+)", text, re.M))
            if found:
                pss, rss, count = pss + int(found["Pss"]), rss + int(found["Rss"]), count + 1
        return pss, rss, count

    def stop(self, grace_s=10, sign=signal.SIGTERM):
        """Ask it to end, then end every process of its tree by force. Returns the exit status, negative for a
        signal.
        """
        if self.alive():
            tree = self.pids()
            self._send(self.pid, sign)
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                pass
            self._kill(tree + self.pids())
        self.process.wait()
        if self.group:
            for _ in range(200):
                left = self.group.pids()
                if not left:
                    break
                self._kill(left)
                time.sleep(0.02)
            self.group.close()
            self.group = None
        self._log.close()
        return self.process.returncode

    def _kill(self, pids):
        for pid in pids:
            if not self.group and pid != self.pid and pid not in children(self.pid):
                continue
            self._send(pid, signal.SIGKILL)

    @staticmethod
    def _send(pid, sign):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass
