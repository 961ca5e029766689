"""Documents of office programs: what oletools, msoffcrypto-tool and Apache Tika keep as samples, by what their folders and names say is in them.

Each file is read without passwords, then with those that the suites publish; then each is cut at every byte up to 4 KiB and at 64 places beyond,
which must end. The data is absent on other people's machines: then each suite is a printed skip, and a failure where CI=true.
"""
import collections
import os
import pathlib
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import places  # noqa: E402

DATA = places.SHARED / "conformance/office/data"
PASSWORDS = ["Password1234_", "123456789012345", "tika"]
ZIP_PASSWORD = b"infected-test"  # oletools packs samples that virus scanners take for real
CUT_EACH = 8  # files a call: what is lost when one crashes

Answer = collections.namedtuple("Answer", "facts links members texts end")


def answers(program, paths, passwords=()):
    """What was told of each file."""
    options = [word for password in passwords for word in ("--password", password)]
    run = subprocess.run([program, *options, *map(str, paths)], stdout=subprocess.PIPE, check=False)
    result, answer = {}, None
    for line in run.stdout.decode("utf-8", "replace").split("\n"):
        fields = line.split("\t")
        if fields[0] == "file":
            answer = result[fields[1]] = Answer(collections.defaultdict(list), [], [], [], [])
        elif fields[0] == "fact":
            answer.facts[fields[1]].append(fields[2])
        elif fields[0] in ("link", "member", "text"):
            getattr(answer, fields[0] + "s").append(fields[1:])
        elif fields[0] == "end":
            answer.end.append(fields[1])
    if run.returncode != 0:
        raise RuntimeError("the program ended with %d" % run.returncode)
    return result


def unpacked():
    """The packed samples of msodde and ooxml, one file each."""
    folder = places.scratch() / "office"
    folder.mkdir(parents=True, exist_ok=True)
    result = {}
    for path in sorted(DATA.glob("oletools/*/*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                target = folder / (path.parent.name + "-" + pathlib.Path(name).name)
                target.write_bytes(archive.read(name, pwd=ZIP_PASSWORD))
                result[path] = target
    return result


def wanted(path):
    """Facts of which at least one must be told, and whether none at all may be."""
    suite, name = path.relative_to(DATA).parts[0], path.name
    folder = path.parent.name
    if name.startswith(("harmless-clean", "plain.")) or folder == "basic" and not name.startswith("encrypted"):
        return []
    if suite == "tika":
        for word, facts in (("OneNote", []), ("drm", ["office.rights"]), ("Encrypted", ["content.encrypted"]), ("protected", ["content.encrypted"]),
                            ("ODSMacro", ["macro.basic"]), ("ODTMacro", ["macro.basic"]), ("macro", ["macro.vba"]),
                            ("mbedded", ["office.object", "office.auto_object"]), ("Hyperlink", []), ("hyperlink", [])):
            if word in name:
                return facts
        return None
    if suite == "msoffcrypto" or name.startswith("encrypted"):
        return ["content.encrypted"]
    if name.endswith("standardpassword" + path.suffix):
        return ["content.password_default"]
    return {"excel4-macros": ["macro.xlm"], "msodde": ["office.dde"], "ooxml": ["office.dde"], "oleobj": ["office.package"],
            "external_link": ["office.external"], "olevba": ["macro.vba"], "oleform": ["macro.vba"]}.get(folder)


def more_wrong(path, plain, opened):
    """What else a sample must show: behind its password, in its name, as a link."""
    name = path.name
    if name.startswith("autostart") and "macro.autorun" not in plain.facts:
        yield "the macro behind the default password was not found"
    if name.startswith("dde-test-encrypt") and "office.dde" not in plain.facts:
        yield "DDE behind the default password was not found"
    if ("password" in name or "passtika" in name) and path.suffix != ".ppt" and "standardpassword" not in name and "content.password" not in opened.facts:
        yield "it was not opened with its password"
    if "lnk_file" in name and not any(member[1].lower().endswith(".lnk") for member in plain.members):
        yield "no member is called .lnk"
    if name == "testOneNoteEmbeddedImage.one" and not any("PNG" in member[3] for member in plain.members):
        yield "the picture was not found"
    if "yperlink" in name and not plain.links:
        yield "no link was found"
    if "macro" in name.lower() and not any(member[0] == "script" for member in plain.members):
        yield "no source was found"


def judge(path, plain, opened):
    facts = wanted(path)
    if facts is None:
        return ["nothing is known about this file: the table of wanted facts lacks a line"]
    wrong = []
    if facts and not any(fact in plain.facts for fact in facts):
        wrong.append("%s was not found, but %s" % (" or ".join(facts), " ".join(sorted(plain.facts)) or "nothing"))
    if facts == [] and plain.facts and "OneNote" not in path.name:
        wrong.append("%s in a harmless file" % " ".join(sorted(plain.facts)))
    return wrong + list(more_wrong(path, plain, opened))


def cut(program, paths):
    """(cuts, files that ended the program)"""
    count, wrong = 0, []
    for first in range(0, len(paths), CUT_EACH):
        some = paths[first:first + CUT_EACH]
        run = subprocess.run([program, "--cut", *map(str, some)], stdout=subprocess.PIPE, check=False)
        words = run.stdout.decode().split()
        count += int(words[1]) if run.returncode == 0 else 0
        wrong += [] if run.returncode == 0 else ["one of %s: %d" % (" ".join(path.name for path in some), run.returncode)]
    return count, wrong


def report(name, total, wrong, text=""):
    print("%s %-28s %3d of %3d%s" % ("FAIL" if wrong else "ok  ", name, total - len(wrong), total, text))
    for line in wrong[:20]:
        print("     " + line)


def main():
    program = sys.argv[1]
    if not DATA.exists():
        print("skip: 3 suites, there is no %s" % DATA)
        return 1 if os.environ.get("CI") == "true" else 77
    packed = unpacked()
    paths = sorted(path for path in DATA.rglob("*") if path.is_file())
    read = [packed.get(path, path) for path in paths]
    plain, opened = answers(program, read), answers(program, read, PASSWORDS)
    passed = failed = 0
    for suite in sorted({path.relative_to(DATA).parts[:2] if path.relative_to(DATA).parts[0] == "oletools" else path.relative_to(DATA).parts[:1]
                         for path in paths}):
        chosen = [(path, text) for path, text in zip(paths, read) if path.relative_to(DATA).parts[:len(suite)] == suite]
        wrong = []
        for path, text in chosen:
            found = judge(path, plain[str(text)], opened[str(text)])
            if found:
                wrong.append("%s: %s" % (path.name, "; ".join(found)))
        report("/".join(suite), len(chosen), wrong)
        passed, failed = passed + len(chosen) - len(wrong), failed + len(wrong)
    count, wrong = cut(program, read)
    report("cut", len(read), wrong, ", %d cuts" % count)
    passed, failed = passed + (not wrong), failed + len(wrong)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
