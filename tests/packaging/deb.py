#!/usr/bin/env python3
"""The Debian package: two builds alike, what is in it and with which modes, its papers, its list of libraries, its settings file, and
its unit as far as that can be tried where systemd does not run. Ends with `N passed, N failed`.

HANGU_DEB names the folder for packages and scratch (build/deb-test).
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import hardening

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("HANGU_DEB", TOP / "build" / "deb-test"))
ROOT = OUT / "unpacked"
READY_SECONDS = 30 * int(os.environ.get("HANGU_PATIENCE", "1"))

# Everything in the package that is not a folder. What is added to it is added here.
FILES = {
    "/etc/apparmor.d/usr.sbin.hangud": "-rw-r--r--",
    "/etc/hangu/hangu.conf": "-rw-r-----",
    "/usr/bin/hangu": "-rwxr-xr-x",
    "/usr/lib/systemd/system/hangu-handover.service": "-rw-r--r--",
    "/usr/lib/systemd/system/hangu.service": "-rw-r--r--",
    "/usr/lib/sysusers.d/hangu.conf": "-rw-r--r--",
    "/usr/lib/tmpfiles.d/hangu.conf": "-rw-r--r--",
    "/usr/sbin/hangu-handover": "-rwxr-xr-x",
    "/usr/sbin/hangud": "-rwxr-xr-x",
    "/usr/share/doc/hangu/ARCHITECTURE.md": "-rw-r--r--",
    "/usr/share/doc/hangu/DEPENDENCIES.md": "-rw-r--r--",
    "/usr/share/doc/hangu/THREATS.md": "-rw-r--r--",
    "/usr/share/doc/hangu/boxes.md": "-rw-r--r--",
    "/usr/share/doc/hangu/changelog.Debian.gz": "-rw-r--r--",
    "/usr/share/doc/hangu/copyright": "-rw-r--r--",
    "/usr/share/doc/hangu/findings.md": "-rw-r--r--",
    "/usr/share/doc/hangu/hangu.spdx.json": "-rw-r--r--",
    "/usr/share/doc/hangu/packaging.md": "-rw-r--r--",
    "/usr/share/man/man1/hangu.1.gz": "-rw-r--r--",
    "/usr/share/man/man8/hangu-handover.8.gz": "-rw-r--r--",
    "/usr/share/man/man8/hangud.8.gz": "-rw-r--r--",
}
PRIVATE_FOLDERS = {"/etc/hangu/": "drwxr-x---"}


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


def listing(package):
    """[(mode, owner, name)] of a package's content; the dot in front is taken off."""
    lines = run("dpkg-deb", "--contents", package).stdout.splitlines()
    return [(fields[0], fields[1], fields[5][1:]) for fields in (line.split(None, 5) for line in lines)]


def settings_of(unit):
    """{key: [values]} of the [Service] section; a value that starts with an empty one begins anew."""
    values, section = {}, ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            values.setdefault(key, []).append(value)
    return values


def filter_of(unit):
    """The system calls that the unit lets through, or None where systemd is not there to say what its groups hold."""
    if shutil.which("systemd-analyze") is None:
        return None

    def expand(word):
        if not word.startswith("@"):
            return {word}
        lines = run("systemd-analyze", "syscall-filter", word).stdout.splitlines()[1:]
        words = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        return {call for inner in words for call in expand(inner)}

    # systemd.exec(5): always allowed in an allow-list
    allowed = {"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"}
    for value in settings_of(unit)["SystemCallFilter"]:
        for word in value.lstrip("~").split():
            if value.startswith("~"):
                allowed -= expand(word)
            else:
                allowed |= expand(word)
    return allowed


def boxed_calls():
    """Every call of the table in docs/boxes.md."""
    table = (TOP / "docs" / "boxes.md").read_text().split("<!-- calls: begin -->")[1].split("<!-- calls: end -->")[0]
    return set(re.findall(r"^\| `(\w+)`", table, re.M))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def seccomp_allow(calls):
    """For preexec_fn: the unit's filter with its EPERM, loaded through libseccomp as systemd does."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(0x00050000 | 1))
    for call in sorted(calls):
        number = library.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            library.seccomp_rule_add(context, ctypes.c_uint32(0x7FFF0000), ctypes.c_int(number), ctypes.c_uint(0))

    def load():
        if library.seccomp_load(context) != 0:
            os._exit(99)
    return load


class Deb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(ROOT, ignore_errors=True)
        made = run(TOP / "packaging" / "make-deb", OUT)
        cls.said = made.stdout + made.stderr
        if made.returncode != 0:
            raise AssertionError("make-deb ended with %d\n%s" % (made.returncode, cls.said))
        cls.package = next(OUT.glob("hangu_*.deb"))
        run("dpkg-deb", "--raw-extract", cls.package, ROOT, check=True)

    # ---- the package ----

    def test_two_builds_are_the_same(self):
        copies = sorted(OUT.glob("first/*.deb")) + sorted(OUT.glob("another/*/*.deb"))
        self.assertEqual(2, len(copies))
        self.assertEqual(copies[0].read_bytes(), copies[1].read_bytes())
        self.assertEqual(copies[0].read_bytes(), self.package.read_bytes())

    def test_checksum_is_written(self):
        self.assertEqual(0, run("sha256sum", "--check", self.package.name + ".sha256", cwd=OUT).returncode)

    def test_holds_these_files_with_these_modes(self):
        self.assertEqual(FILES, {name: mode for mode, _, name in listing(self.package) if not mode.startswith("d")})

    def test_folders_are_passable_but_the_private_ones(self):
        for mode, _, name in listing(self.package):
            if mode.startswith("d"):
                self.assertEqual(PRIVATE_FOLDERS.get(name, "drwxr-xr-x"), mode, name)

    def test_all_is_roots(self):
        self.assertEqual({"root/root"}, {owner for _, owner, _ in listing(self.package)})

    def test_nothing_tells_where_it_was_built(self):
        for name in FILES:
            data = (ROOT / name[1:]).read_bytes()
            self.assertNotIn(str(TOP).encode(), data, name)
            self.assertNotIn(str(OUT).encode(), data, name)

    def test_programs_are_stripped_and_hardened(self):
        for name in ("usr/sbin/hangud", "usr/bin/hangu"):
            self.assertNotIn(".debug_info", run("readelf", "-SW", ROOT / name).stdout)
            self.assertEqual([what for what, there in hardening.checks(ROOT / name) if not there], [], name)

    # ---- its papers ----

    def test_control_says_what_it_needs(self):
        control = run("dpkg-deb", "--field", self.package).stdout
        for word in ("libc6 (>= ", "libssl3 (>= ", "libunbound8 (>= ", "libsodium23 (>= ", "libseccomp2 (>= ", "libsqlite3-0 (>= ",
                     "libmicrohttpd12 (>= ", "libzstd1 (>= ", "ca-certificates"):
            self.assertIn(word, control)
        self.assertNotIn("@", re.sub(r"<.*>", "", control))

    def test_settings_under_etc_are_kept_on_upgrade(self):
        conffiles = (ROOT / "DEBIAN" / "conffiles").read_text().split()
        self.assertEqual(sorted(name for name in FILES if name.startswith("/etc/")), sorted(conffiles))

    def test_md5sums_are_right(self):
        self.assertEqual(0, run("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=ROOT).returncode)

    def test_scripts_are_shell(self):
        for script in [ROOT / "DEBIAN" / name for name in ("postinst", "prerm", "postrm")] + [ROOT / "usr/sbin/hangu-handover"]:
            self.assertEqual("", run("sh", "-n", script).stderr, script.name)
            self.assertEqual(0o755, script.stat().st_mode & 0o777, script.name)

    # ---- the list of libraries ----

    def spdx(self):
        return json.loads((ROOT / "usr/share/doc/hangu/hangu.spdx.json").read_text())

    def sbom(self, page, program):
        return run(sys.executable, TOP / "packaging" / "sbom.py", "--version", "1", "--dependencies", page, "--out", os.devnull, program,
                   env=dict(os.environ, SOURCE_DATE_EPOCH="0"))

    def test_list_names_every_library_of_both_programs(self):
        named = " ".join(package.get("comment", "") for package in self.spdx()["packages"])
        for name in ("usr/sbin/hangud", "usr/bin/hangu"):
            for library in re.findall(r"\(NEEDED\).*\[(.+?)\]", run("readelf", "-dW", ROOT / name).stdout):
                self.assertIn(library, named)

    def test_list_is_spdx(self):
        spdx = self.spdx()
        self.assertEqual(("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), (spdx["spdxVersion"], spdx["dataLicense"], spdx["SPDXID"]))
        ids = [entry["SPDXID"] for entry in spdx["packages"] + spdx["files"]] + ["SPDXRef-DOCUMENT"]
        self.assertEqual(len(ids), len(set(ids)))
        for relation in spdx["relationships"]:
            self.assertIn(relation["spdxElementId"], ids)
            self.assertIn(relation["relatedSpdxElement"], ids)
        for package in spdx["packages"]:
            self.assertTrue(package["versionInfo"] and package["licenseDeclared"] and package["downloadLocation"], package["name"])

    def test_list_has_the_digests_of_the_programs(self):
        for file in self.spdx()["files"]:
            digest = run("sha256sum", ROOT / file["fileName"]).stdout.split()[0]
            self.assertEqual(digest, file["checksums"][1]["checksumValue"])

    def test_library_without_a_reason_is_refused(self):
        answer = self.sbom(TOP / "docs" / "DEPENDENCIES.md", shutil.which("bash"))
        self.assertEqual(1, answer.returncode)
        self.assertRegex(answer.stderr, r"libtinfo\.so\S* is needed, and neither in")

    def test_licence_that_the_page_does_not_say_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as page:
            page.write((TOP / "docs" / "DEPENDENCIES.md").read_text().replace("| ISC |", "| MIT |"))
            page.flush()
            answer = self.sbom(page.name, ROOT / "usr/bin/hangu")
        self.assertEqual(1, answer.returncode)
        self.assertIn("libsodium.so: libsodium is ISC here, and ['MIT']", answer.stderr)

    # ---- the settings file ----

    def test_settings_as_shipped_want_a_name(self):
        answer = run(ROOT / "usr/bin/hangu", "check", ROOT / "etc/hangu/hangu.conf")
        self.assertNotEqual(0, answer.returncode)
        self.assertIn("hostname", answer.stderr)

    def test_settings_with_a_name_and_a_listener_are_good(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
            text = (ROOT / "etc/hangu/hangu.conf").read_text()
            for commented, meant in (("#[gateway]", "[gateway]"), ("#hostname =", "hostname = mail.example.org"),
                                     ("#[listener NAME]", "[listener internet]"), ("#address =", "address = 127.0.0.1:25")):
                self.assertIn(commented + "\n", text)
                text = text.replace(commented + "\n", meant + "\n", 1)
            settings.write(text)
            settings.flush()
            answer = run(ROOT / "usr/bin/hangu", "check", settings.name)
        self.assertEqual((0, ""), (answer.returncode, answer.stderr))

    # ---- the unit ----

    def unit(self, name="hangu.service"):
        return ROOT / "usr/lib/systemd/system" / name

    def test_units_differ_in_their_name_alone(self):
        first, second = settings_of(self.unit()), settings_of(self.unit("hangu-handover.service"))
        self.assertEqual(first, second)
        self.assertNotIn("[Install]", self.unit("hangu-handover.service").read_text())
        self.assertNotIn("@UNIT@", self.unit().read_text() + self.unit("hangu-handover.service").read_text())

    def test_unit_keeps_the_capabilities_that_the_supervisor_keeps(self):
        source = (TOP / "src/sys/sandbox.c").read_text()
        kept = re.search(r"supervisor_capabilities =\n(.*?);", source, re.S).group(1)
        self.assertEqual(sorted(re.findall(r"CAP_\w+", kept)), sorted(settings_of(self.unit())["CapabilityBoundingSet"][0].split()))

    def test_unit_allows_every_call_of_every_box(self):
        allowed = filter_of(self.unit())
        if allowed is None:
            print("not looked at: systemd-analyze is not installed, which knows the groups of calls")
            return
        self.assertEqual(set(), boxed_calls() - allowed)
        self.assertEqual(set(), {"ptrace", "bpf", "mount", "init_module", "keyctl", "shmget", "io_uring_setup", "io_setup"} & allowed)

    def test_systemd_reads_the_units_without_complaint(self):
        if shutil.which("systemd-analyze") is None:
            print("not looked at: systemd-analyze is not installed")
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in ("hangu.service", "hangu-handover.service"):
                text = self.unit(name).read_text()
                # The programs are not installed here; those unpacked stand in their place.
                text = text.replace("=/usr/sbin/hangud", "=%s/usr/sbin/hangud" % ROOT).replace("=/usr/bin/hangu ", "=%s/usr/bin/hangu " % ROOT)
                path = pathlib.Path(folder, name)
                path.write_text(text)
                answer = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
                self.assertEqual("", "\n".join(line for line in answer.stderr.splitlines() if "hangu" in line))

    def start(self, home, number):
        """hangud as the unit would start it: its filter, capabilities and notify socket put on by hand."""
        values, allowed = settings_of(self.unit()), filter_of(self.unit())
        keep = ",".join("+" + word[4:].lower() for word in values["CapabilityBoundingSet"][0].split())
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        notify.bind(str(home / ("notify%d" % number)))
        notify.settimeout(0.2)
        program = subprocess.Popen(
            ["setpriv", "--bounding-set", "-all," + keep, "--no-new-privs", ROOT / "usr/sbin/hangud", "--settings", home / "hangu.conf",
             "--takeover"],
            env={"NOTIFY_SOCKET": notify.getsockname(), "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL,
            stderr=(home / ("log%d" % number)).open("w"), preexec_fn=seccomp_allow(allowed | {"execve"}) if allowed is not None else None)
        self.addCleanup(lambda: program.poll() is None and (program.kill(), program.wait()))
        return program, notify

    def await_ready(self, home, number, program, notify):
        words, until = [], time.monotonic() + READY_SECONDS
        while not any("READY=1" in word for word in words):
            if program.poll() is not None or time.monotonic() > until:
                self.fail("%d never said READY=1, but %s\n%s" % (number, words, (home / ("log%d" % number)).read_text()))
            with contextlib.suppress(TimeoutError):
                words.append(notify.recv(4096).decode())

    def await_end(self, home, number, program):
        status = program.wait(READY_SECONDS)
        log = (home / ("log%d" % number)).read_text()
        self.assertEqual(0, status, log)
        self.assertNotIn("box.breach", log)

    def test_gateway_serves_and_hands_over_within_the_units_calls_and_capabilities(self):
        if os.geteuid() != 0:
            print("not looked at: needs root")
            return
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        home, port = pathlib.Path(folder.name), free_port()
        home.chmod(0o711)
        (home / "hangu.conf").write_text(
            "[gateway]\nhostname = mail.example.org\nuser = nobody\nstate = %s/state\nrun = %s/run\ndrain = 5s\n"
            "[listener internet]\naddress = 127.0.0.1:%d\n[dns]\nserver = 127.0.0.1:1\nreverse = no\n"
            "[journal]\nsegment_size = 1M\nfree_floor = 0\n" % (home, home, port))
        old, old_notify = self.start(home, 1)
        self.await_ready(home, 1, old, old_notify)
        new, new_notify = self.start(home, 2)
        self.await_ready(home, 2, new, new_notify)
        self.await_end(home, 1, old)
        with socket.create_connection(("127.0.0.1", port), READY_SECONDS) as client:
            self.assertTrue(client.recv(512).startswith(b"220 mail.example.org "))
        reload = run(ROOT / "usr/bin/hangu", "--settings", home / "hangu.conf", "reload", timeout=READY_SECONDS)
        self.assertEqual(0, reload.returncode, reload.stderr)
        new.send_signal(signal.SIGTERM)
        self.await_end(home, 2, new)


def main():
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Deb))
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (max(result.testsRun - failed, 0), failed))
    return 0 if failed == 0 and result.testsRun != 0 else 1


if __name__ == "__main__":
    sys.exit(main())
