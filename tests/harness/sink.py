"""A mail server of our own that keeps every byte: next hop, LMTP store, and a scripted trouble-maker.

A `Sink` answers SMTP or LMTP on a loopback port, one thread a session, and stores what arrives exactly as it came
over the wire. A script lets it misbehave: at each stage it is asked what to do, and may answer with a reply of its
own or with one of the acts below.
"""
import dataclasses
import re
import socket
import ssl
import struct
import threading
import time

from . import places, process

HOST = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Say:
    """Answer with these lines instead of the usual reply (bytes are sent as they are, except to the final dot); `end` closes
    the connection afterwards.
    """

    lines: str | bytes
    end: bool = False


@dataclasses.dataclass(frozen=True)
class Stall:
    """Say nothing for so long, then go on as usual."""

    seconds: float


class Act:
    DROP = "close the connection without a reply"
    RESET = "reset the connection without a reply"
    LOSE = "store the message, then close without the reply it is due: the sender cannot know"


@dataclasses.dataclass
class Arrival:
    """One message as it came."""

    session: int
    peer: tuple
    protocol: str  # what the session was: SMTP, ESMTP, ESMTPS, LMTP, LMTPS
    greeted: str  # the name given with EHLO or LHLO
    sender: str
    sender_parameters: list
    recipients: list  # addresses that were answered 250 to RCPT
    recipient_parameters: list
    verb: str  # DATA or BDAT
    wire: bytes  # as it crossed the wire: dot-stuffed for DATA, without the final dot
    data: bytes  # the message itself
    acknowledged: bool = False  # whether the 250 was written
    certain: bool = True  # False: the session was cut before the sender showed that it had read it
    at: float = dataclasses.field(default_factory=time.monotonic)

    def number(self, name=b"X-Test-Number"):
        """The value of our own numbering field, or None."""
        found = re.search(rb"(?mi)^" + name + rb":[ \t]*([^\r\n]*)", self.data)
        return found.group(1).strip().decode() if found else None


class _Over(Exception):
    """The session ends."""


class Sink:
    """See the top of the file.

    offers: EHLO keywords. tls: a server SSL context (adds STARTTLS). script: callable(stage, session, argument) asked
    at the stages connect, ehlo, starttls, mail, rcpt, data, dot, rset, quit; None means "as usual". on_arrival:
    callable(arrival), told of every stored message.
    """

    banner = "220 sink.example ESMTP"

    def __init__(
        self,
        port=None,
        lmtp=False,
        offers=("PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING"),
        tls=None,
        script=None,
        on_arrival=None,
        host=HOST,
        keep=True,
        implicit_tls=False,
    ):
        self.host, self.port = host, port or places.free_port(host)
        self.lmtp, self.offers, self.tls, self.script, self.on_arrival, self.keep = (
            lmtp,
            tuple(offers),
            tls,
            script,
            on_arrival,
            keep,
        )
        self.implicit_tls = implicit_tls
        self.arrivals, self.count, self.sessions, self.open, self.commands = [], 0, 0, 0, []
        self.most_open = 0
        self.trouble = []  # what our own code stumbled over: a test that ends with any has failed
        self._lock = threading.Lock()
        self._listener, self._live = None, set()

    def __enter__(self):
        return self.listen()

    def __exit__(self, *_):
        self.close()

    def listen(self):
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(1024)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def close(self, reset=False):
        """Stop listening and end every open session; `listen` starts again. With `reset` the peers see a reset."""
        listener, self._listener = self._listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self._lock:
            live = list(self._live)
        for session in live:
            session.cut(reset)

    def wait(self, count, timeout_s=60):
        """Wait until `count` messages have come in all; returns them (nothing with keep=False)."""
        process.wait_for(
            lambda: self.count >= count, timeout_s, lambda: "%d messages at the sink (%d came)" % (count, self.count)
        )
        return self.arrivals

    def clear(self):
        with self._lock:
            self.arrivals, self.count, self.commands = [], 0, []

    def _accept(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            if self._listener is not listener:
                sock.close()
                return
            with self._lock:
                self.sessions += 1
                number = self.sessions
            session = self.session_class(self, sock, peer, number)
            threading.Thread(target=session.run, daemon=True).start()

    def _store(self, arrival):
        with self._lock:
            self.count += 1
            if self.keep:
                self.arrivals.append(arrival)
        if self.on_arrival:
            self.on_arrival(arrival)


class Session:
    """One connection to a sink. Subclasses (exchange.py) change single steps."""

    def __init__(self, sink, sock, peer, number):
        self.sink, self.sock, self.peer, self.number = sink, sock, peer, number
        self.left = b""
        self.secure = False
        self.greeted, self.extended = "", False
        self.born = time.monotonic()
        self.unread = (
            None  # the last message acknowledged, until the sender's next command shows that it read the reply
        )
        self.forget()

    def forget(self):
        self.sender, self.sender_parameters, self.recipients, self.recipient_parameters, self.chunks = (
            None,
            [],
            [],
            [],
            [],
        )

    def cut(self, reset=False):
        """End the session from our side. A message whose 250 the sender may not have read yet becomes uncertain."""
        arrival, self.unread = self.unread, None
        if arrival:
            arrival.certain = False
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.sock.close()
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def run(self):
        sink = self.sink
        with sink._lock:
            sink._live.add(self)
            sink.open += 1
            sink.most_open = max(sink.most_open, sink.open)
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if sink.implicit_tls:
                self.sock = sink.tls.wrap_socket(self.sock, server_side=True)
                self.secure = True
            self.greet()
            while True:
                line = self.line()
                self.unread = None
                self.command(line)
        except (_Over, OSError, ssl.SSLError):
            pass
        except Exception as failure:  # a thread's traceback would only scroll by
            sink.trouble.append(failure)
        finally:
            try:
                self.sock.close()
            except OSError:
                pass
            with sink._lock:
                sink._live.discard(self)
                sink.open -= 1

    # Bytes in, bytes out.

    def more(self):
        got = self.sock.recv(262144)
        if not got:
            raise _Over
        self.left += got

    def line(self):
        while b"\r\n" not in self.left:
            if len(self.left) > 65536:
                raise _Over
            self.more()
        line, _, self.left = self.left.partition(b"\r\n")
        return line

    def say(self, text):
        raw = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode()
        self.sock.sendall(raw + b"\r\n")

    def ask(self, stage, argument=None):
        """Let the script speak. True when it answered in our place."""
        act = self.sink.script(stage, self, argument) if self.sink.script else None
        while isinstance(act, Stall):
            time.sleep(act.seconds)
            act = None
        if act is None:
            return False
        if act == Act.RESET:
            self.cut(True)
            raise _Over
        if act == Act.DROP:
            raise _Over
        self.say(act.lines)
        if act.end:
            raise _Over
        return True

    # The dialogue.

    def greet(self):
        if not self.ask("connect"):
            self.say(self.sink.banner)

    def command(self, line):
        text = line.decode("utf-8", "replace")
        verb = text.split(" ")[0].split(":")[0].upper()
        self.sink.commands.append((self.number, text))
        handler = getattr(self, "on_" + verb.lower(), None) if verb.isalnum() else None
        if handler is None:
            self.unknown(text)
        else:
            handler(text)

    def unknown(self, text):
        self.say("500 5.5.1 unknown command")

    def capabilities(self):
        offers = list(self.sink.offers)
        if self.sink.tls and not self.secure:
            offers.append("STARTTLS")
        return offers

    def on_ehlo(self, text):
        if self.sink.lmtp and text[:4].upper() != "LHLO":
            return self.say("500 5.5.1 this is LMTP")
        self.greeted, self.extended = text[5:].strip(), True
        self.forget()
        if not self.ask("ehlo", self.greeted):
            lines = ["sink.example"] + self.capabilities()
            self.say("\n".join("250%s%s" % (" " if i == len(lines) - 1 else "-", one) for i, one in enumerate(lines)))

    def on_lhlo(self, text):
        if not self.sink.lmtp:
            return self.unknown(text)
        self.on_ehlo(text)

    def on_helo(self, text):
        self.greeted, self.extended = text[5:].strip(), False
        self.forget()
        if not self.ask("ehlo", self.greeted):
            self.say("250 sink.example")

    def on_starttls(self, _):
        if not self.sink.tls or self.secure:
            return self.say("503 5.5.1 no")
        if self.ask("starttls"):
            return
        self.say("220 2.0.0 go on")
        self.sock = self.sink.tls.wrap_socket(self.sock, server_side=True)
        self.secure, self.left, self.greeted = True, b"", ""
        self.forget()

    @staticmethod
    def path(text):
        inside = text.partition(":")[2].strip()
        address, _, rest = inside.partition(">") if inside.startswith("<") else inside.partition(" ")
        return address.lstrip("<"), rest.split()

    def on_mail(self, text):
        address, parameters = self.path(text)
        if self.ask("mail", address):
            return
        self.forget()
        self.sender, self.sender_parameters = address, parameters
        self.say("250 2.1.0 ok")

    def on_rcpt(self, text):
        address, parameters = self.path(text)
        if self.sender is None:
            return self.say("503 5.5.1 MAIL first")
        if self.ask("rcpt", address):
            return
        self.recipients.append(address)
        self.recipient_parameters.append(parameters)
        self.say("250 2.1.5 ok")

    def on_data(self, _):
        if not self.recipients:
            return self.say("554 5.5.1 no valid recipients")
        if self.ask("data"):
            return
        self.say("354 go on")
        # The only end of data is CRLF.CRLF; an empty message is a lone dot.
        while not self.left.startswith(b".\r\n") and b"\r\n.\r\n" not in self.left:
            self.more()
        if self.left.startswith(b".\r\n"):
            wire, self.left = b"", self.left[3:]
        else:
            wire, _, self.left = self.left.partition(b"\r\n.\r\n")
            wire += b"\r\n"
        self.whole("DATA", wire, re.sub(rb"(^|\r\n)\.", rb"\1", wire))

    def on_bdat(self, text):
        words = text.split()
        size = int(words[1])
        while len(self.left) < size:
            self.more()
        chunk, self.left = self.left[:size], self.left[size:]
        if not self.recipients:
            return self.say("503 5.5.1 no valid recipients")
        self.chunks.append(chunk)
        if words[-1].upper() == "LAST":
            whole = b"".join(self.chunks)
            self.whole("BDAT", whole, whole)
        elif not self.ask("bdat", size):
            self.say("250 2.0.0 %d octets" % size)

    def protocol(self):
        name = "LMTP" if self.sink.lmtp else "ESMTP" if self.extended else "SMTP"
        return name + ("S" if self.secure else "")

    def whole(self, verb, wire, data):
        arrival = Arrival(
            self.number,
            self.peer,
            self.protocol(),
            self.greeted,
            self.sender,
            self.sender_parameters,
            self.recipients,
            self.recipient_parameters,
            verb,
            wire,
            data,
        )
        self.forget()
        act = self.judge(arrival)
        if act == Act.LOSE:
            arrival.certain = False
            self.sink._store(arrival)
            raise _Over
        if isinstance(act, Say):
            self.say("\n".join([act.lines] * (len(arrival.recipients) if self.sink.lmtp else 1)))
            if act.end:
                raise _Over
            return
        # Stored before the reply is written: a sender that dies meanwhile has left the message here all the same.
        arrival.acknowledged, self.unread = True, arrival
        self.sink._store(arrival)
        try:
            if self.sink.lmtp:
                self.say("\n".join("250 2.1.5 <%s> stored" % one for one in arrival.recipients))
            else:
                self.say("250 2.0.0 stored as %d" % self.sink.count)
        except OSError:
            arrival.certain = False
            raise

    def judge(self, arrival):
        """What to do with a whole message: None to keep it, or Say, Act.LOSE; resets and drops happen here."""
        act = self.sink.script("dot", self, arrival) if self.sink.script else None
        if isinstance(act, Stall):
            time.sleep(act.seconds)
            return None
        if act == Act.RESET:
            self.cut(True)
            raise _Over
        if act == Act.DROP:
            raise _Over
        return act

    def on_rset(self, _):
        if not self.ask("rset"):
            self.forget()
            self.say("250 2.0.0 ok")

    def on_noop(self, _):
        self.say("250 2.0.0 ok")

    def on_vrfy(self, _):
        self.say("252 2.0.0 perhaps")

    def on_quit(self, _):
        if not self.ask("quit"):
            self.say("221 2.0.0 bye")
        raise _Over


Sink.session_class = Session


class Troubles:
    """A script that gives a seeded mixture of every trouble: deferrals and refusals at each stage, drops, resets,
    stalls, a lost last reply.

    `share` of the questions get trouble. A refusal (5xx) is given only with `refuse`, since it ends a message
    lawfully. The count of each act is in `given`; numbers of messages whose last reply was lost are in `uncertain`.
    """

    def __init__(self, random, share=0.15, stall_s=0.2, refuse=False):
        self.random, self.share, self.stall_s, self.refuse = random, share, stall_s, refuse
        self.given, self.uncertain, self.refused = {}, [], []
        self._lock = threading.Lock()

    def __call__(self, stage, session, argument):
        with self._lock:
            act = self._choose(stage)
            if act is None:
                return None
            name = act.lines[:3] if isinstance(act, Say) else "stall" if isinstance(act, Stall) else act.split()[0]
            self.given[(stage, name)] = self.given.get((stage, name), 0) + 1
            if stage == "dot" and act == Act.LOSE:
                self.uncertain.append(argument.number())
            if stage == "dot" and isinstance(act, Say) and act.lines[0] == "5":
                self.refused.append(argument.number())
            return act

    def _choose(self, stage):
        if stage not in ("connect", "ehlo", "mail", "rcpt", "data", "dot") or self.random.random() >= self.share / 4:
            return None
        choice = self.random.randrange(6)
        if choice == 0:
            return Stall(self.stall_s)
        if choice == 1:
            return Act.RESET
        if choice == 2:
            return Act.DROP
        if choice == 3 and stage == "dot":
            return Act.LOSE
        if choice == 4 and stage == "dot" and self.refuse:
            return Say("554 5.7.1 not wanted here")
        return Say("421 4.3.2 closing", end=True) if stage in ("connect", "ehlo") else Say("451 4.3.0 not now")
