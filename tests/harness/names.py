"""A name server for tests: answers from a small table, and says NXDOMAIN at once to everything else, so that nobody ever waits for a network.

    Names({"example.net": {"MX": [(10, "mx.example.net")]}, "mx.example.net": {"A": ["127.0.0.1"]}})

A value may also be Silent (no answer at all) or Fail (SERVFAIL) in place of a name's table.
"""
import itertools
import os
import socket
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3

_next = itertools.count(1)


class Silent:
    """No answer comes for this name."""


class Fail:
    """The answer for this name is SERVFAIL."""


class Names:
    """Listens on UDP. Root gets port 53 on a loopback address of its own (what resolv.conf can name), others a free port.

    `asked` lists the questions as (name, type number). `zones` may be changed at any time.
    """

    def __init__(self, zones=None):
        self.zones, self.asked, self._sock = zones or {}, [], None

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
                answer = self._answer(question)
                if answer:
                    sock.sendto(answer, peer)

    def _answer(self, question):
        """The answer (RFC 1035 section 4.1) to one question, or None for what is none."""
        if len(question) < 12 or question[2] & 0x80:
            return None
        labels, at = [], 12
        while at < len(question) and question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
            at += question[at] + 1
        if at + 5 > len(question):
            return None
        name = ".".join(labels).lower()
        (kind,) = struct.unpack(">H", question[at + 1 : at + 3])
        self.asked.append((name, kind))
        table = self.zones.get(name)
        if table is Silent:
            return None
        if table is Fail:
            return self._reply(question, at, SERVFAIL, [])
        if table is None:
            return self._reply(question, at, NXDOMAIN, [])
        records = [_record(kind, value) for word, values in table.items() if TYPES[word] == kind for value in values]
        return self._reply(question, at, NOERROR, records)

    @staticmethod
    def _reply(question, end, code, records):
        # Each record names the question (a pointer to byte 12), class IN, one minute to live.
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | question[2] << 8 & 0x100 | code, 1, len(records), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data for kind, data in records)
        return head + question[12 : end + 5] + body


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in text.split(".") if label) + b"\0"


def _record(kind, value):
    if kind == TYPES["A"]:
        return kind, socket.inet_pton(socket.AF_INET, value)
    if kind == TYPES["AAAA"]:
        return kind, socket.inet_pton(socket.AF_INET6, value)
    if kind == TYPES["MX"]:
        return kind, struct.pack(">H", value[0]) + _name(value[1])
    if kind == TYPES["TXT"]:
        return kind, bytes([len(value)]) + value.encode()
    return kind, _name(value)
