"""What must not stand in a gateway's log: reports of sanitizers, a failed must(), and roles that ended although nobody
made them. The supervisor replaces a crashed role within milliseconds, so a test would pass over it; Gateway.stop() asks here.
"""
import json
import re

# Lines that the gateway's own logging wrote: what they quote of a peer's words is no report.
_LOGGED = re.compile(r'\d{4}-\d\d-\d\dT[\d:.]+Z |\{"time":')
# A process id, where the report names one, is the first or the second group.
_REPORT = re.compile(
    r"(?:==(\d+)==\s*)?(?:ERROR|WARNING|FATAL): \w+Sanitizer.*?(?:\(pid=(\d+)\))?$"
    r"|AddressSanitizer:DEADLYSIGNAL"
    r"|AddressSanitizer CHECK failed"
    r"|\bruntime error: "
    r"|\bmust\(.*\) failed at "
)
_TEXT = re.compile(r"\S+ (\w+) supervisor ([\w.]+)(.*)")
_ENDS = ("role.ended", "box.breach", "control.broken", "control.nonsense", "box.unproved")


class Found(AssertionError):
    """Something ended or was reported that the test did not bring about."""


def _event(line):
    """(level, event, pid or None) of a line of the supervisor, else None."""
    if line.startswith("{"):
        try:
            said = json.loads(line)
        except ValueError:
            return None
        return (said["level"], said["event"], said.get("pid")) if said["role"] == "supervisor" else None
    match = _TEXT.match(line)
    if not match:
        return None
    pid = re.search(r"(?:^| )pid=(\d+)", match.group(3))
    return match.group(1), match.group(2), int(pid.group(1)) if pid else None


def find(text, killed=()):
    """Lines of `text` that tell of a fault. `killed`: process ids that the test itself ended or crashed: their ends, and what a
    sanitizer says of the signal they got, are no fault.
    """
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if _LOGGED.match(line):
            said = _event(line)
            if said and said[0] == "error" and said[1] in _ENDS and said[2] not in killed:
                found.append(line)
            continue
        match = _REPORT.search(line)
        if not match:
            continue
        if match.group().endswith("DEADLYSIGNAL"):
            continue  # the report behind it says whose
        pid = match.group(1) or match.group(2)
        # Where a line below names the signal: only a crash can be provoked, every other report is a finding.
        if pid and int(pid) in killed and re.search(r"Sanitizer: (SEGV|ABRT|BUS|FPE|ILL)\b", line):
            continue
        found.append("\n".join(lines[number : number + 30]))
    return found


def check(text, killed=(), where="the log"):
    """Raise Found when `text` tells of a fault."""
    found = find(text, killed)
    if found:
        raise Found("%s tells of a fault:\n%s" % (where, "\n".join(found[:5])))
