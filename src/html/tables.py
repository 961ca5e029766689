#!/usr/bin/env python3
"""Make entity_table.h (the named character references of HTML 13.5, as Python's html.entities.html5 has them) and
name_table.h (hash slots for the names in names.h).

    tables.py [--check]     --check: write nothing, fail where a file differs from what would be written
"""
import html.entities
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ENTITY_SLOTS = 4096
NAME_SLOTS = 512
NAME_LINE = 110


def name_hash(name):
    """html_name_hash() of names.h."""
    value = len(name)
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value ^ value >> 15


def slots_of(names, size, first):
    """Open addressing with step 1; `first` is the number of the first name, 0 stands for an empty slot."""
    slots = [0] * size
    for number, name in enumerate(names, first):
        at = name_hash(name) % size
        while slots[at]:
            at = (at + 1) % size
        slots[at] = number
    return slots


def rows(items, width):
    lines, line = [], "\t"
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line.rstrip())
            line = "\t"
        line += item + ", "
    return "\n".join([*lines, line.rstrip()])


def array(kind, name, items):
    return "static const %s %s[] = {\n%s\n};\n" % (kind, name, rows(items, 116))


def entity_table():
    known = html.entities.html5
    names = sorted(name[:-1] for name in known if name.endswith(";"))
    seconds = sorted({known[name + ";"][1] for name in names if len(known[name + ";"]) == 2})
    starts, lines = [], [""]  # a name never crosses a line of the table
    for name in names:
        if len(lines[-1]) + len(name) > NAME_LINE:
            lines.append("")
        starts.append((len(lines) - 1) * NAME_LINE + len(lines[-1]))
        lines[-1] += name
    sizes = [len(name) | (128 if name in known else 0) for name in names]
    codes = []
    for name in names:
        value = known[name + ";"]
        codes.append(ord(value[0]) | (seconds.index(value[1]) + 1 << 24 if len(value) == 2 else 0))
    longest = max(len(name) for name in names)
    short = max(len(name) for name in known if not name.endswith(";"))
    return "\n".join([
        "/* Made by tables.py of Python's html.entities.html5: named character references (HTML 13.5). Do not edit. */",
        "#ifndef HTML_ENTITY_TABLE_H", "#define HTML_ENTITY_TABLE_H", "", "#include <stdint.h>", "",
        "#define HTML_ENTITY_SLOTS %du" % ENTITY_SLOTS, "#define HTML_ENTITY_LINE %du" % NAME_LINE,
        "#define HTML_ENTITY_NAME_MAX %du /* bytes, without the semicolon */" % longest,
        "#define HTML_ENTITY_BARE_MAX %du /* of those that need no semicolon */" % short, "",
        "/* clang-format off */", "static const char html_entity_names[][HTML_ENTITY_LINE] = {",
        *('\t"%s",' % line for line in lines), "};", "",
        "/* Where each name begins above; its size, and 128 when it needs no semicolon. */",
        array("uint16_t", "html_entity_starts", map(str, starts)),
        array("uint8_t", "html_entity_sizes", map(str, sizes)),
        "/* The code point, and in the upper 8 bits the number (from 1) of a second one below. */",
        array("uint32_t", "html_entity_codes", map(str, codes)),
        array("uint16_t", "html_entity_seconds", (str(ord(code)) for code in seconds)),
        "/* By hash: numbers of entities from 1, 0 for none. */",
        array("uint16_t", "html_entity_slots", map(str, slots_of(names, ENTITY_SLOTS, 1))),
        "/* clang-format on */", "", "#endif", ""])


def name_table():
    header = (HERE / "names.h").read_text(encoding="utf-8")
    elements = re.findall(r'X\(\w+, "([^"]+)", [^)]*\)', header)
    attributes = re.findall(r'X\(\w+, "([^"]+)"\)', header)
    return "\n".join([
        "/* Made by tables.py of names.h: where a name's number lies by its hash. Do not edit. */",
        "#ifndef HTML_NAME_TABLE_H", "#define HTML_NAME_TABLE_H", "", "#include <stdint.h>", "",
        "#define HTML_NAME_SLOTS %du" % NAME_SLOTS,
        "#define HTML_NAME_ELEMENTS %d" % (len(elements) + 1), "#define HTML_NAME_ATTRIBUTES %d" % (len(attributes) + 1), "",
        "/* clang-format off */", array("uint8_t", "html_element_slots", map(str, slots_of(elements, NAME_SLOTS, 1))),
        array("uint8_t", "html_attribute_slots", map(str, slots_of(attributes, NAME_SLOTS, 1))),
        "/* clang-format on */", "", "#endif", ""])


def main():
    check, wrong = sys.argv[1:] == ["--check"], 0
    for name, text in (("entity_table.h", entity_table()), ("name_table.h", name_table())):
        path = HERE / name
        if check:
            same = path.exists() and path.read_text(encoding="utf-8") == text
            print("%s %s" % ("ok  " if same else "FAIL", name))
            wrong += not same
        else:
            path.write_text(text, encoding="utf-8")
    if check:
        print("%d passed, %d failed" % (2 - wrong, wrong))
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
