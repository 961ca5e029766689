#!/usr/bin/env python3
"""The checker itself, run on a small tree that is right and on trees that are wrong in one way each."""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

GOOD = {
    "meson.build": "rooms = {\n  'base': [],\n  'sys': ['base'],\n  'net': ['base', 'sys'],\n}\n",
    "README.md": "# Read me\n[page](docs/page.md) [part](docs/page.md#the-second-part) [web](https://example.com/x)\n",
    "docs/page.md": "# Page\n\n## The `second` part\n\n[up](../README.md) [here](#page)\n\n```\n[not a link](nowhere.md)\n```\n",
    "src/base/meson.build": "sources = files('a.c', 'memory.c')\ntests = ['a']\n",
    "src/base/a.h": "#ifndef A_H\n#define A_H\n#include <stdint.h>\nuint32_t a(void);\n#endif\n",
    "src/base/a.c": '#include "base/a.h"\n/* system( and "base/none.h" in a comment; time.h too */\n'
                    'uint32_t a(void) { const char *s = "system(1) SELECTED"; return (uint32_t)s[0]; }\n',
    "src/base/a_test.c": '#include "base/a.h"\n#include <stdio.h>\n#include <cmocka.h>\nvoid t(void) { free(malloc(1)); }\n',
    "src/base/memory.c": '#include "base/a.h"\n#include <stdlib.h>\nvoid *m(void) { return malloc(a()); }\n',
    "src/sys/meson.build": "sources = files('b.c')\n",
    "src/sys/b.h": '#ifndef B_H\n#define B_H\n#include "base/a.h"\nstruct b { int (*free)(int); };\nint b(struct b *);\n#endif\n',
    "src/sys/b.c": '#include "sys/b.h"\n#include <unistd.h>\nint b(struct b *x) { return x->free(1) + strerror_r(1); }\n',
    "src/net/meson.build": "sources = files('tls.c')\n",
    "src/net/tls.c": '#include "sys/b.h"\n#include <openssl/ssl.h>\nint q(void) { return 0; }\n',
}

# name, changed files, the rule that fails, what it says
BAD = [
    ("an include upward", {"src/base/a.c": '#include "base/a.h"\n#include "sys/b.h"\n'}, "floors", "src/base/a.c:2: base may not include sys/b.h"),
    ("an include upward in a test", {"src/base/a_test.c": '#include "base/a.h"\n#include "net/x.h"\n'}, "floors", "base may not include net/x.h"),
    ("an include of nothing", {"src/sys/b.c": '#include "sys/b.h"\n#include "base/none.h"\n'}, "floors", 'there is no "base/none.h"'),
    ("an include without folder", {"src/sys/b.c": '#include "sys/b.h"\n#include "b.h"\n'}, "floors", "does not name its folder"),
    ("a clock in a pure room", {"src/base/a.h": "#include <time.h>\n"}, "pure", "src/base/a.h:1: base is pure and may not include <time.h>"),
    ("a system call in a pure room", {"src/base/memory.c": '#include "base/a.h"\n#include <sys/mman.h>\n'}, "pure", "<sys/mman.h>"),
    ("stdio in a pure room", {"src/base/a.c": '#include "base/a.h"\n#include <stdio.h>\n'}, "pure", "<stdio.h>"),
    ("a foreign library elsewhere", {"src/sys/b.c": '#include "sys/b.h"\n#include <openssl/ssl.h>\n'}, "foreign", "<openssl/ssl.h> belongs to net/tls.c"),
    ("a library nobody knows", {"src/sys/b.c": '#include "sys/b.h"\n#include <curl/curl.h>\n'}, "foreign", "<curl/curl.h> is in no list"),
    ("cmocka outside of a test", {"src/sys/b.c": '#include "sys/b.h"\n#include <cmocka.h>\n'}, "foreign", "<cmocka.h>"),
    ("a banned call", {"src/sys/b.c": '#include "sys/b.h"\nint b(struct b *x) { return system ("ls"); }\n'}, "banned", "src/sys/b.c:2: system() is banned"),
    ("a banned call in a test", {"src/base/a_test.c": '#include "base/a.h"\nint t(char *s) { return atoi(s); }\n'}, "banned", "atoi() is banned"),
    ("strerror without _r", {"src/sys/b.c": '#include "sys/b.h"\nchar *e(void) { return strerror(1); }\n'}, "banned", "strerror() is banned"),
    ("exec by another name", {"src/sys/b.c": '#include "sys/b.h"\nvoid e(void) { execvp(0, 0); }\n'}, "banned", "execvp() is banned"),
    ("memory elsewhere", {"src/sys/b.c": '#include "sys/b.h"\nvoid *e(void) { return calloc(1, 1); }\n'}, "memory", "calloc() is for base/memory.c"),
    ("free elsewhere", {"src/sys/b.c": '#include "sys/b.h"\nvoid e(void *p) { free(p); }\n'}, "memory", "free() is for base/memory.c"),
    ("SQL elsewhere", {"src/sys/b.c": '#include "sys/b.h"\nconst char *q = "SELECT x FROM y";\n'}, "sql", "src/sys/b.c:2: SQL outside"),
    ("a header nobody includes", {"src/sys/c.h": "struct c { int x; };\n"}, "used", "src/sys/c.h:1: nobody includes it"),
    ("a header only its test includes", {"src/sys/c.h": "struct c { int x; };\n", "src/sys/c_test.c": '#include "sys/c.h"\n',
                                         "src/sys/meson.build": "sources = files('b.c')\ntests = ['c']\n"}, "used", "src/sys/c.h:1: nobody"),
    ("a source nobody builds", {"src/sys/c.c": '#include "sys/b.h"\n'}, "used", "src/sys/c.c:1: no meson.build names it"),
    ("a test nobody runs", {"src/sys/b_test.c": '#include "sys/b.h"\n'}, "used", "src/sys/b_test.c:1: no meson.build names it"),
    ("a header that needs another", {"src/sys/b.h": "int b(uint32_t x);\n"}, "alone", "src/sys/b.h:1: does not compile alone"),
    ("a header with a warning", {"src/sys/b.h": "int both(int x, int y);\ninline int both(int x, int y) { return x == 1 & y; }\n"}, "alone", "src/sys/b.h:1: does not compile alone"),
    ("too long a file", {"src/sys/b.c": '#include "sys/b.h"\n' + "int x;\n" * 801}, "size", "802 lines are more than 800"),
    ("the time of the build", {"src/sys/b.c": '#include "sys/b.h"\nconst char *t = __DATE__;\n'}, "time", "__DATE__ makes every build differ"),
    ("a dead link", {"docs/page.md": "# Page\n\n## The second part\n[x](gone.md)\n"}, "links", "docs/page.md:4: there is no gone.md"),
    ("a dead anchor", {"docs/page.md": "# Page\n\n## Another part\n"}, "links", "README.md:2: page.md has no heading #the-second-part"),
    ("a room without line", {"src/new/x.h": "struct x { int y; };\n"}, "table", "src/new has no line"),
    ("meson knows other rooms", {"meson.build": "rooms = {\n  'base': [],\n  'sys': ['base'],\n  'net': ['base'],\n}\n"}, "table",
     "the rooms of `net` differ"),
    ("a floor upside down", {"tests/layout/floors.txt": ("sys 2 - base", "sys 2 - base net")}, "table", "sys may include net, which is not below it"),
]

FLOORS = """
[rooms]
base 1 pure
sys 2 - base
net 3 - base sys
[impure]
unistd.h
sys/*
stdio.h
time.h
[foreign]
openssl/* net/tls.c
[system]
std*.h time.h unistd.h sys/*
[banned]
system strerror atoi execvp dlopen@sys/b.c
[memory]
file base/memory.c
calls malloc calloc free
[sql]
records/store_*.c
"""


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        done = subprocess.run([sys.executable, HERE / "layout.py", "--root", folder], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def changed(changes):
    files = {**GOOD, "tests/layout/floors.txt": FLOORS}
    for name, text in changes.items():
        files[name] = files[name].replace(*text) if isinstance(text, tuple) else text
    return files


def main():
    code, output = run(changed({}))
    wrong = [] if code == 0 else [("the good tree", output)]
    for name, changes, rule, finding in BAD:
        code, output = run(changed(changes))
        if code != 1 or ("FAILED " + rule + ":") not in output or finding not in output:
            wrong.append((name, output))
    for name, output in wrong:
        print("FAILED %s\n%s" % (name, output))
    print("%d passed, %d failed" % (len(BAD) + 1 - len(wrong), len(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
