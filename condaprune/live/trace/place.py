"""Where a run is recorded: the file system of the prefix, and the recorders' own folder.

The file system is read from ``/proc/self/mountinfo``. The folder lies outside the prefix, with a
lock that keeps two recordings of one prefix apart.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from condaprune.errors import TraceError
from condaprune.paths import printable, to_bytes

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, its type (``ext4``, ``overlay``), its options."""

    point: str
    kind: str
    options: tuple[str, ...]

    def option(self, name: str) -> str:
        """The value of an option such as ``upperdir``; empty where it is not set."""
        start = name + "="
        return next((o[len(start) :] for o in self.options if o.startswith(start)), "")

    @property
    def label(self) -> str:
        """How the header of a trace names it: the type, and how access times are kept."""
        options = [o for o in self.options if o.endswith("atime") or o == "ro"]
        return f"{self.kind} ({','.join(options)})" if options else self.kind


def mount_of(path: str, table: str = "/proc/self/mountinfo") -> Mount:
    """The mount that the real *path* lies on; one of unknown type where there is no table."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return Mount("/", "unknown", ())
    deepest = Mount("/", "unknown", ())
    for line in lines:
        head, _, tail = line.partition(" - ")
        fields, about = head.split(" "), tail.split(" ")
        if len(fields) < 6 or len(about) < 3:
            continue
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of several mounts at one point, the last one listed covers the others.
        if len(point) >= len(deepest.point) and _covers(point, path):
            options = dict.fromkeys((*fields[5].split(","), *about[2].split(",")))
            deepest = Mount(point, about[0], tuple(options))
    return deepest


def _covers(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/") or not os.path.isabs(path)


@contextlib.contextmanager
def recording_alone(prefix: str) -> Iterator[str]:
    """Hold the lock of a prefix (its real path) and yield a fresh folder, removed afterwards.

    The lock is a file in a folder of the user's in the system's temporary folder, so that nothing
    is written to the prefix; the kernel releases it however the process ends. Errors:
    `TraceError` where another recorder is at work.
    """
    import fcntl

    home = _home()
    try:
        info = os.stat(to_bytes(prefix))
    except OSError as error:
        raise TraceError(
            f"the prefix cannot be read: {error.strerror}",
            where=printable(prefix),
            remedy="Check its name and permissions",
        ) from None
    lock = os.path.join(home, f"trace-{info.st_dev:x}-{info.st_ino:x}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TraceError(
                "another recorder is at work on this prefix; each would see the other's workload",
                where=printable(prefix),
                remedy="Wait until it has ended, or stop it with Ctrl-C",
            ) from None
        with tempfile.TemporaryDirectory(
            prefix="trace-", dir=home, ignore_cleanup_errors=True
        ) as folder:
            yield folder


def _home() -> str:
    """The user's folder for scratch files. Errors: `TraceError` if it is somebody else's."""
    home = os.path.join(tempfile.gettempdir(), f"condaprune-{os.getuid()}")
    try:
        os.mkdir(home, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise TraceError(
            f"the scratch folder cannot be made: {error.strerror}",
            where=home,
            remedy="Set TMPDIR to a folder that you may write to",
        ) from None
    info = os.lstat(home)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise TraceError(
            "the scratch folder belongs to somebody else",
            where=home,
            remedy="Set TMPDIR to a folder that is yours",
        )
    return home
