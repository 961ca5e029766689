"""Where things lie: the source tree, the build folder, the folder a run may write to, and loopback ports nobody else
uses.

Everything a test writes goes below build/ of this source tree (HANGU_BUILD names another one), never to /tmp: spools
must lie on the real disk, or durability and speed mean nothing.
"""
import os
import pathlib
import random
import shutil
import socket
import tempfile
import threading

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Unavailable(Exception):
    """Something a test needs cannot be had on this machine; the text says what. Such a test is skipped with that text."""


def _shared():
    """The folder beside the project with corpora and conformance suites; also found from a work tree one level down."""
    if os.environ.get("HANGU_SHARED"):
        return pathlib.Path(os.environ["HANGU_SHARED"])
    beside = SOURCE.parent / "shared"
    return beside if beside.exists() else SOURCE.parent.parent / "shared"


SHARED = _shared()

# Ports are taken below the kernel's range for outgoing connections (32768 upward), so that no client socket can sit
# on one.
PORT_FIRST = 12000
PORT_LAST = 32000

_ports_given = set()
_ports_lock = threading.Lock()


def build():
    """The build folder that holds hangud: HANGU_BUILD, or the first of build/gcc, build/clang, build/asan, build
    with a build.ninja.
    """
    if os.environ.get("HANGU_BUILD"):
        return pathlib.Path(os.environ["HANGU_BUILD"]).resolve()
    for name in ("build/gcc", "build/clang", "build/asan", "build"):
        if (SOURCE / name / "build.ninja").exists():
            return SOURCE / name
    return SOURCE / "build" / "gcc"


def scratch():
    """The folder under which runs, unpacked peers and unpacked corpora live."""
    path = pathlib.Path(os.environ.get("HANGU_SCRATCH", SOURCE / "build"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def run_folder(name):
    """A fresh folder of its own for one test or one contender. World-searchable, because peers drop root."""
    parent = scratch() / "run"
    parent.mkdir(exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=parent))
    path.chmod(0o755)
    return path


def remove(path):
    """Remove a run folder unless HANGU_KEEP is set, so that one can look at the logs of a failed run."""
    if not os.environ.get("HANGU_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


def free_port(host="127.0.0.1"):
    """A port of `host` that is free now and was not handed out before in this process."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(2000):
        port = random.randrange(PORT_FIRST, PORT_LAST)
        with _ports_lock:
            if port in _ports_given:
                continue
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError:
                    continue
            _ports_given.add(port)
            return port
    raise RuntimeError("no free port on %s" % host)


def program(name):
    """A program of this build, or None when the build does not have it (yet)."""
    path = build() / name
    return path if path.exists() else None
