"""The messages of the benchmark: the same bytes on every machine and in every run, LF line ends (what smtp-source
wants).

4k is plain text, 64k a multipart with text, HTML and an attachment, 1m the same with a large attachment.
"""
import base64
import random

WORDS = (
    "account address agenda amount approval archive article balance branch budget building calendar capital "
    "carrier change channel charge client colleague comment committee company contact contract copy country "
    "course customer data date deadline decision delivery department design detail discount document draft "
    "engineer estimate event example factory figure file finance floor forecast freight function goods group "
    "guide harbour history holiday image index industry invoice issue item journey keyboard label laboratory "
    "letter licence list location machine manager market material meeting member message minute model month "
    "morning network notice number office option order package page partner payment period person phone picture "
    "plan point policy port price process product profile project quality quarter question rate reason receipt "
    "record region release report request result review room rule sample schedule season section server service "
    "shipment signature site source staff stage statement station stock street subject summary supplier supply "
    "support system table task team term test ticket title total town trade transfer travel treaty unit update "
    "user value vehicle version visit volume warehouse week window workshop year"
).split()

SIZES = {"4k": 4096, "64k": 65536, "1m": 1048576}


def _sentences(source, count):
    return " ".join(
        " ".join(source.choice(WORDS) for _ in range(source.randint(5, 14))).capitalize() + "." for _ in range(count)
    )


def _lines(text, width=72):
    rows, row = [], ""
    for word in text.split():
        if row and len(row) + len(word) >= width:
            rows.append(row)
            row = word
        else:
            row = (row + " " + word).strip()
    return "\n".join(rows + [row]) + "\n"


def _prose(source, size):
    text = ""
    while len(text) < size:
        text += _lines(_sentences(source, source.randint(2, 6))) + "\n"
    return text[: size - 1].rstrip("\n") + "\n"


def _page(source, size):
    page = "<!DOCTYPE html>\n<html><head><title>%s</title></head><body>\n" % _sentences(source, 1)
    while len(page) < size:
        link = "https://www.example.org/%s/%s?n=%d" % (
            source.choice(WORDS),
            source.choice(WORDS),
            source.randrange(100000),
        )
        page += (
            '<h2>%s</h2>\n<p style="margin: 8px 0">%s\n<a href="%s">%s</a></p>\n<table><tr><td>%s</td><td>%d</td></tr></table>\n'
            % (
                source.choice(WORDS),
                _lines(_sentences(source, 4)).strip(),
                link,
                source.choice(WORDS),
                source.choice(WORDS),
                source.randrange(10**6),
            )
        )
    return page + "</body></html>\n"


def _head(source, subject, content):
    return (
        "Received: from mail.example.org (mail.example.org [192.0.2.40])\n\tby mx.example.com with ESMTPS id %08X\n"
        "\tfor <rcpt@example.net>; Tue, 14 Oct 2025 10:20:30 +0800\n"
        "Message-ID: <%d.%d@example.org>\nDate: Tue, 14 Oct 2025 10:20:28 +0800\nFrom: Li Wei <sender@example.org>\n"
        "To: Wang Fang <rcpt@example.net>\nSubject: %s\nMIME-Version: 1.0\nContent-Type: %s\n"
    ) % (source.getrandbits(32), source.getrandbits(40), source.getrandbits(40), subject, content)


def _text_message(size):
    source = random.Random("hangu bench text")
    head = (
        _head(source, "Minutes of the planning meeting", "text/plain; charset=utf-8")
        + "Content-Transfer-Encoding: 7bit\n\n"
    )
    return (head + _prose(source, size - len(head))).encode()


def _mixed_message(size, subject, seed):
    source = random.Random(seed)
    outer, inner = "----=_outer_5b21", "----=_inner_c07e"
    front = _head(
        source, subject, 'multipart/mixed; boundary="%s"' % outer
    ) + '\n--%s\nContent-Type: multipart/alternative; boundary="%s"\n\n' % (outer, inner)
    front += "--%s\nContent-Type: text/plain; charset=utf-8\n\n%s\n" % (inner, _prose(source, 3000))
    front += "--%s\nContent-Type: text/html; charset=utf-8\n\n%s\n--%s--\n\n" % (inner, _page(source, 14000), inner)
    front += (
        '--%s\nContent-Type: application/octet-stream; name="drawing.bin"\nContent-Transfer-Encoding: base64\n'
        'Content-Disposition: attachment; filename="drawing.bin"\n\n'
    ) % outer
    back = "\n--%s--\n" % outer
    rows = (size - len(front) - len(back)) // 77
    return front.encode() + base64.encodebytes(source.randbytes(rows * 57)) + back.encode()


def make(name):
    """The message `name` (4k, 64k, 1m)."""
    size = SIZES[name]
    if name == "4k":
        return _text_message(size)
    return _mixed_message(size, "Offer with drawings", "hangu bench " + name)


def write(folder):
    """Write all of them as FOLDER/NAME.eml."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SIZES:
        (folder / (name + ".eml")).write_bytes(make(name))
