"""A recorder's own folder outside of the prefix, and the lock that keeps two apart."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator

from condaprune.errors import TraceError
from condaprune.paths import printable, to_bytes


@contextlib.contextmanager
def recording_alone(prefix: str) -> Iterator[str]:
    """Hold the lock of a prefix (its real path) and yield a fresh folder, removed afterwards.

    The lock is a file in a folder of the user's in the system's temporary folder, so that nothing
    is written to the prefix; the kernel lets go of it however the process ends. Errors:
    `TraceError` where another recorder is at work.
    """
    import fcntl

    home = _home()
    try:
        found = os.stat(to_bytes(prefix))
    except OSError as error:
        raise TraceError(
            f"the prefix cannot be read: {error.strerror}",
            where=printable(prefix),
            remedy="Check its name and permissions",
        ) from None
    lock = os.path.join(home, f"trace-{found.st_dev:x}-{found.st_ino:x}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TraceError(
                "another recorder is at work on this prefix; the two would see each other's "
                "workload",
                where=printable(prefix),
                remedy="Wait until it has ended, or stop it with Ctrl-C",
            ) from None
        folder = tempfile.mkdtemp(prefix="trace-", dir=home)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _home() -> str:
    """The user's own folder for scratch files, made sure that it is nobody else's."""
    home = os.path.join(tempfile.gettempdir(), f"condaprune-{os.getuid()}")
    try:
        os.mkdir(home, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise TraceError(
            f"the scratch folder cannot be made: {error.strerror}",
            where=home,
            remedy="Set TMPDIR to a folder that can be written",
        ) from None
    found = os.lstat(home)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise TraceError(
            "the scratch folder belongs to somebody else",
            where=home,
            remedy="Set TMPDIR to a folder of your own",
        )
    return home
