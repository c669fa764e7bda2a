"""What a user names to be written: a file appears whole or not at all, a stream is written to.

Nothing is ever put in the place of a device, a FIFO, a socket, a folder or a link. Links at the end
of a name are followed where they belong to this user or to root, so that nobody else says where a
file is written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Literal

from condaprune.paths import from_bytes, to_bytes

Identity = tuple[int, int, bytes]
"""Device, inode, and the name in that folder where there is no file yet."""

_DESCRIPTORS = re.compile(rb"/dev/fd|/proc/(\d+)(?:/task/\d+)?/fd")
_MOST_LINKS = 40
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_STREAM = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
_REFUSED = {
    stat.S_IFDIR: (errno.EISDIR, "it is a folder"),
    stat.S_IFSOCK: (errno.ENXIO, "it is a socket"),
    stat.S_IFBLK: (errno.EINVAL, "it is a disk, which is not written to"),
    stat.S_IFLNK: (errno.ELOOP, "a link took its place"),
}


class Target:
    """A file or a stream that a user named, open to be written.

    `stream` is the handle of what is no file of its own: a pipe, a character device, an open
    descriptor (``/dev/stdout``, ``/dev/fd/63``). Opening a FIFO waits for its reader. `stream` is
    None for a regular file, which was made to see that it can be, and appears when it is written.
    Errors: OSError.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.stream: int | None = None
        real, form = _look(path)
        if form == "file":
            self._probe(real)
        else:
            self.stream = _open_stream(real)

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close a stream."""
        if self.stream is not None:
            os.close(self.stream)
            self.stream = None

    def write(self, data: bytes, *, mode: int | None = None) -> None:
        """Write all of *data*; *mode* as for `replacing`. Errors: OSError."""
        if self.stream is not None:
            _write(self.stream, data)
            return
        with self.replacing(mode) as (handle, _):
            _write(handle, data)

    @contextlib.contextmanager
    def replacing(self, mode: int | None = None) -> Iterator[tuple[int, str]]:
        """The handle and the path of a new file, which takes its place when the block ends well.

        Until then it is this user's alone; afterwards its permissions are *mode*, by default those
        of this user's file that it replaces, else what the umask leaves. Errors: OSError.
        """
        real, form = _look(self.path)
        if form != "file":
            raise OSError(errno.EINVAL, "it is no longer a regular file", self.path)
        place, name = os.path.split(real)
        part = part_name(name)
        with stopped_by_signals(), open_folder(place) as folder:
            handle = -1
            try:
                handle = os.open(part, _NEW, 0o600, dir_fd=folder)
                yield handle, from_bytes(os.path.join(place, part))
                os.fchmod(handle, _permissions(folder, name, mode))
                os.fsync(handle)
                os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(part, dir_fd=folder)
                raise
            finally:
                if handle >= 0:
                    os.close(handle)
            sync_folder(place)

    def _probe(self, real: bytes) -> None:
        """Make a file beside *real* and remove it again; see that *real* can be replaced."""
        place, name = os.path.split(real)
        part = part_name(name)
        with stopped_by_signals(), open_folder(place) as folder:
            _check_replaceable(folder, name, self.path)
            try:
                os.close(os.open(part, _NEW, 0o600, dir_fd=folder))
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(part, dir_fd=folder)


def is_stream(path: str) -> bool:
    """Whether what is written to *path* goes on elsewhere: a pipe, a device, an open descriptor.

    Errors: OSError for what a `Target` refuses.
    """
    return _look(path)[1] == "stream"


def identity_of(path: str) -> Identity | None:
    """What two names of one target have in common.

    None for a character device, which any number may write to, and for what cannot be seen.
    """
    try:
        info = os.stat(path)
        return None if stat.S_ISCHR(info.st_mode) else (info.st_dev, info.st_ino, b"")
    except FileNotFoundError:
        folder, name = os.path.split(to_bytes(path))
    except OSError:
        return None
    with contextlib.suppress(OSError):
        info = os.stat(folder or b".")
        return info.st_dev, info.st_ino, name
    return None


def folders_above(path: str) -> set[tuple[int, int]]:
    """Device and inode of each folder that *path*, with its links followed, lies in.

    A folder has the same ones under all its names, those of bind mounts included.
    """
    found = set()
    current = os.path.realpath(to_bytes(os.path.abspath(path)))
    while (above := os.path.dirname(current)) != current:
        current = above
        with contextlib.suppress(OSError):
            info = os.stat(current)
            found.add((info.st_dev, info.st_ino))
    return found


def part_name(name: bytes) -> bytes:
    """A hidden name, made from *name*, that nothing has and nobody can foresee."""
    return b".%s.%s.part" % (name[:200], os.urandom(8).hex().encode())


def permissions_left(mode: int) -> int:
    """What the umask leaves of *mode*."""
    mask = os.umask(0o077)  # reading it means setting it: to what does no harm meanwhile
    os.umask(mask)
    return mode & ~mask


def sync_folder(path: bytes) -> None:
    """Make what was renamed in a folder survive a crash, where the file system lets us."""
    with contextlib.suppress(OSError):
        handle = os.open(path or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Stopped(SystemExit):
    """A signal asked the program to end: unwinds like Ctrl-C, so that everything is cleaned up."""


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception within the block."""

    import signal

    def stop(number: int, _frame: FrameType | None) -> None:
        raise _Stopped(128 + number)

    # Only the main thread may set what signals do.
    main = threading.current_thread() is threading.main_thread()
    both = (signal.SIGTERM, signal.SIGHUP) if main else ()
    defaults = [number for number in both if signal.getsignal(number) == signal.SIG_DFL]
    for number in defaults:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in defaults:
            signal.signal(number, signal.SIG_DFL)


def _look(path: str) -> tuple[bytes, Literal["file", "stream"]]:
    """Where a name leads, and what is there or can be made there. Errors: OSError."""
    real = _follow(path)
    try:
        form = stat.S_IFMT(os.stat(real).st_mode)
    except FileNotFoundError:
        if _is_descriptor(real):
            raise OSError(errno.EBADF, "no such descriptor is open", path) from None
        form = stat.S_IFREG
    if _is_descriptor(real):
        return real, "stream"
    _refuse(form, path)
    if form == stat.S_IFREG and os.path.basename(real) in (b"", b".", b".."):
        raise IsADirectoryError(errno.EISDIR, "it is the name of a folder", path)
    return real, "file" if form == stat.S_IFREG else "stream"


def _follow(path: str) -> bytes:
    """The name at the end of the links that *path* begins. Errors: OSError."""
    real = to_bytes(path)
    for step in range(_MOST_LINKS):
        if _is_descriptor(real):
            return real
        try:
            info = os.lstat(real)
        except FileNotFoundError:
            if step:
                raise OSError(errno.ENOENT, "it is a link that leads nowhere", path) from None
            return real
        if not stat.S_ISLNK(info.st_mode):
            return real
        if info.st_uid not in (0, os.geteuid()):
            raise OSError(errno.EPERM, "it is a link of another user, which is not followed", path)
        real = os.path.join(os.path.dirname(real), os.readlink(real))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


def _is_descriptor(path: bytes) -> bool:
    return _DESCRIPTORS.fullmatch(os.path.realpath(os.path.dirname(path))) is not None


def _open_stream(path: bytes) -> int:
    """A handle to write to what is no file. Errors: OSError."""
    import fcntl

    found = _DESCRIPTORS.fullmatch(os.path.realpath(os.path.dirname(path)))
    name = os.path.basename(path)
    if found is None:
        handle = os.open(path, _STREAM | os.O_NOFOLLOW)
    elif found[1] in (None, b"%d" % os.getpid()) and name.isdigit():
        # Opened anew, it would have an offset of its own, and a socket cannot be opened.
        handle = os.dup(int(name))
    else:
        handle = os.open(path, _STREAM)
    try:
        form = stat.S_IFMT(os.fstat(handle).st_mode)
        if found is None or form == stat.S_IFDIR:
            _refuse(form, from_bytes(path))
        if found is None and form == stat.S_IFREG:
            raise OSError(errno.EINVAL, "a file took its place", from_bytes(path))
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "it is open for reading only", from_bytes(path))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _refuse(form: int, path: str) -> None:
    if form in _REFUSED:
        number, what = _REFUSED[form]
        raise OSError(number, what, path)


@contextlib.contextmanager
def open_folder(path: bytes) -> Iterator[int]:
    """A handle of a folder, for names in it; it cannot be listed. Errors: OSError."""
    flags = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
    handle = os.open(path or b".", flags)
    try:
        yield handle
    finally:
        os.close(handle)


def _check_replaceable(folder: int, name: bytes, path: str) -> None:
    """Refuse what a rename onto it would fail for, where a file can be made beside it."""
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    around, user = os.fstat(folder), os.geteuid()
    if around.st_mode & stat.S_ISVTX and user not in (0, info.st_uid, around.st_uid):
        raise PermissionError(errno.EPERM, "it is a file of another user", path)
    try:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EROFS):  # immutable, or mounted to be read
            error.filename = path
            raise
        return
    try:
        if _mount(handle) != _mount(folder):
            raise OSError(errno.EBUSY, "it is mounted there, and cannot be replaced", path)
    finally:
        os.close(handle)


def _mount(handle: int) -> bytes:
    """The number of the mount that a handle is on; empty where the system does not say."""
    with contextlib.suppress(OSError), open(f"/proc/self/fdinfo/{handle}", "rb") as stream:
        return b"".join(line for line in stream if line.startswith(b"mnt_id:"))
    return b""


def _permissions(folder: int, name: bytes, mode: int | None) -> int:
    """Those of the file that takes the place of *name*. Errors: OSError if it is no file now."""
    with contextlib.suppress(FileNotFoundError):
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        form = stat.S_IFMT(info.st_mode)
        if form != stat.S_IFREG:
            _refuse(form, from_bytes(name))
            raise OSError(errno.EINVAL, "a stream took its place", from_bytes(name))
        if mode is None and info.st_uid == os.geteuid():
            return stat.S_IMODE(info.st_mode) & 0o777
    return permissions_left(0o666) if mode is None else mode


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
