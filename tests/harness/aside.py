"""Other mail systems, unpacked aside: Debian packages fetched and unpacked under build/peers, never installed, no
service ever started by init.

A peer runs in a mount namespace of its own in which its package lies over /usr and /etc (an overlay), with a private
/etc/passwd and /etc/group that know its users, a resolver that is our stub, and empty /run, /var/lib and /var/spool.
So compiled-in folders and user names work on a machine that has never heard of the package, and several packages that
exclude each other run side by side. It also runs in a PID namespace: killing its first process ends every process it
ever made.

Needs root, apt-get, dpkg-deb, unshare and mount: nothing else. Packages are kept; a second run downloads nothing.
"""
import fcntl
import os
import pathlib
import shlex
import shutil
import subprocess

from . import places
from .places import Unavailable

# What a peer consists of. Libraries it needs and the machine lacks are found in the packages' own dependencies and
# unpacked with it.
PACKAGES = {
    "postfix": ["postfix"],
    "exim": ["exim4-daemon-light", "exim4-base"],
    "opensmtpd": ["opensmtpd"],
    "dovecot": ["dovecot-core", "dovecot-lmtpd", "dovecot-imapd"],
    "swaks": ["swaks", "libnet-ssleay-perl", "libio-socket-ssl-perl"],
}

# Users of the packages, with numbers of our own that no Debian system hands out; a user the machine already has keeps
# its number there.
USERS = {
    "postfix": 61001,
    "Debian-exim": 61002,
    "opensmtpd": 61003,
    "opensmtpq": 61004,
    "dovecot": 61005,
    "dovenull": 61006,
    "vmail": 61007,
}
GROUPS = {"postdrop": 61011}


def folder():
    return places.scratch() / "peers"


def root(name):
    """The folder into which the peer `name` is unpacked; fetches it first when it is not there."""
    fetch(name)
    return folder() / name / "root"


def _run(argv, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Unavailable("%s: %s" % (shlex.join(map(str, argv[:4])), (done.stderr or done.stdout).strip()[-300:]))
    return done.stdout


def _installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True)
    return done.returncode == 0 and "not-installed" not in done.stdout and "installed" in done.stdout


def _missing_libraries(packages):
    """The library packages below `packages` that this machine lacks (apt's own view of the dependencies)."""
    text = _run(
        [
            "apt-cache",
            "depends",
            "--recurse",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
            "--no-breaks",
            "--no-replaces",
            "--no-enhances",
            *packages,
        ]
    )
    names = {line.strip() for line in text.splitlines() if line and not line[0].isspace() and not line.startswith("<")}
    unwanted = ("libdebian-installer", "libnewt", "libtextwrap", "libelogind", "libbg2")
    return sorted(
        n
        for n in names
        if n.startswith("lib") and not n.startswith(unwanted) and not _installed(n) and _downloadable(n)
    )


def _downloadable(package):
    return (
        "Filename:"
        in subprocess.run(["apt-cache", "show", "--no-all-versions", package], capture_output=True, text=True).stdout
    )


def fetch(name):
    """Download and unpack one peer, once. Safe to call from several processes at the same time."""
    top = folder() / name
    if (top / "complete").exists():
        return
    if os.geteuid() != 0:
        raise Unavailable("peers are unpacked and started by root only")
    top.mkdir(parents=True, exist_ok=True)
    with open(top / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (top / "complete").exists():
            return
        for tool in ("apt-get", "dpkg-deb", "unshare", "mount"):
            if not shutil.which(tool):
                raise Unavailable("no %s on this machine" % tool)
        packages = PACKAGES[name]
        if not all(_downloadable(p) for p in packages):
            _run(["apt-get", "update", "-q"])
        debs = top / "debs"
        shutil.rmtree(debs, ignore_errors=True)
        shutil.rmtree(top / "root", ignore_errors=True)
        debs.mkdir()
        (top / "root" / "usr").mkdir(parents=True)
        (top / "root" / "etc").mkdir()
        _run(
            ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *packages, *_missing_libraries(packages)],
            cwd=debs,
        )
        for deb in sorted(debs.glob("*.deb")):
            _run(["dpkg-deb", "-x", deb, top / "root"])
        _merge_usr(top / "root")
        (top / "complete").write_text("\n".join(sorted(p.name for p in debs.glob("*.deb"))) + "\n")


def _merge_usr(tree):
    """Packages may still carry /lib or /bin of their own; on a machine with a merged /usr they belong below it."""
    for name in ("lib", "lib64", "bin", "sbin"):
        if (tree / name).is_dir() and not (tree / name).is_symlink():
            shutil.copytree(tree / name, tree / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(tree / name)


def _accounts(etc):
    """Write passwd and group copies that know every user a peer wants, and remember their numbers."""
    passwd, group = pathlib.Path("/etc/passwd").read_text(), pathlib.Path("/etc/group").read_text()
    have_user = {line.split(":")[0] for line in passwd.splitlines()}
    have_group = {line.split(":")[0] for line in group.splitlines()}
    for name, number in USERS.items():
        if name not in have_group:
            group += "%s:x:%d:\n" % (name, number)
        if name not in have_user:
            passwd += "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (name, number, number)
    for name, number in GROUPS.items():
        if name not in have_group:
            group += "%s:x:%d:\n" % (name, number)
    (etc / "passwd").write_text(passwd)
    (etc / "group").write_text(group)
    (etc / "nsswitch.conf").write_text(
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
    )


def uid(name):
    """The number under which a peer's user is known inside its namespace."""
    for line in pathlib.Path("/etc/passwd").read_text().splitlines():
        if line.split(":")[0] == name:
            return int(line.split(":")[2])
    return USERS[name]


def inside(name, work, argv, resolver="127.0.0.1", binds=()):
    """The command line that runs `argv` inside the namespaces of peer `name`.

    `work` is the folder of this run (not below /run, /var/lib or /var/spool): it receives the private /etc files.
    `binds` are pairs (folder outside, folder inside); an inside folder below /run, /var/lib or /var/spool is made
    first, since those are empty there.
    """
    tree = root(name)
    etc = pathlib.Path(work) / "etc-aside"
    etc.mkdir(parents=True, exist_ok=True)
    _accounts(etc)
    (etc / "resolv.conf").write_text("nameserver %s\noptions timeout:1 attempts:1\n" % resolver)
    steps = ["set -e"]
    steps.append("mount -t overlay aside -o lowerdir=%s:/usr /usr" % (tree / "usr"))
    steps.append("mount -t overlay aside -o lowerdir=%s:%s:/etc /etc" % (etc, tree / "etc"))
    for hidden in ("/run", "/var/spool", "/var/lib"):
        steps.append("mkdir -p %s && mount -t tmpfs aside %s" % (hidden, hidden))
    for outside, within in binds:
        steps.append(
            "mkdir -p %s && mount --bind %s %s"
            % (shlex.quote(str(within)), shlex.quote(str(outside)), shlex.quote(str(within)))
        )
    steps.append('exec "$@"')
    return [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child=SIGKILL",
        "--mount-proc",
        "/bin/sh",
        "-c",
        "; ".join(steps),
        "aside",
        *map(str, argv),
    ]


def tool(name, program):
    """A plain program of a peer that needs no namespace, as (command, environment): smtp-source, smtp-sink, swaks."""
    tree = root(name)
    found = [p for p in (tree / "usr" / where / program for where in ("sbin", "bin")) if p.exists()]
    if not found:
        raise Unavailable("package %s has no %s" % (name, program))
    libraries = [str(tree / "usr" / "lib" / "postfix")] + [
        str(p) for p in sorted((tree / "usr" / "lib").glob("*-linux-gnu"))
    ]
    perl = [
        str(p)
        for p in (tree / "usr" / "share" / "perl5", *sorted((tree / "usr" / "lib").glob("*-linux-gnu/perl5/*")))
        if p.is_dir()
    ]
    return str(found[0]), dict(os.environ, LD_LIBRARY_PATH=":".join(libraries), PERL5LIB=":".join(perl))


def main():
    """Fetch every peer (or those named) and say where it lies."""
    import sys

    for name in sys.argv[1:] or PACKAGES:
        try:
            print("peer %-10s %s" % (name, root(name)))
        except Unavailable as why:
            print("peer %-10s not available: %s" % (name, why))
            raise SystemExit(1)


if __name__ == "__main__":
    main()
