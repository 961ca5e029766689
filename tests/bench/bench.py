#!/usr/bin/env python3
"""make bench: what Hangu and Postfix do with the same mail on the same machine in the same run.

    bench.py [--only 'relay.* idle.*'] [--rounds N] [--contenders hangu,postfix] [--out FILE] [--scale F]

Load comes from Postfix's smtp-source, mail goes on to smtp-sink; neither is counted. Contenders take turns, several
rounds; what is printed is the median over rounds, and ratios are medians of the ratios within a round (Hangu's value
divided by the peer's). Each line:

    bench <name> <value> <unit> [ratio <r> vs <peer>]

and build/bench.json gets a list of {name, value, unit, peer, ratio}. Lines that begin with `#` are for people.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import random
import re
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from bench import contenders, idle, messages, syncs  # noqa: E402
from harness import aside, names, gateway, peers, places, process, smtp  # noqa: E402

HOST = "127.0.0.1"

# name: (message, sessions, many messages a session, messages in the first round, ratio wanted)
RELAY = {
    "relay.4k.20x1": ("4k", 20, False, 1000),
    "relay.4k.20xmany": ("4k", 20, True, 1500),
    "relay.4k.500x1": ("4k", 500, False, 1500),
    "relay.64k.20x1": ("64k", 20, False, 600),
    "relay.1m.20x1": ("1m", 20, False, 120),
}
NAMES = list(RELAY) + [
    "relay.cpu.4k.20x1",
    "latency.dot.p50",
    "latency.dot.p99",
    "sync.per_message",
    "idle.plain",
    "idle.tls",
    "footprint.idle",
]

# After the first round every contender gets as many messages as keep it busy for so long.
CELL_S = 2.5
LATENCY_MESSAGES = 400
LATENCY_GAP_S = 0.01
CEILING_ROUNDS = 3
IDLE_LEVELS = {"hangu": (1000, 10000), "postfix": (1000,)}  # ten thousand sessions are ten thousand processes there
RELAY_LIMIT_S = 180


def say(text):
    print(text, flush=True)


class Sink:
    """Postfix's smtp-sink, counting."""

    def __init__(self):
        self.port = places.free_port()
        self.folder = places.run_folder("bench-sink")
        program, environment = aside.tool("postfix", "smtp-sink")
        self.server = process.Server(
            "smtp-sink",
            [program, "-c", "-u", "nobody", "-m", "4000", "%s:%d" % (HOST, self.port), "1024"],
            self.folder / "count",
            env=environment,
        )
        process.wait_for(lambda: peers.greets(self.port), 10, "smtp-sink to listen")

    def count(self):
        with open(self.folder / "count", "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 400))
            found = re.findall(rb"mesg=(\d+)", file.read())
        return int(found[-1]) if found else 0

    def stop(self):
        self.server.stop()
        places.remove(self.folder)


class Straight:
    """Nobody between smtp-source and smtp-sink: what the two make by themselves on this machine."""

    name = "straight"

    def __init__(self):
        self.sink = Sink()
        self.server = self
        self.port = self.sink.port

    def cpu_s(self):
        return 0.0

    def stop(self):
        self.sink.stop()


class Entry:
    """A running contender with its own sink."""

    def __init__(self, kind, resolver, **options):
        self.name = kind.name
        self.sink = Sink()
        self.contender = kind(self.sink.port, resolver, **options)
        try:
            self.contender.start()
        except BaseException:
            self.sink.stop()
            raise

    @property
    def server(self):
        return self.contender.server

    @property
    def port(self):
        return self.contender.port

    def stop(self):
        self.contender.stop()
        self.sink.stop()


def relay(entry, cell, count, folder):
    """One cell once: messages in, all of them out. Returns {rate, cpu_per_1000, lost, error}."""
    message, sessions, many, _ = RELAY[cell]
    before, cpu_before, started = entry.sink.count(), entry.server.cpu_s(), time.monotonic()
    outcome = {}

    def source():
        outcome["status"], outcome["seconds"], outcome["text"] = peers.smtp_source(
            entry.port, sessions, count, file=folder / (message + ".eml"), many=many, timeout_s=RELAY_LIMIT_S
        )

    thread = threading.Thread(target=source)
    thread.start()
    while time.monotonic() - started < RELAY_LIMIT_S:
        if entry.sink.count() - before >= count:
            break
        if (
            not thread.is_alive()
            and outcome.get("status") != 0
            and time.monotonic() - started > outcome.get("seconds", 0) + 5
        ):
            break
        time.sleep(0.01)
    seconds = time.monotonic() - started
    thread.join()
    arrived = entry.sink.count() - before
    time.sleep(0.25)  # what is written down after the last delivery belongs to it
    cpu = entry.server.cpu_s() - cpu_before
    return {
        "rate": arrived / seconds,
        "cpu_per_1000": cpu / max(arrived, 1) * 1000,
        "missing": count - arrived,
        "error": outcome.get("text", "") if outcome.get("status") else "",
        "accept_rate": count / outcome.get("seconds", seconds),
    }


def latency(entry, count, folder):
    """End of DATA to 250, one session at a time; between two messages one append of the same size is synced on the
    same disk.

    Returns (milliseconds of the dots, milliseconds of the syncs)."""
    body = smtp.stuffed(messages.make("4k").replace(b"\n", b"\r\n"))
    dots, appends = [], []
    path = folder / "append"
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        for number in range(count):
            with smtp.Client(entry.port, HOST) as client:
                client.hello("latency.example")
                client.envelope("sender@example.org", ["%drcpt@example.net" % number])
                if client.command("DATA").code != 354:
                    raise RuntimeError("%s: DATA refused" % entry.name)
                client.send(body)
                time.sleep(LATENCY_GAP_S)
                started = time.perf_counter()
                client.send(b".\r\n")
                answer = client.reply()
                dots.append((time.perf_counter() - started) * 1000)
                if answer.code != 250:
                    raise RuntimeError("%s: %r" % (entry.name, answer))
                client.quit()
            time.sleep(LATENCY_GAP_S)
            started = time.perf_counter()
            os.write(file, body)
            os.fdatasync(file)
            appends.append((time.perf_counter() - started) * 1000)
    finally:
        os.close(file)
        path.unlink()
    return dots, appends


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Bench:
    def __init__(self, kinds, wanted, rounds, scale):
        self.kinds, self.wanted, self.rounds, self.scale = kinds, wanted, rounds, scale
        self.values = {}  # (name, contender): [a value a round]
        self.units = {}
        self.remarks = []
        self.folder = places.run_folder("bench")
        messages.write(self.folder)
        self.resolver = names.Names().start()
        self.failed = False

    def wants(self, *names):
        return any(name in self.wanted for name in names)

    def note(self, name, contender, value, unit):
        self.values.setdefault((name, contender), []).append(value)
        self.units[name] = unit

    def remark(self, text):
        self.remarks.append(text)
        say("# " + text)

    def trouble(self, text):
        self.failed = True
        self.remark("TROUBLE: " + text)

    def run(self):
        relay_wanted = [
            cell for cell in RELAY if self.wants(cell) or (cell == "relay.4k.20x1" and self.wants("relay.cpu.4k.20x1"))
        ]
        try:
            if relay_wanted or self.wants("latency.dot.p50", "latency.dot.p99", "sync.per_message"):
                self.moving(relay_wanted)
            for name, tls in (("idle.plain", False), ("idle.tls", True)):
                if self.wants(name) or (name == "idle.plain" and self.wants("footprint.idle")):
                    self.idle(name, tls)
        finally:
            self.resolver.stop()

    def start(self, **options):
        entries = []
        try:
            for kind in self.kinds:
                entries.append(Entry(kind, self.resolver.address, **options))
        except BaseException:
            for entry in entries:
                entry.stop()
            raise
        return entries

    def moving(self, cells):
        """Rounds of relay cells, latency and sync counts with all contenders up; they take turns in random order."""
        entries = self.start()
        counts = {}
        try:
            for entry in entries:
                relay(entry, "relay.4k.20x1", 100, self.folder)  # warm: processes forked, connections made, files there
            for number in range(self.rounds):
                for cell in cells:
                    for entry in random.sample(entries, len(entries)):
                        self.relay(entry, cell, counts)
                    if number < CEILING_ROUNDS:
                        self.ceiling(cell, counts)
                if self.wants("latency.dot.p50", "latency.dot.p99"):
                    for entry in random.sample(entries, len(entries)):
                        self.latency(entry)
                if self.wants("sync.per_message") and number < 2:
                    for entry in entries:
                        self.syncs(entry)
        finally:
            for entry in entries:
                entry.stop()

    def relay(self, entry, cell, counts):
        first = max(20, int(RELAY[cell][3] * self.scale))
        count = counts.get((cell, entry.name), first)
        result = relay(entry, cell, count, self.folder)
        if result["missing"] or result["error"]:
            self.trouble(
                "%s %s: %d of %d missing; smtp-source: %s"
                % (entry.name, cell, result["missing"], count, result["error"][-160:] or "fine")
            )
        self.note(cell, entry.name, result["rate"], "messages/s")
        if cell == "relay.4k.20x1":
            self.note("relay.cpu.4k.20x1", entry.name, result["cpu_per_1000"], "s/1000")
        counts[(cell, entry.name)] = max(first, min(first * 20, int(result["rate"] * CELL_S * self.scale)))
        self.remark(
            "%s %s %d messages: %.0f/s, accepted %.0f/s, CPU %.3f s/1000"
            % (entry.name, cell, count, result["rate"], result["accept_rate"], result["cpu_per_1000"])
        )

    def ceiling(self, cell, counts):
        entry = Straight()
        try:
            count = max(counts[cell, other] for _, other in counts if (cell, other) in counts)
            self.note("ceiling." + cell, entry.name, relay(entry, cell, count, self.folder)["rate"], "messages/s")
        finally:
            entry.stop()

    def latency(self, entry):
        dots, appends = latency(entry, max(20, int(LATENCY_MESSAGES * self.scale)), self.folder)
        for share, name in ((0.5, "p50"), (0.99, "p99")):
            self.note("latency.dot." + name, entry.name, quantile(dots, share), "ms")
            self.note("fdatasync." + name, entry.name, quantile(appends, share), "ms")
        self.remark(
            "%s end of DATA to 250: p50 %.3f ms, p99 %.3f ms; append and fdatasync between: p50 %.3f ms, p99 %.3f ms"
            % (entry.name, quantile(dots, 0.5), quantile(dots, 0.99), quantile(appends, 0.5), quantile(appends, 0.99))
        )

    def syncs(self, entry):
        counter = syncs.Counter(entry.server)
        count = max(40, int(1000 * self.scale))
        own_before = entry.contender.syncs()
        if counter.usable:
            counter.start()
        result = relay(entry, "relay.4k.20x1", count, self.folder)
        own = None if own_before is None else entry.contender.syncs() - own_before
        seen = counter.stop() if counter.usable else None
        counter.close()
        calls = seen if seen is not None else own
        if calls is None:
            return self.remark("sync.per_message: no trace points here, and %s keeps no count" % entry.name)
        self.note("sync.per_message", entry.name, calls / max(1, count - result["missing"]), "syncs/message")
        self.remark(
            "%s %.3f syncs a message at 20 sessions%s"
            % (entry.name, calls / count, "" if own is None else " (its own count: %d, the kernel's %s)" % (own, seen))
        )

    def idle(self, name, tls):
        """Each contender alone: the whole of it idle, then with sessions held."""
        for kind in self.kinds:
            levels = [n for n in IDLE_LEVELS[kind.name] if idle.descriptors_needed(n)]
            levels = [max(10, int(n * self.scale)) for n in levels] if self.scale < 1 else levels
            entry = Entry(kind, self.resolver.address, sessions_max=max(levels) + 200, tls=tls)
            crowd = idle.Crowd(entry.port, tls)
            try:
                relay(entry, "relay.4k.20x1", 100, self.folder)
                time.sleep(2)
                empty = entry.server.memory_kib()
                if name == "idle.plain":
                    self.note("footprint.idle", kind.name, empty[0] / 1024, "MiB")
                    self.remark(
                        "%s idle: %.1f MiB proportional, %.1f MiB resident, %d processes"
                        % (kind.name, empty[0] / 1024, empty[1] / 1024, empty[2])
                    )
                for level in levels:
                    started = time.monotonic()
                    held = crowd.grow(level)
                    seconds = time.monotonic() - started
                    time.sleep(1)
                    full = entry.server.memory_kib()
                    gone = crowd.ended()
                    each = (full[0] - empty[0]) / max(1, held)
                    if (
                        level == levels[0]
                        or (kind.name, name) not in self._worst
                        or each > self._worst[kind.name, name]
                    ):
                        self._worst[kind.name, name] = each
                    text = "%s %s %d: %d held, %d refused, %d ended, %.2f KiB a session (opened in %.1f s)" % (
                        kind.name,
                        name,
                        level,
                        held,
                        crowd.refused,
                        gone,
                        each,
                        seconds,
                    )
                    if crowd.refused or gone:
                        self.trouble(text)
                    else:
                        self.remark(text)
                self.note(name, kind.name, self._worst[kind.name, name], "KiB/session")
            finally:
                crowd.close()
                entry.stop()

    _worst = {}

    def report(self, path):
        """Print a line for each name of ours; without the gateway in the run, the peers' values as remarks."""
        rows = []
        ours = contenders.Hangu.name
        peer_names = [k.name for k in self.kinds if k.name != ours]
        for name in NAMES:
            if name not in self.wanted:
                continue
            for peer in peer_names:
                if (name, peer) in self.values:
                    say("# %s %s %.4g %s" % (peer, name, statistics.median(self.values[name, peer]), self.units[name]))
            mine = self.values.get((name, ours))
            if not mine:
                continue
            row = {
                "name": name,
                "value": round(statistics.median(mine), 4),
                "unit": self.units[name],
                "peer": None,
                "ratio": None,
            }
            for peer in peer_names[:1]:
                theirs = self.values.get((name, peer))
                if theirs and all(theirs):
                    row["peer"], row["ratio"] = peer, round(statistics.median(a / b for a, b in zip(mine, theirs)), 4)
            rows.append(row)
            straight = self.values.get(("ceiling." + name, Straight.name))
            if straight:
                theirs = self.values.get((name, row["peer"]))
                say(
                    "# %s: smtp-source straight into smtp-sink makes %.4g messages/s%s"
                    % (
                        name,
                        statistics.median(straight),
                        ", %.2f times %s" % (statistics.median(straight) / statistics.median(theirs), row["peer"])
                        if theirs
                        else "",
                    )
                )
            say(
                "bench %s %g %s%s"
                % (
                    name,
                    row["value"],
                    row["unit"],
                    " ratio %g vs %s" % (row["ratio"], row["peer"]) if row["peer"] else "",
                )
            )
        for share in ("p50", "p99"):
            pair = self.values.get(("latency.dot." + share, ours)), self.values.get(("fdatasync." + share, ours))
            if all(pair):
                say(
                    "# latency.dot.%s is %.2f times fdatasync of a same-sized append (%.3f ms)"
                    % (share, statistics.median(a / b for a, b in zip(*pair)), statistics.median(pair[1]))
                )
        path.write_text(json.dumps(rows, indent=1) + "\n")
        detail = [
            {"name": name, "contender": who, "values": [round(v, 4) for v in values]}
            for (name, who), values in self.values.items()
        ]
        path.with_name("bench-detail.json").write_text(
            json.dumps({"values": detail, "remarks": self.remarks}, indent=1) + "\n"
        )


def disk_of(path):
    """(file system, mount point) below which `path` lies."""
    best = ("?", "")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        device, point, kind = line.split()[:3]
        if str(path).startswith(point.rstrip("/") + "/") and len(point) >= len(best[1]):
            best = (kind, point)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), help="names or patterns, separated by blanks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contenders", default="hangu,postfix")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies message counts, for a quick look")
    parser.add_argument("--out", default=str(places.scratch() / "bench.json"))
    options = parser.parse_args()
    patterns = options.only.split() or ["*"]
    wanted = [name for name in NAMES if any(fnmatch.fnmatch(name, p) or re.fullmatch(p, name) for p in patterns)]
    if not wanted:
        parser.error("no such name; there are: " + " ".join(NAMES))
    kinds = []
    for name in options.contenders.split(","):
        kind = {"hangu": contenders.Hangu, "postfix": contenders.Postfix}[name]
        if kind is contenders.Hangu and not gateway.built():
            say("# no hangud in %s: peers only" % places.build())
            continue
        kinds.append(kind)
    kind, point = disk_of(places.scratch())
    load = os.getloadavg()[0]
    say(
        "# spools on %s (%s), %d processors, load %.1f before the run, Linux %s"
        % (kind, point, os.cpu_count(), load, os.uname().release)
    )
    if kind == "tmpfs":
        say("# TROUBLE: spools in memory say nothing about durable mail; set HANGU_SCRATCH to a folder on a disk")
        raise SystemExit(2)
    bench = Bench(kinds, wanted, options.rounds, options.scale)
    try:
        bench.run()
    finally:
        places.remove(bench.folder)
    bench.report(pathlib.Path(options.out))
    raise SystemExit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
