"""Hold many idle sessions: connect, EHLO, optionally STARTTLS and EHLO again, then say nothing."""
import resource
import socket
import ssl
import threading

from harness import smtp

HOST = "127.0.0.1"
OPENERS = 16


def descriptors_needed(count):
    """Raise the limit of open files to hold `count` sockets; False when it cannot be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = count + 500
    if soft < want:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (want, max(hard, want)))
        except (ValueError, OSError):
            return False
    return True


class Crowd:
    """Sessions held open. `refused` counts those that were not greeted, not answered, or ended before `close`."""

    def __init__(self, port, tls=False, timeout_s=120):
        self.port, self.tls, self.timeout_s = port, tls, timeout_s
        self.sockets, self.refused = [], 0
        self._lock = threading.Lock()
        self._context = smtp.anyone() if tls else None

    def grow(self, count):
        """Open sessions until `count` are held or have been refused; several at a time."""

        def opener():
            while True:
                with self._lock:
                    if self._left == 0:
                        return
                    self._left -= 1
                held = self._open()
                with self._lock:
                    if held is None:
                        self.refused += 1
                    else:
                        self.sockets.append(held)

        self._left = count - len(self.sockets) - self.refused
        threads = [threading.Thread(target=opener) for _ in range(OPENERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(self.sockets)

    def _open(self):
        try:
            client = smtp.Client(self.port, HOST, self.timeout_s)
            if client.greeting.code != 220:
                client.close()
                return None
            client.hello("idle.example")
            if self.tls:
                client.starttls(self._context)
                client.hello("idle.example")
            client.sock.setblocking(False)
            return client.sock
        except (OSError, AssertionError, smtp.Closed):
            return None

    def ended(self):
        """How many of the held sessions the server has closed or spoken to since."""
        count = 0
        for sock in self.sockets:
            try:
                # Behind TLS a session ticket may still wait to be read; only application data or an end is news.
                sock.recv(1)
                count += 1
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except OSError:
                count += 1
        return count

    def close(self):
        for sock in self.sockets:
            try:
                socket.socket.close(sock)
            except OSError:
                pass
        self.sockets = []
