"""Count fsync and fdatasync calls of a set of processes, from the kernel's own trace points: costs next to nothing
and asks nobody to cooperate.

Needs root and a kernel with syscall trace points; `Counter.usable` says whether there are any.
"""
import os
import pathlib
import re
import subprocess
import threading

from harness import places

EVENTS = ("sys_enter_fsync", "sys_enter_fdatasync")


class Counter:
    """Counts from `start` to `stop` the calls of every thread that belonged to `server` at some time between."""

    def __init__(self, server):
        self.server = server
        self.usable, self._mounted, self._instance = False, None, None
        if os.geteuid() != 0:
            return
        top = pathlib.Path("/sys/kernel/tracing")
        if not (top / "instances").exists():
            own = places.scratch() / "tracing"
            own.mkdir(exist_ok=True)
            if subprocess.run(["mount", "-t", "tracefs", "none", str(own)], capture_output=True).returncode != 0:
                return
            self._mounted = top = own
        try:
            self._instance = top / "instances" / ("hangu-%d" % os.getpid())
            self._instance.mkdir()
            (self._instance / "buffer_size_kb").write_text("8192")  # a processor: some 100,000 calls
            for event in EVENTS:
                self._switch(event, True)
            self.usable = True
        except OSError:
            self.close()

    def _switch(self, event, on):
        (self._instance / "events/syscalls" / event / "enable").write_text("1" if on else "0")

    def start(self):
        (self._instance / "trace").write_text("")
        self._seen, self._over = set(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self):
        """The number of calls since `start`."""
        self._over.set()
        self._thread.join()
        self._look()
        callers = re.findall(r"(?m)^.*?-(\d+) +\[\d+\].*? sys_f(?:data)?sync\(", (self._instance / "trace").read_text())
        return sum(int(thread) in self._seen for thread in callers)

    def _watch(self):
        while not self._over.wait(0.02):
            self._look()

    def _look(self):
        for pid in self.server.pids():
            try:
                self._seen.update(int(t) for t in os.listdir("/proc/%d/task" % pid))
            except OSError:
                pass

    def close(self):
        if self._instance and self._instance.exists():
            for event in EVENTS:
                try:
                    self._switch(event, False)
                except OSError:
                    pass
            try:
                self._instance.rmdir()
            except OSError:
                pass
        if self._mounted:
            subprocess.run(["umount", str(self._mounted)], capture_output=True)
        self._instance = self._mounted = None
        self.usable = False
