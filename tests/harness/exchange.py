"""`exch-smtp`: a double of an Exchange Server at the SMTP port, with the quirks that senders meet (INTEGRATIONS.md
I-2, I-6 to I-8, I-12, section 12).

As server: the EHLO with words nobody should use; every RCPT is accepted, but one unknown recipient makes it refuse
the whole message after DATA; from the 201st recipient on 452 4.5.3; every 5xx comes late (tarpit); now and then 451
4.4.0 because the copy on another server failed; more than 30 Received fields are a loop; it closes at the 5th
protocol error, after 10 minutes, and refuses a 21st connection of one address; organisation headers of strangers are
stripped before the message is kept. As client it sends by BDAT.
"""
import re
import threading
import time

from . import sink, smtp

RECIPIENTS_MAX = 200
RECEIVED_MAX = 30
ERRORS_MAX = 5
CONNECTIONS_MAX = 20
LIFETIME_S = 600


class Session(sink.Session):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.errors = 0

    def greet(self):
        with self.sink._lock:
            mine = sum(1 for one in self.sink._live if one.peer[0] == self.peer[0])
        if mine > self.sink.connections_max:
            self.sink.note("connections")
            self.say(
                "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, "
                "closing transmission channel"
            )
            raise sink._Over
        super().greet()

    def command(self, line):
        if time.monotonic() - self.born > self.sink.lifetime_s:
            self.sink.note("lifetime")
            self.say("421 4.4.1 Connection timed out")
            raise sink._Over
        super().command(line)

    def say(self, text):
        """Every refusal waits; a protocol error counts."""
        if text.startswith("5"):
            time.sleep(self.sink.tarpit_s)
        super().say(text)
        if text[:3] in ("500", "501", "502", "503", "504"):
            self.errors += 1
            if self.errors >= ERRORS_MAX:
                self.sink.note("errors")
                super().say("421 4.7.0 Too many errors on this connection, closing transmission channel")
                raise sink._Over

    def unknown(self, text):
        verb = text.split(" ")[0].upper()
        if verb in ("X-EXPS", "X-ANONYMOUSTLS", "XEXCH50", "XRDST"):
            self.sink.note("private verb " + verb)
        self.say("500 5.3.3 Unrecognized command")

    def capabilities(self):
        offers = [
            "SIZE 37748736",
            "PIPELINING",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "X-ANONYMOUSTLS",
            "AUTH NTLM",
            "X-EXPS GSSAPI NTLM",
            "8BITMIME",
            "BINARYMIME",
            "CHUNKING",
            "XRDST",
        ]
        if self.sink.tls and not self.secure:
            offers.insert(4, "STARTTLS")
        return offers

    def on_mail(self, text):
        if "BODY=BINARYMIME" in text.upper():
            self.sink.note("BINARYMIME used")
        super().on_mail(text)

    def on_rcpt(self, text):
        if len(self.recipients) >= RECIPIENTS_MAX:
            self.sink.note("recipients")
            return self.say("452 4.5.3 Too many recipients")
        super().on_rcpt(text)

    def judge(self, arrival):
        act = super().judge(arrival)
        if act is not None:
            return act
        bad = [one for one in arrival.recipients if self.sink.unknown(one)]
        if bad:
            self.sink.note("unknown recipient")
            return sink.Say("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found")
        head = arrival.data.partition(b"\r\n\r\n")[0]
        if len(re.findall(rb"(?mi)^Received:", head)) > RECEIVED_MAX:
            self.sink.note("loop")
            return sink.Say("554 5.4.6 Hop count exceeded - possible mail loop")
        with self.sink._lock:
            fails = self.sink.redundancy_fails > 0
            self.sink.redundancy_fails -= fails
        if fails:
            self.sink.note("redundancy")
            return sink.Say("451 4.4.0 Message failed to be made redundant")
        arrival.kept = without_organisation_headers(arrival.data)
        return None


def without_organisation_headers(message):
    """The message as Exchange keeps one from a stranger: no X-MS-Exchange-Organization-* or -Forest-* field."""
    head, gap, body = message.partition(b"\r\n\r\n")
    head = re.sub(
        rb"(?mi)^X-MS-Exchange-(?:Organization|Forest)-[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)", b"", head + b"\r\n"
    )
    return head.removesuffix(b"\r\n") + gap + body


class Exchange(sink.Sink):
    """See the top of the file. `unknown` tells whether an address has no mailbox; `noted` counts every quirk that
    was met.
    """

    banner = "220 exch.example Microsoft ESMTP MAIL Service ready"
    session_class = Session

    def __init__(
        self,
        unknown=lambda address: address.lower().startswith("nobody"),
        tarpit_s=5.0,
        redundancy_fails=0,
        lifetime_s=LIFETIME_S,
        connections_max=CONNECTIONS_MAX,
        **options
    ):
        super().__init__(**options)
        self.unknown, self.tarpit_s, self.redundancy_fails = unknown, tarpit_s, redundancy_fails
        self.lifetime_s, self.connections_max = lifetime_s, connections_max
        self.noted = {}
        self._noted_lock = threading.Lock()

    def note(self, what):
        with self._noted_lock:
            self.noted[what] = self.noted.get(what, 0) + 1


def send(port, message, sender, recipients, chunk=4096, host=sink.HOST):
    """Send as Exchange does: EHLO, envelope, BDAT in chunks. Returns the deciding reply."""
    with smtp.Client(port, host) as client:
        offers = client.hello("exch.example")
        if "CHUNKING" not in offers:
            return client.data(message)
        client.envelope(sender, recipients, " SIZE=%d" % len(message) if "SIZE" in offers else "")
        answer = client.bdat(message, chunk)
        client.quit()
        return answer
