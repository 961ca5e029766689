"""Byte for byte: is what arrived what was sent, with nothing but trace fields on top?"""
import re

# One header field: name, colon, text, continuation lines.
_FIELD = re.compile(rb"([!-9;-~]+):[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n")
# What a relay may put on top: its own trace; Dovecot also writes down the envelope.
TRACE = {b"received", b"return-path", b"delivered-to", b"envelope-to", b"delivery-date"}
OWN = re.compile(rb"(?i)x-hangu-[a-z-]+$")


def fields(head):
    """The header fields at the front of `head`, as (lower-case name, whole field), and what is left behind them."""
    found, at = [], 0
    while True:
        match = _FIELD.match(head, at)
        if not match:
            return found, head[at:]
        found.append((match.group(1).lower(), match.group(0)))
        at = match.end()


def difference(arrived, sent):
    """Where two byte strings part, in words."""
    limit = min(len(arrived), len(sent))
    at = next((i for i in range(limit) if arrived[i] != sent[i]), limit)
    return "part at byte %d: arrived %r, sent %r (sizes %d and %d)" % (
        at,
        arrived[max(0, at - 20) : at + 30],
        sent[max(0, at - 20) : at + 30],
        len(arrived),
        len(sent),
    )


def above(arrived, sent):
    """The trace fields on top of `sent` in `arrived`, as a list of (name, field); AssertionError when anything else
    was added or changed.
    """
    if not arrived.endswith(sent):
        # Line up behind the trace fields, to say where the message itself differs.
        found, _ = fields(arrived)
        skip = 0
        for name, field in found:
            if name not in TRACE and not OWN.match(name):
                break
            skip += len(field)
        raise AssertionError("changed: " + difference(arrived[skip:], sent))
    front = arrived[: len(arrived) - len(sent)]
    found, rest = fields(front)
    strange = [name for name, _ in found if name not in TRACE and not OWN.match(name)]
    if rest or strange:
        raise AssertionError("added on top: %r %r" % (strange, rest[:80]))
    return found


# INTEGRATIONS.md I-12: what strangers may not tell us is taken out.
_FOREIGN = re.compile(rb"(?i)x-ms-exchange-(?:organization|forest|crosspremises)-|x-hangu-")
_RESULTS = re.compile(rb"(?is)authentication-results[ \t]*:\s*(?:\([^)]*\)\s*)?\"?([^\s;\"(]*)")


def behind_firewall(message, host=b"gateway.example"):
    """What the gateway passes on of a stranger's message: header fields that only our own systems may write are gone.

    So are continuation lines at the very front: they would become part of the last field of ours on top of them. The
    header ends at the first empty line, wherever a parser may have given up.
    """
    end = message.find(b"\r\n\r\n")
    end = 0 if message.startswith(b"\r\n") else len(message) if end < 0 else end + 2
    kept, cutting, at = [], True, 0
    while at < end:
        after = message.find(b"\n", at) + 1 or end
        if message[at : at + 1] not in (b" ", b"\t"):
            results = _RESULTS.match(message, at)
            cutting = bool(_FOREIGN.match(message, at) or results and results.group(1).lower().rstrip(b".") == host)
        if not cutting:
            kept.append(message[at:after])
        at = after
    return b"".join(kept) + message[end:]
