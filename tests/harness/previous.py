"""The version before this one, built from the commit that packaging/previous-version names.

Its source comes out of git, its programs lie below build/previous and are made once for each commit.
"""
import fcntl
import pathlib
import re
import shutil
import subprocess

from . import places

NAMED = places.SOURCE / "packaging" / "previous-version"


class NoHistory(places.Unavailable):
    """This tree has no git history, or only the end of it: there is nothing to build the previous version from."""


def named():
    """(tag, commit) as the tracked file says."""
    found = re.search(r"(?m)^(v\S+) ([0-9a-f]{40})$", NAMED.read_text())
    if not found:
        raise ValueError("%s names no tag and commit" % NAMED)
    return found.groups()


def _git(*words):
    return subprocess.run(["git", "-C", str(places.SOURCE), *words], capture_output=True)


def require_history():
    """The commit is here, or NoHistory says why it cannot be, or Unavailable that it should be."""
    tag, commit = named()
    if _git("rev-parse", "--git-dir").returncode != 0:
        raise NoHistory("no git history here, so no %s to build" % tag)
    if _git("cat-file", "-e", commit + "^{commit}").returncode == 0:
        return
    if _git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        raise NoHistory("a shallow clone without %s (%s)" % (tag, commit[:12]))
    raise places.Unavailable("the whole history is here, but not %s (%s)" % (tag, commit[:12]))


def show(path):
    """A file of the previous version as bytes."""
    done = _git("show", "%s:%s" % (named()[1], path))
    if done.returncode != 0:
        raise ValueError(done.stderr.decode(errors="replace"))
    return done.stdout


def tag_commit():
    """What the tag points at in this clone, or None where tags were not fetched."""
    done = _git("rev-parse", "--verify", "--quiet", "refs/tags/%s^{commit}" % named()[0])
    return done.stdout.decode().strip() if done.returncode == 0 else None


def _make(folder, commit):
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir(parents=True)
    tree = folder / "tree.tar"
    for argv in (
        ["git", "-C", places.SOURCE, "archive", "--output", tree, commit],
        ["tar", "-C", source, "--no-same-owner", "-xf", tree],
        ["meson", "setup", folder / "build", source],
        ["ninja", "-C", folder / "build", "-j", "2", "hangud", "hangu"],
    ):
        done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError("the previous version does not build:\n" + done.stdout.decode(errors="replace")[-3000:])
    tree.unlink()


def programs():
    """The folder with its hangud and hangu. Raises as require_history does."""
    require_history()
    tag, commit = named()
    parent = places.scratch() / "previous"
    parent.mkdir(exist_ok=True)
    folder = parent / ("%s-%s" % (tag, commit[:12]))
    with open(parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            _make(folder, commit)
            done.touch()
    return pathlib.Path(folder / "build")
