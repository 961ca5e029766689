"""A name server that knows nobody: answers every question with NXDOMAIN at once, so that no peer ever waits for a
network.
"""
import itertools
import os
import socket
import threading

_next = itertools.count(1)


class Nobody:
    """Listens on UDP. Root gets port 53 on a loopback address of its own (what resolv.conf can name), others a free
    port.
    """

    def __init__(self):
        self._sock = None

    def start(self):
        for _ in range(200):
            host = "127.53.%d.%d" % (os.getpid() % 250 + 1, next(_next) % 250 + 1)
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                sock.bind((host, 53 if os.geteuid() == 0 else 0))
            except OSError:
                sock.close()
                continue
            self._sock, self.host, self.port = sock, host, sock.getsockname()[1]
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()
            return self
        raise RuntimeError("no loopback address for a name server")

    @property
    def address(self):
        return "%s:%d" % (self.host, self.port)

    def stop(self):
        sock, self._sock = self._sock, None
        if sock:
            # A datagram to itself ends the wait.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", (self.host, self.port))

    def _serve(self, sock):
        with sock:
            while True:
                question, peer = sock.recvfrom(4096)
                if self._sock is not sock:
                    return
                answer = refusal(question)
                if answer:
                    sock.sendto(answer, peer)


def refusal(question):
    """The NXDOMAIN answer (RFC 1035 section 4.1.1) to a question, or None for what is no question."""
    if len(question) < 12 or question[2] & 0x80:
        return None
    end = 12
    while end < len(question) and question[end]:
        end += question[end] + 1
    return question[:2] + bytes([0x81 | question[2] & 0x01, 0x83]) + question[4:6] + bytes(6) + question[12 : end + 5]
