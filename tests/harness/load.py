"""Many numbered messages from several sessions at once, and an honest account of what became of each.

acknowledged: the server wrote 250 behind the final dot: from then on the message is its. refused: a 4xx or 5xx.
unknown: the connection was lost between the final dot and the reply; nobody can tell (RFC 5321 section 4.5.3.2).
"""
import threading
import time

from . import smtp

HOST = "127.0.0.1"


class Load:
    """`threads` senders take numbers from `first` upward until `count` are given out or `stop` is called; a refused
    number is tried again.

    Message n goes to m<n>@example.net and carries X-Test-Number: n.
    """

    def __init__(
        self, port, message, threads=6, count=None, first=0, per_session=10, pause_s=0.0, patience_s=30, again=True
    ):
        self.port, self.message, self.count, self.first, self.per_session = port, message, count, first, per_session
        self.pause_s, self.patience_s, self.again = pause_s, patience_s, again
        self.acknowledged, self.refused, self.unknown, self.slowest_s = set(), {}, set(), 0.0
        self._next, self._lock, self._over = first, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        """End after the message in hand."""
        self._over.set()
        return self.join()

    def join(self):
        for thread in self._threads:
            thread.join()
        return self

    def _take(self):
        with self._lock:
            if self._over.is_set() or (self.count is not None and self._next >= self.first + self.count):
                return None
            self._next += 1
            return self._next - 1

    def _run(self):
        number, client, sent = self._take(), None, 0
        while number is not None:
            stage = "before"
            started = time.monotonic()
            try:
                if client is None:
                    client = smtp.Client(self.port, HOST, self.patience_s)
                    if client.greeting.code != 220:
                        raise smtp.Closed(client.greeting.raw)
                    client.hello("load.example")
                    sent = 0
                answer = client.command("MAIL FROM:<sender@example.org>")
                if answer.code == 250:
                    answer = client.command("RCPT TO:<m%d@example.net>" % number)
                if answer.code == 250:
                    answer = client.command("DATA")
                if answer.code == 354:
                    client.send(smtp.stuffed(self.message(number)))
                    stage = "dot"
                    client.send(b".\r\n")
                    answer = client.reply()
                stage = "after"
                self.slowest_s = max(self.slowest_s, time.monotonic() - started)
                if answer.code == 250:
                    with self._lock:
                        self.acknowledged.add(number)
                    number, sent = self._take(), sent + 1
                else:
                    self._refused(number, answer)
                    client = self._end(client)
                    if not self.again:
                        number = self._take()
                if client and sent >= self.per_session:
                    client = self._end(client)
                if self.pause_s:
                    time.sleep(self.pause_s)
            except (OSError, smtp.Closed, AssertionError):
                if client:
                    client.close()
                    client = None
                if stage == "dot":
                    with self._lock:
                        self.unknown.add(number)
                    number = self._take()
                else:
                    if self._over.is_set():
                        number = None
                    time.sleep(0.05)
        if client:
            self._end(client)

    def _refused(self, number, answer):
        with self._lock:
            key = "%d %s" % (answer.code, answer.enhanced)
            self.refused[key] = self.refused.get(key, 0) + 1
        if self.again:
            if self._over.is_set():
                self.again = False
            time.sleep(0.05)

    @staticmethod
    def _end(client):
        try:
            client.quit()
        except (OSError, smtp.Closed):
            pass
        client.close()
        return None


class Account:
    """What came out against what went in: nothing acknowledged may be missing, and a second copy needs an excuse.

    An excuse is a delivery whose reply the gateway may not have read (the sink marks it), or a kill of the gateway
    while it was delivering; the latter are not known one by one, so they are counted and bounded by `kills_excuse`.
    """

    def __init__(self, load, arrivals):
        copies, excuses = {}, {}
        for arrival in arrivals:
            number = int(arrival.number())
            copies[number] = copies.get(number, 0) + 1
            if not arrival.certain:
                excuses[number] = excuses.get(number, 0) + 1
        self.lost = sorted(load.acknowledged - set(copies))
        self.duplicates = {n: c - 1 for n, c in copies.items() if c > 1}
        self.unexcused = {n: c - excuses.get(n, 0) for n, c in self.duplicates.items() if c > excuses.get(n, 0)}
        self.strangers = sorted(set(copies) - load.acknowledged - load.unknown)
        self.text = (
            "%d acknowledged, %d unknown, refused %s; %d arrived, %d lost, %d second copies, "
            "%d of them without an excuse at the sink"
            % (
                len(load.acknowledged),
                len(load.unknown),
                load.refused or "none",
                sum(copies.values()),
                len(self.lost),
                sum(self.duplicates.values()),
                sum(self.unexcused.values()),
            )
        )
