"""A plain SMTP client for tests: says exactly the bytes it is told to, and keeps every byte it gets."""
import re
import socket
import ssl


class Closed(Exception):
    """The server ended the connection where a reply was due."""


class Reply:
    """One SMTP reply: code, lines of text, raw bytes."""

    def __init__(self, raw):
        self.raw = raw
        self.lines = [line[4:] for line in raw.decode("utf-8", "replace").splitlines()]
        self.code = int(raw[:3]) if raw[:3].isdigit() else 0

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def enhanced(self):
        """The enhanced status code (RFC 3463) at the front of the text, or the empty string."""
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?= )", self.lines[0] if self.lines else "")
        return found.group(0) if found else ""

    def __repr__(self):
        return "<%d %s>" % (self.code, " / ".join(self.lines)[:200])


class Client:
    """One session. `port` on loopback by default; `timeout_s` for every wait."""

    def __init__(self, port, host="127.0.0.1", timeout_s=30, source=None, greeting=True):
        self.sock = socket.create_connection((host, port), timeout_s, source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""
        self.transcript = b""
        self.greeting = self.reply() if greeting else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        while b"\n" not in self._left:
            try:
                got = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                got = b""
            if not got:
                raise Closed(self.transcript[-300:])
            self._left += got
            self.transcript += got
        line, _, self._left = self._left.partition(b"\n")
        return line + b"\n"

    def reply(self):
        raw = b""
        while True:
            line = self.line()
            raw += line
            if line[3:4] != b"-":
                return Reply(raw)

    def command(self, text):
        """Send one line (str or bytes, without CRLF) and return the reply."""
        self.send((text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        return self.reply()

    def hello(self, name="client.example"):
        """EHLO; returns the set of offered keywords in upper case, each mapped to its parameter text."""
        answer = self.command("EHLO " + name)
        if answer.code != 250:
            raise AssertionError("EHLO: %r" % answer)
        self.offers = {line.split()[0].upper(): line.partition(" ")[2] for line in answer.lines[1:] if line.split()}
        return self.offers

    def starttls(self, context=None, name="localhost"):
        answer = self.command("STARTTLS")
        if answer.code != 220:
            raise AssertionError("STARTTLS: %r" % answer)
        self.wrap(context, name)

    def wrap(self, context=None, name="localhost"):
        self.sock = (context or anyone()).wrap_socket(self.sock, server_hostname=name)

    def envelope(self, sender, recipients, parameters=""):
        """MAIL and RCPT; returns the replies to RCPT. A refused MAIL is a failed assertion."""
        answer = self.command("MAIL FROM:<%s>%s" % (sender, parameters))
        if answer.code != 250:
            raise AssertionError("MAIL: %r" % answer)
        return [self.command("RCPT TO:<%s>" % r) for r in recipients]

    def data(self, message):
        """DATA with `message` (CRLF line ends already) dot-stuffed; returns the reply to the final dot."""
        answer = self.command("DATA")
        if answer.code != 354:
            return answer
        self.send(stuffed(message) + b".\r\n")
        return self.reply()

    def bdat(self, message, chunk=65536):
        """The same by BDAT (RFC 3030); returns the last reply."""
        rest, answer = message, None
        while True:
            part, rest = rest[:chunk], rest[chunk:]
            self.send(b"BDAT %d%s\r\n" % (len(part), b"" if rest else b" LAST") + part)
            answer = self.reply()
            if not rest or answer.code != 250:
                return answer

    def quit(self):
        answer = self.command("QUIT")
        self.close()
        return answer


def anyone():
    """A TLS context that accepts every certificate: what opportunistic TLS does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def stuffed(message):
    """Dot-stuffed, and ended with CRLF when it was not."""
    message = re.sub(rb"(?m)^\.", b"..", message) if b"." in message else message
    return message if message.endswith(b"\r\n") or not message else message + b"\r\n"


def send(
    port,
    message,
    sender="sender@example.org",
    recipients=("rcpt@example.net",),
    host="127.0.0.1",
    timeout_s=30,
    parameters="",
):
    """One whole session with one message; returns the reply that decided, and never raises for a refusal."""
    with Client(port, host, timeout_s) as client:
        if client.greeting.code != 220:
            return client.greeting
        client.hello()
        answer = client.command("MAIL FROM:<%s>%s" % (sender, parameters))
        if answer.code != 250:
            return answer
        accepted = [client.command("RCPT TO:<%s>" % r) for r in recipients]
        if not any(a.code // 100 == 2 for a in accepted):
            return accepted[0]
        answer = client.data(message)
        try:
            client.quit()
        except (Closed, OSError):
            pass
        return answer
