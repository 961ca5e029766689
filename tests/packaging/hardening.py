#!/usr/bin/env python3
"""What the compiler and the linker were asked for (meson.build) stands in the programs, too: `hardening.py COMPILER PROGRAM...` looks with
readelf and objdump, and at a program made without any of it, in which each has to be missed. Last line `N passed, N failed`."""
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

WEAK = ("-O0", "-no-pie", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-fcf-protection=none", "-Wl,-z,norelro,-z,lazy,-z,execstack")
WEAK_SOURCE = "#include <string.h>\nint main(int c, char **v) { char b[64]; strcpy(b, v[0]); return b[c]; }\n"
# So far as any compiler leaves them out when told to.
WEAK_IN = (
    "position independent (PIE)", "relocations read-only (RELRO)", "all of them at the start (full RELRO)", "no executable stack (NX)",
    "stack protector", "fortified calls",
)


def tell(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout


def checks(program):
    """[(what, is it there)] of an ELF program."""
    dynamic, segments = tell("readelf", "-dW", program), tell("readelf", "-lW", program)
    symbols = tell("readelf", "--dyn-syms", "-W", program)
    found = [
        ("position independent (PIE)", re.search(r"FLAGS_1.*\bPIE\b", dynamic)),
        ("relocations read-only (RELRO)", "GNU_RELRO" in segments),
        ("all of them at the start (full RELRO)", re.search(r"\bBIND_NOW\b|FLAGS_1.*\bNOW\b", dynamic)),
        ("no executable stack (NX)", re.search(r"GNU_STACK.* RW ", segments)),
        ("nothing writable and executable", not re.search(r"(?m)^ +LOAD .* RWE ", segments)),
        ("code apart from data", not re.search(r"(?m)^ +LOAD +0x0+ .* R E ", segments)),
        ("no relocations in code", "TEXTREL" not in dynamic),
        ("no search path of its own", "RPATH" not in dynamic and "RUNPATH" not in dynamic),
        ("stack protector", "__stack_chk_fail" in symbols),
        ("fortified calls", re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail", ""))),
    ]
    # The note that would let the kernel enforce it needs a C library built so; the landing pads are ours.
    code = tell("objdump", "-d", "--no-show-raw-insn", program)
    if platform.machine() == "x86_64":
        found.append(("landing pads (CET)", len(re.findall(r"\bendbr64\b", code)) > 100))
    elif platform.machine() == "aarch64":
        found.append(("landing pads and signed returns", len(re.findall(r"\b(?:bti|paciasp|hint)\b", code)) > 100))
    return [(what, bool(there)) for what, there in found]


def main():
    compiler, programs = sys.argv[1], sys.argv[2:]
    passed = failed = 0
    for program in programs:
        for what, there in checks(program):
            passed, failed = passed + there, failed + (not there)
            if not there:
                print("%s: %s is missing" % (pathlib.Path(program).name, what))
    # What is found everywhere is found by chance.
    with tempfile.TemporaryDirectory() as folder:
        weak = pathlib.Path(folder) / "weak"
        subprocess.run([compiler, *WEAK, "-x", "c", "-", "-o", str(weak)], input=WEAK_SOURCE, text=True, check=True, capture_output=True)
        missed = {what for what, there in checks(weak) if not there}
    for what in WEAK_IN:
        passed, failed = passed + (what in missed), failed + (what not in missed)
        if what not in missed:
            print("a program made without it: %s is not missed" % what)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
