#!/usr/bin/env python3
"""Conformance of addresses and SMTP sessions against the data sets of HANGU_SHARED (or ../shared): smtp.py ANSWERS [SUITE]...

ANSWERS is the helper program (smtp_answers.c), which holds the real readers and the real server machine. Each suite prints a line with its
counts; the last line is `N passed, N failed, N skipped`. Where a case is answered otherwise on purpose, smtp_differences.tsv names it and says why; a
case named there that agrees after all is a failure, so that the list stays true. Without the data every suite is a printed skip, and with
CI=true a failure.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BROKEN = 1 << 16          # ADDRESS_ODD_BROKEN
LONG = 1 << 9             # ADDRESS_ODD_LONG
SHAPE = ~(1 << 27 | 1 << 28)  # all but ADDRESS_ODD_DOMAIN and ADDRESS_ODD_LOCAL


class Answers:
    """The helper program, one question at a time."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        line = " ".join(w if isinstance(w, str) else (w.hex() or "-") for w in words)
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().split(" ")
        if not answer or not answer[-1].endswith("\n"):
            raise SystemExit("the helper ended at: " + line[:200])
        answer[-1] = answer[-1].rstrip("\n")
        return answer


def plain(word):
    return b"" if word == "-" else bytes.fromhex(word)


class Suite:
    """Counts, and the differences that were looked at."""

    def __init__(self, name, differences):
        self.name, self.passed, self.failed = name, 0, 0
        self.differences = {key: why for (suite, key), why in differences.items() if suite == name}
        self.used = set()

    def check(self, key, agrees, told):
        why = self.differences.get(key)
        if why is not None:
            self.used.add(key)
            if agrees:
                print("  %s %s: named as a difference, but it agrees" % (self.name, key))
        if agrees != (why is not None):
            self.passed += 1
            return
        self.failed += 1
        if why is None:
            print("  %s %s: %s" % (self.name, key, told))

    def end(self):
        for key in sorted(set(self.differences) - self.used):
            print("  %s %s: named as a difference, but there is no such case" % (self.name, key))
            self.failed += 1
        print("%s: %d passed, %d failed (%d of them agreed differences)" % (self.name, self.passed, self.failed, len(self.used)))


def read_differences():
    differences = {}
    for number, line in enumerate((HERE / "smtp_differences.tsv").read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            suite, key, why = line.split("\t")
            if (suite, key) in differences or not why:
                raise SystemExit("smtp_differences.tsv line %d" % number)
            differences[suite, key] = why
    return differences


# --- Addresses ---

def isemail(answers, data, suite):
    """ISEMAIL_ERR refused in paths; VALID, DNSWARN, RFC5321 taken; the others refused in paths and parsed in headers."""
    for case in json.loads((data / "address-syntax/data/isemail/tests.json").read_text(encoding="utf-8")):
        text = "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) <= 0x2420 else "\x7f" if c == "\u2421" else c for c in case["address"])
        octets = text.encode("utf-8")
        # The set is older than SMTPUTF8: a byte above 0x7f is tried both ways, and refused without it.
        path = answers.ask("path", "-", b"<" + octets + b">")[0] == "ok"
        items = answers.ask("list", octets)
        header = len(items) == 7 and plain(items[3]) != b"" or len(items) == 7 and plain(items[4]) != b""
        header = header and int(items[0]) & SHAPE < BROKEN
        category = case["category"]
        if category in ("ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"):
            agrees = path
        elif category == "ISEMAIL_ERR":
            agrees = not path
        else:
            agrees = not path and header
        suite.check(case["id"], agrees, "%s %s: path %s, header %s" % (ascii(text), case["diagnosis"], path, items))


def haraka(answers, data, suite):
    cases = json.loads((data / "address-syntax/data/haraka/address-rfc2821.json").read_text(encoding="utf-8"))
    for number, case in enumerate(cases["valid"]):
        answer = answers.ask("path", "unpb", case["input"].encode())
        agrees = answer[0] == "ok" and plain(answer[1]).decode() == case["user"]
        if agrees and case["host"]:
            host = answers.ask("domain", plain(answer[2]))
            agrees = host[0] == "ok" and plain(host[1]).decode() == case["host"]
        suite.check("valid-%d" % number, agrees, "%s: %s" % (case["input"], answer))
    for number, text in enumerate(cases["invalid"]):
        answer = answers.ask("path", "unpb", text.encode())
        suite.check("invalid-%d" % number, answer[0] != "ok", "%s: %s" % (text, answer))


def flanker_lines(path):
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line and not line.startswith(b"#"):
            yield number, line


def flanker(answers, data, suite):
    """Mailboxes as people type them: parsed as one address without anything odd, or not. (The domain typo lists are about spelling, not syntax.)"""
    folder = data / "address-syntax/data/flanker"
    for name, valid in (("mailbox_valid", True), ("mailbox_invalid", False), ("abridged_localpart_valid", True), ("abridged_localpart_invalid", False)):
        for number, line in flanker_lines(folder / (name + ".txt")):
            text = line + b"@ai" if name.startswith("abridged") else line
            items = answers.ask("list", text)
            parsed = len(items) == 7 and int(items[0]) < BROKEN and not int(items[0]) & LONG
            suite.check("%s-%d" % (name, number), parsed == valid, "%r: %s" % (line, items))


def mail_parser(answers, data, suite):
    """The addresses of a header, in order, and the groups they stand in. Display names are compared where no comment and no encoded word is in them."""
    for number, case in enumerate(json.loads((data / "address-syntax/data/mail-parser/address.json").read_text(encoding="utf-8"))):
        header, expected = case["header"], case["expected"]
        groups = expected["Group"] if "Group" in expected else [{"name": None, "addresses": expected["List"]}]
        wanted = [(group["name"], one["name"], one["address"]) for group in groups for one in group["addresses"] if one["address"]]
        items = answers.ask("list", header.split("\n\n")[0].encode())
        got = []
        for at in range(2, len(items), 5):
            name, local, domain, group = (plain(word).decode("utf-8", "replace") for word in items[at:at + 4])
            got.append((group or None, name or None, local + "@" + domain if domain else local))
        if "(" in header or "=?" in header:
            wanted, got = [one[2] for one in wanted], [one[2] for one in got]
        else:
            wanted = [(one[0], one[1] and " ".join(one[1].split()), one[2]) for one in wanted]
            got = [(one[0], one[1] and " ".join(one[1].split()), one[2]) for one in got]
        suite.check(str(number), wanted == got, "%r: wanted %s, got %s" % (header, wanted, got))


def postfix_hostname(answers, data, suite):
    """valid_hostname.ref: a name without a warning of valid_hostname is one; without one of valid_ipv4/6_hostaddr an address."""
    folder = data / "postfix-vectors/data/util"
    name, warned = None, {}
    for line in (folder / "valid_hostname.ref").read_text().splitlines():
        if ": testing: " in line:
            name = line.split(": testing: ")[1].strip('"')
            warned[name] = set()
        elif ": warning: " in line and name is not None:
            warned[name].add(line.split(": warning: ")[1].split(":")[0])
    for name, which in warned.items():
        octets = name.encode()
        host = answers.ask("domain", octets)[0] == "ok"
        suite.check("name " + name, host == ("valid_hostname" not in which), "a name: %s, warned %s" % (host, which))
        if "*" in name:  # a wildcard is tried as a name only
            continue
        address = answers.ask("ip", octets)[0] == "ok"
        expected = not which & {"valid_ipv4_hostaddr", "valid_ipv6_hostaddr", "valid_hostaddr"} and name != ""
        suite.check("address " + name, address == expected, "an address: %s, warned %s" % (address, which))


def postfix_midna(answers, data, suite):
    """midna_domain_test.ref: what it turns into ASCII is a domain, what it cannot is none. (Its other vectors speak of things that are Postfix's
    own: patterns of ip_match, maps of dict_cidr without their file, canonical maps of smtpd_addr_valid.)"""
    name, converted = None, {}
    for line in (data / "postfix-vectors/data/util/midna_domain_test.ref").read_text(encoding="utf-8").splitlines():
        line = line.removeprefix("./midna_domain: ")
        if line.startswith("> "):
            name = None if line.startswith("> #") else line[2:]
        elif name is not None and line.startswith('"%s" ->ascii ' % name):
            converted.setdefault(name, not line.endswith('"(error)"'))
    if not converted:
        raise SystemExit("midna_domain_test.ref tells nothing")
    for name, expected in converted.items():
        answer = answers.ask("domain", name.encode())
        suite.check(name[:60], (answer[0] == "ok") == expected, "%s, expected %s" % (answer, expected))


# --- Sessions ---

def replies_of(octets):
    """The codes of whole replies."""
    return [line[:3].decode() for line in octets.split(b"\r\n") if len(line) > 3 and line[3:4] == b" "]


class Session:
    def __init__(self, answers, options):
        self.answers, self.state, self.messages = answers, "open", []
        self.replies = replies_of(plain(answers.ask("open", options or "-")[0]))

    def feed(self, octets):
        answer = self.answers.ask("feed", octets)
        self.replies += replies_of(plain(answer[0]))
        self.state = answer[1]
        self.messages += [plain(word) for word in answer[2:]]

    def timeout(self):
        self.replies += replies_of(plain(self.answers.ask("timeout")[0]))


def octets_of(text):
    """What the script's client sends: \\r and \\n are line ends, and characters up to U+00FF the bytes that they were read from."""
    text = text.replace("\\r", "\r").replace("\\n", "\n")
    return text.encode("latin-1") if all(ord(c) < 256 for c in text) else text.encode("utf-8")


def expected_replies(steps):
    """Steps with the expect lines of one reply drawn together: ("expect", code) and ("send", bytes)."""
    out, open_reply, after_ehlo = [], False, False
    for step in steps:
        if step[0] == "expect":
            code = step[1]
            # The lines of an answer to EHLO are at times expected without their hyphens.
            if not open_reply and not (after_ehlo and out[-1] == ("expect", code[:3])):
                out.append(("expect", code[:3]))
            open_reply = code[3:4] == "-"
        elif step[0] in ("send", "send-no-crlf"):
            octets = octets_of(step[1]) + (b"\r\n" if step[0] == "send" else b"")
            out.append(("send", octets))
            open_reply, after_ehlo = False, octets.upper().startswith(b"EHLO") and octets.count(b"\n") == 1
    return out


def model_messages(stream):
    """The messages a stream of commands holds if each is taken: by DATA or by chunks. Knows nothing of replies."""
    messages, chunks = [], b""
    while stream:
        line, _, stream = stream.partition(b"\r\n")
        words = line.upper().split()
        if words[:1] == [b"DATA"]:
            body, _, stream = (b"\r\n" + stream).partition(b"\r\n.\r\n")
            # Where bare LFs are borne with they become CRLF, and never end the data.
            body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            messages.append(body[2:].replace(b"\r\n..", b"\r\n.") + b"\r\n" if body else b"")
        elif words[:1] == [b"BDAT"] and len(words) > 1 and words[1].isdigit():
            size = int(words[1])
            chunks, stream = chunks + stream[:size], stream[size:]
            if words[2:] == [b"LAST"]:
                messages.append(chunks)
                chunks = b""
        elif words[:1] in ([b"RSET"], [b"EHLO"]):
            chunks = b""
    return messages


def run_dialogue(answers, case):
    """None when every reply has the class that is expected and the messages are what was sent; otherwise what went wrong."""
    # AUTH is for sessions over TLS; where a script speaks it without STARTTLS the session begins with TLS.
    auth = "auth" in case["features"] and "starttls" not in case["features"]
    options = "na" + "t" * auth + "x" * ("XCLIENT" in case["title"]) + "p" * ("no pipelining" in case["title"])
    session, stream = Session(answers, options), b""
    for number, (kind, what) in enumerate(expected_replies(case["steps"])):
        if kind == "send":
            stream += what
            if session.state == "tls":
                answers.ask("tls")
            session.feed(what)
            continue
        if not session.replies and what == "421":
            session.timeout()
        if what.startswith("*"):  # the end of the connection
            if session.state != "closed":
                return "step %d: the connection stays open" % number
            continue
        reply = session.replies.pop(0) if session.replies else "nothing"
        if reply[0] != what[0]:
            return "step %d: %s expected, %s came" % (number, what, reply)
    sent = model_messages(stream)
    for message in session.messages:
        if message not in sent:
            return "a message other than the one sent: %r" % message[:200]
    return None


def dialogues(answers, data, suite):
    cases = json.loads((data / "smtp-dialogues/data/exim.json").read_text(encoding="utf-8"))
    numbers, chunking = {}, 0
    for case in cases:
        numbers[case["script"]] = numbers.get(case["script"], 0) + 1
        key = "%s #%d" % (case["script"], numbers[case["script"]])
        wrong = run_dialogue(answers, case)
        chunking += "chunking" in case["features"] and wrong is None
        suite.check(key, wrong is None, "%s: %s" % (case["title"], wrong))
    print("  smtp-dialogues: %d of %d with CHUNKING pass" % (chunking, sum("chunking" in case["features"] for case in cases)))


def smuggling(answers, data, suite):
    sequences = json.loads((data / "smtp-smuggling/data/sequences.json").read_text(encoding="utf-8"))
    head = b"EHLO outer.example\r\nMAIL FROM:<outer@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n"
    for sequence in sequences["sequences"]:
        octets = base64.b64decode(sequence["bytes_b64"])
        before, after = sequences["template"].split("{SEQUENCE}")
        fill = {"sender": "outer@a.example", "rcpt": "r@b.example", "id": sequence["id"]}
        body = before.format(**fill).encode() + octets + after.format(**fill).encode()
        for options in ("-", "n"):
            for pieces in ([head + body], [head] + [body[at:at + 1] for at in range(len(body))]):
                session = Session(answers, options)
                for piece in pieces:
                    session.feed(piece)
                inner = [message for message in session.messages if message.startswith(b"From: smuggled@a.example")]
                genuine = sequence["contains_genuine_eod"]
                agrees = (genuine or not inner) and len(session.messages) <= 1 + genuine
                agrees = agrees and not any(b"\0" in message for message in session.messages)
                key = "in %s %s %s" % (sequence["id"], options, "whole" if len(pieces) == 1 else "bytes")
                suite.check(key, agrees, "%s: %s" % (sequence["repr"], session.messages))
        # Outbound: whatever lies in store leaves without any other end of data.
        inside = before.format(**fill).encode() + octets + b"more\r\n"
        for policy in ("refuse", "normalise"):
            answer = answers.ask("send", policy, inside)
            sent = plain(answer[1]) if answer[0] == "ok" else b""
            lines = sent.split(b"\r\n")
            agrees = answer[0] == "syntax" and policy == "refuse" or (
                sent.endswith(b"\r\n.\r\n") and not any(byte in line for line in lines for byte in (b"\r", b"\n", b"\0"))
                and not any(line == b"." for line in lines[:-2]))
            suite.check("out %s %s" % (sequence["id"], policy), agrees, "%s: %r" % (sequence["repr"], sent[-80:]))


def starttls(answers, data, suite):
    """Plain text pipelined behind STARTTLS never lives on: dropped with the session, or forgotten by the handshake."""
    for case in json.loads((data / "starttls-injection/data/cases.json").read_text(encoding="utf-8"))["cases"]:
        writes = [base64.b64decode(write) for write in case["plain_writes_b64"]]
        for split in (False, True):
            session = Session(answers, "-")
            for write in writes:
                at = write.find(b"\r\n") + 2
                for piece in ([write[:at], write[at:]] if split else [write]):
                    if piece:
                        session.feed(piece)
            agrees = session.state == "closed" and session.replies.count("250") == 1
            suite.check("%s %s" % (case["id"], "split" if split else "whole"), agrees, "%s %s" % (session.state, session.replies))
        session = Session(answers, "-")
        session.feed(b"EHLO commandinjectiontester\r\n")
        session.feed(b"STARTTLS\r\n")
        answers.ask("tls")
        session.replies = []
        session.feed(b"FAKE commandinjectiontester\r\n")
        suite.check(case["id"] + " after the handshake", session.replies[:1] != [] and session.replies[0][0] == "5", str(session.replies))


SUITES = {
    "address-isemail": (isemail, "address-syntax"),
    "address-haraka": (haraka, "address-syntax"),
    "address-flanker": (flanker, "address-syntax"),
    "address-mail-parser": (mail_parser, "address-syntax"),
    "postfix-hostname": (postfix_hostname, "postfix-vectors"),
    "postfix-midna": (postfix_midna, "postfix-vectors"),
    "smtp-dialogues": (dialogues, "smtp-dialogues"),
    "smtp-smuggling": (smuggling, "smtp-smuggling"),
    "starttls-injection": (starttls, "starttls-injection"),
}


def main():
    program, words = sys.argv[1], sys.argv[2:]
    wanted = [name for name in SUITES if not words or any(word in name for word in words)]
    shared = places.SHARED / "conformance"
    differences = read_differences()
    passed = failed = skipped = 0
    for name in wanted:
        run, folder = SUITES[name]
        if not (shared / folder).is_dir():
            print("%s: skipped, no data at HANGU_SHARED or ../shared" % name)
            skipped += 1
            continue
        suite = Suite(name, differences)
        run(Answers(program), shared, suite)
        suite.end()
        passed, failed = passed + suite.passed, failed + suite.failed
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or (skipped and os.environ.get("CI") == "true") else 0


if __name__ == "__main__":
    sys.exit(main())
