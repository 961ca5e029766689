#!/usr/bin/env python3
"""Read the tree against floors.txt: who includes whom, what is called, what lies unused, whether links in pages lead anywhere.

    layout.py [--root FOLDER] [--compiler CC] [RULE...]

Prints a line for each finding, one for each rule, and `N passed, N failed` (rules) at the end.
"""
import argparse
import concurrent.futures
import fnmatch
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
SQL = re.compile(r'"\s*(?:SELECT\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|CREATE\s+(?:TABLE|INDEX)\s|DELETE\s+FROM\s|UPDATE\s+\w+\s+SET\s|PRAGMA\s)')
LINK = re.compile(r'\[[^\]\n]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)')
FILE_LINES_MAX = 800


def without_comments(text, keep_strings=False):
    """The text with comments (and strings, unless kept) replaced by blanks; lines stay where they are."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'" and keep_strings:
            return token
        return re.sub(r"[^\n]", " ", token)
    return COMMENT_OR_TEXT.sub(blank, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def is_test(path):
    return path.name.endswith(("_test.c", "_fuzz.c"))


class Table:
    """floors.txt as data."""

    def __init__(self, path):
        self.rooms, self.impure, self.foreign, self.system = {}, {}, {}, []
        self.banned, self.memory_file, self.memory_calls, self.sql = {}, "", [], []
        section = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0].startswith("["):
                section = words[0].strip("[]")
            else:
                self.take(section, words, number)

    def take(self, section, words, number):
        if section == "rooms":
            self.rooms[words[0]] = {"floor": int(words[1]), "pure": words[2] == "pure", "may": words[3:]}
        elif section == "impure":
            self.impure[words[0]] = words[1:]
        elif section == "foreign":
            self.foreign[words[0]] = words[1:]
        elif section == "system":
            self.system += words
        elif section == "banned":
            for word in words:
                call, _, where = word.partition("@")
                self.banned.setdefault(call, []).extend([where] if where else [])
        elif section == "memory":
            if words[0] == "file":
                self.memory_file = words[1]
            else:
                self.memory_calls += words[1:]
        elif section == "sql":
            self.sql += words
        else:
            raise SystemExit("floors.txt line %d: no such section" % number)


class Layout:
    def __init__(self, root, compiler):
        self.root, self.compiler = root, compiler
        self.table = Table(root / "tests/layout/floors.txt")
        self.files = sorted(p for p in (root / "src").rglob("*.[ch]"))
        self.text = {p: p.read_text() for p in self.files}
        self.findings = []

    def find(self, path, text, at, what):
        self.findings.append("%s:%d: %s" % (path.relative_to(self.root), line_of(text, at), what))

    def name(self, path):
        return str(path.relative_to(self.root / "src"))

    def room(self, path):
        return self.name(path).split("/")[0]

    def includes(self, path):
        """(kind, header, position) of every include; ones in comments do not count."""
        text = self.text[path]
        for match in INCLUDE.finditer(without_comments(text, keep_strings=True)):
            yield match.group(1), match.group(2), match.start(2)

    # Each rule is a method; its first line is what the report calls it.

    def rule_table(self):
        """the table of rooms has floors in order, and meson.build has the same rooms"""
        rooms, where = self.table.rooms, "tests/layout/floors.txt:1: "
        for name, room in rooms.items():
            for other in room["may"]:
                if other not in rooms:
                    self.findings.append(where + "%s may include %s, which is no room" % (name, other))
                elif rooms[other]["floor"] >= room["floor"]:
                    self.findings.append(where + "%s may include %s, which is not below it" % (name, other))
        for folder in sorted(p.name for p in (self.root / "src").iterdir() if p.is_dir()):
            if folder not in rooms:
                self.findings.append(where + "src/%s has no line" % folder)
        meson = self.root / "meson.build"
        if not meson.exists():
            return
        built = {m.group(1): re.findall(r"'(\w+)'", m.group(2))
                 for m in re.finditer(r"^\s+'(\w+)': \[([^\]]*)\],$", meson.read_text(), re.M)}
        for name in sorted(set(built) | set(rooms)):
            if name not in built or name not in rooms or sorted(built[name]) != sorted(rooms[name]["may"]):
                self.findings.append("meson.build:1: the rooms of `%s` differ from those in tests/layout/floors.txt" % name)

    def rule_floors(self):
        """every include goes down"""
        for path in self.files:
            room = self.table.rooms.get(self.room(path))
            for kind, header, at in self.includes(path):
                if kind == "<" or room is None:
                    continue
                other = header.split("/")[0]
                if "/" not in header:
                    self.find(path, self.text[path], at, 'the include "%s" does not name its folder' % header)
                elif other == "harness" and is_test(path):
                    continue
                elif other != self.room(path) and other not in room["may"]:
                    self.find(path, self.text[path], at, "%s may not include %s" % (self.room(path), header))
                elif not (self.root / "src" / header).exists():
                    self.find(path, self.text[path], at, 'there is no "%s"' % header)

    def rule_pure(self):
        """pure rooms include nothing that acts"""
        for path in self.files:
            if is_test(path) or not self.table.rooms.get(self.room(path), {}).get("pure"):
                continue
            for kind, header, at in self.includes(path):
                for pattern, excepted in self.table.impure.items():
                    if kind == "<" and fnmatch.fnmatch(header, pattern) and self.name(path) not in excepted:
                        self.find(path, self.text[path], at, "%s is pure and may not include <%s>" % (self.room(path), header))

    def rule_foreign(self):
        """a foreign library is included by its adapter alone"""
        for path in self.files:
            for kind, header, at in self.includes(path):
                if kind == '"' or any(fnmatch.fnmatch(header, p) for p in self.table.system):
                    continue
                adapters = [a for p, files in self.table.foreign.items() if fnmatch.fnmatch(header, p) for a in files]
                if is_test(path) and header == "cmocka.h":
                    continue
                if not adapters:
                    self.find(path, self.text[path], at, "<%s> is in no list of floors.txt" % header)
                elif not any(fnmatch.fnmatch(self.name(path), a) for a in adapters):
                    self.find(path, self.text[path], at, "<%s> belongs to %s" % (header, " ".join(adapters)))

    def calls(self, path, names):
        text = without_comments(self.text[path])
        for match in re.finditer(r"(?<![\w.>])(%s)\s*\(" % "|".join(map(re.escape, names)), text):
            yield match.group(1), match.start(1)

    def rule_banned(self):
        """no banned call"""
        for path in self.files:
            for call, at in self.calls(path, self.table.banned):
                if self.name(path) not in self.table.banned[call]:
                    self.find(path, self.text[path], at, "%s() is banned" % call)

    def rule_memory(self):
        """memory comes from one file"""
        for path in self.files:
            if is_test(path) or self.name(path) == self.table.memory_file:
                continue
            for call, at in self.calls(path, self.table.memory_calls):
                self.find(path, self.text[path], at, "%s() is for %s" % (call, self.table.memory_file))

    def rule_sql(self):
        """SQL stands in the stores"""
        for path in self.files:
            if is_test(path) or any(fnmatch.fnmatch(self.name(path), p) for p in self.table.sql):
                continue
            for match in SQL.finditer(without_comments(self.text[path], keep_strings=True)):
                self.find(path, self.text[path], match.start(), "SQL outside of %s" % " ".join(self.table.sql))

    def rule_used(self):
        """every header is included by someone, every source is built"""
        included = set()
        for path in self.files:
            own = path.with_name(re.sub(r"_(test|fuzz)$", "", path.stem) + ".h")
            included |= {h for k, h, _ in self.includes(path) if k == '"' and (self.root / "src" / h) != path
                         and not (is_test(path) and self.name(own) == h)}
        for path in self.files:
            if path.suffix == ".h" and self.name(path) not in included:
                self.find(path, "", 0, "nobody includes it")
        for path in self.files:
            if path.suffix != ".c":
                continue
            build = path.parent / "meson.build"
            stem = re.sub(r"_(test|fuzz)$", "", path.stem)
            built = build.read_text() if build.exists() else ""
            wanted = stem if is_test(path) else path.name
            if path.name != "main.c" and not re.search(r"'(?:[\w/]*/)?%s'" % re.escape(wanted), built):
                self.find(path, "", 0, "no meson.build names it")

    def rule_alone(self):
        """every header compiles alone"""
        if not self.compiler:
            return
        headers = [p for p in self.files if p.suffix == ".h"]

        def compile_alone(path):
            command = [*self.compiler, "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                       "-iquote" + str(self.root / "src"), "-x", "c", "-"]
            done = subprocess.run(command, input='#include "%s"\n' % self.name(path), capture_output=True, text=True)
            return path, done.returncode, done.stderr.strip().splitlines()

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for path, code, lines in pool.map(compile_alone, headers):
                if code != 0:
                    errors = [line for line in lines if "error" in line] or lines or ["the compiler failed"]
                    self.find(path, "", 0, "does not compile alone: " + errors[0])

    def rule_size(self):
        """no file has two subjects (by its length)"""
        for path in self.files:
            count = self.text[path].count("\n")
            if count > FILE_LINES_MAX and not is_test(path):
                self.find(path, "", 0, "%d lines are more than %d" % (count, FILE_LINES_MAX))

    def rule_time(self):
        """builds do not know their time"""
        for path in self.files:
            for match in re.finditer(r"\b__(DATE|TIME|TIMESTAMP)__\b", without_comments(self.text[path])):
                self.find(path, self.text[path], match.start(), "%s makes every build differ" % match.group(0))

    def rule_links(self):
        """links in pages lead somewhere"""
        pages = sorted([*self.root.glob("*.md"), *(self.root / "docs").rglob("*.md")])
        for page in pages:
            text = page.read_text()
            plain = re.sub(r"```.*?```", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
            for match in LINK.finditer(plain):
                target, _, anchor = match.group(1).partition("#")
                if re.match(r"[a-z][a-z+.-]*:", match.group(1)):
                    continue
                goal = (page.parent / target) if target else page
                if not goal.exists():
                    self.find(page, text, match.start(), "there is no %s" % target)
                elif anchor and goal.suffix == ".md" and anchor not in anchors(goal.read_text()):
                    self.find(page, text, match.start(), "%s has no heading #%s" % (goal.name, anchor))


def anchors(text):
    """The anchors that a forge makes of headings: lower case, blanks to hyphens, punctuation dropped."""
    found = set()
    for line in re.findall(r"^#+\s+(.*?)\s*#*$", text, re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", line)
        found.add(re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-"))
    return found


def rules():
    return {name.removeprefix("rule_"): getattr(Layout, name) for name in vars(Layout) if name.startswith("rule_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--compiler", default="gcc", help="to compile headers with; empty: do not")
    parser.add_argument("rules", nargs="*")
    options = parser.parse_args()
    layout = Layout(options.root, options.compiler.split())
    passed = failed = 0
    for name, rule in rules().items():
        if options.rules and name not in options.rules:
            continue
        layout.findings = []
        rule(layout)
        print("%-6s %s: %s" % ("FAILED" if layout.findings else "passed", name, rule.__doc__))
        for finding in layout.findings:
            print("  " + finding)
        failed += bool(layout.findings)
        passed += not layout.findings
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
