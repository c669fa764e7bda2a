"""The file system as an in-place run uses it: by folder handle, never through a link.

Every call that a run makes goes through one object, so that a test can end the process at any of
them. Names are bytes and have no slash; folders are handles.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from condaprune.files import open_regular
from condaprune.model import Buffer
from condaprune.paths import ancestors, to_bytes
from condaprune.sinks.attributes import names_at

_PIECE = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_UNSUPPORTED = {errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EACCES, errno.ENOSPC}
# The arguments and the answer of statx(2).
_AT_FDCWD = -100
_NOFOLLOW = 0x100
_BASIC = 0x7FF  # the fields of a stat
_FIELDS = struct.Struct("=8xQ12xH2xQQ64xqI")
_FORBIDDING = 0x10 | 0x20  # immutable, append-only
_SECOND = 1_000_000_000


class Filesystem:
    """The calls of an in-place run, many with the name of the system's own.

    Errors: `OSError`, as the system reports them.
    """

    def open_root(self, path: bytes) -> int:
        """A handle of the prefix."""
        return os.open(path, _FOLDER)

    def enter(self, name: bytes, folder: int) -> int:
        """A handle of a folder inside *folder*; a link does not count as one."""
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)

    def close(self, handle: int) -> None:
        os.close(handle)

    def lock(self, folder: int) -> bool:
        """Lock a folder for this process; false where another process has it."""
        import fcntl

        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lstat(self, name: bytes, folder: int) -> os.stat_result:
        """The stat of an entry itself."""
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def fstat(self, handle: int) -> os.stat_result:
        """The stat of an open file or folder."""
        return os.fstat(handle)

    def names(self, folder: int) -> list[bytes]:
        """The names in a folder."""
        return [os.fsencode(name) for name in os.listdir(folder)]

    def read(self, name: bytes, folder: int) -> bytes:
        """The content of a regular file; a link is not followed."""
        with open(open_regular(name, folder=folder), "rb", buffering=0) as stream:
            return stream.read()

    def open_file(self, name: bytes, folder: int) -> int:
        """A handle to read a regular file with. Errors: `NotRegularError` for any other entry."""
        return open_regular(name, folder=folder)

    def read_piece(self, handle: int) -> bytes:
        """The next bytes of an open file, at most 1 MiB; none at its end."""
        return os.read(handle, _PIECE)

    def link_target(self, name: bytes, folder: int) -> bytes:
        """The target of a link."""
        return os.readlink(name, dir_fd=folder)

    def unlink(self, name: bytes, folder: int) -> None:
        os.unlink(name, dir_fd=folder)

    def rmdir(self, name: bytes, folder: int) -> None:
        os.rmdir(name, dir_fd=folder)

    def mkdir(self, name: bytes, folder: int, mode: int) -> None:
        os.mkdir(name, mode, dir_fd=folder)

    def symlink(self, target: bytes, name: bytes, folder: int) -> None:
        os.symlink(target, name, dir_fd=folder)

    def rename(self, name: bytes, folder: int, new: bytes, to: int) -> None:
        """Move an entry; a file or link that has the new name is replaced."""
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=to)

    def create(self, name: bytes, folder: int) -> int:
        """A handle to write a new file with."""
        return os.open(name, _NEW, 0o600, dir_fd=folder)

    def write(self, handle: int, data: bytes | memoryview) -> int:
        """Write, perhaps less than all. Returns the bytes written."""
        return os.write(handle, data)

    def chmod(self, handle: int, mode: int) -> None:
        os.fchmod(handle, mode)

    def chown(self, handle: int, user: int, group: int) -> None:
        os.fchown(handle, user, group)

    def touch(self, handle: int, accessed_ns: int, modified_ns: int) -> None:
        """Set the times of an open file or folder."""
        os.utime(handle, ns=(accessed_ns, modified_ns))

    def sync(self, handle: int) -> None:
        """Wait until an open file or folder is on disk."""
        os.fsync(handle)

    def attributes(self, handle: int) -> list[str]:
        """The names of the extended attributes of an open file or folder."""
        return names_at(handle)

    def attribute(self, handle: int, name: str) -> bytes:
        """An extended attribute of an open file or folder."""
        return os.getxattr(handle, name)

    def set_attribute(self, handle: int, name: str, value: bytes) -> None:
        os.setxattr(handle, name, value)

    def mark(self, folder: int, name: str, value: bytes) -> None:
        """Note *value* at a folder without touching its times, where that can be."""
        with contextlib.suppress(AttributeError), ignoring(_UNSUPPORTED):
            os.setxattr(folder, name, value)

    def marked(self, folder: int, name: str) -> bytes:
        """The note at a folder; empty where there is none."""
        with contextlib.suppress(AttributeError, OSError):
            return os.getxattr(folder, name)
        return b""

    def unmark(self, folder: int, name: str) -> None:
        """Take a note off a folder again."""
        with contextlib.suppress(AttributeError, OSError):
            os.removexattr(folder, name)


@contextlib.contextmanager
def ignoring(numbers: set[int]) -> Iterator[None]:
    """Suppress an `OSError` with one of these numbers."""
    try:
        yield
    except OSError as error:
        if error.errno not in numbers:
            raise


class Folders:
    """Handles of folders inside the prefix, opened step by step without following links.

    The handles along the last path stay open, so that a neighbour costs one step, and a folder and
    one inside it by turns (a source, its bytecode) none.
    """

    def __init__(self, filesystem: Filesystem, root: int) -> None:
        self._filesystem = filesystem
        self._open = {"": root}  # each one in the one before it

    def __call__(self, path: str) -> int:
        """The handle of a folder (empty for the prefix), valid until the next call.

        Errors: `OSError` where it is missing, or no longer a folder.
        """
        handle = self._open.get(path)
        if handle is not None:
            return handle
        for folder in (*ancestors(path), path):
            if folder not in self._open:
                above, _, name = folder.rpartition("/")
                self._close_below(above)
                self._open[folder] = self._filesystem.enter(to_bytes(name), self._open[above])
        return self._open[path]

    def forget(self, path: str) -> None:
        """Close the handle of a folder that is to go, and of those in it."""
        if path in self._open:
            self._close_below(path.rpartition("/")[0])

    def release(self) -> None:
        """Close all handles."""
        self._close_below("")

    def _close_below(self, path: str) -> None:
        """Close the handles below an open folder, the deepest first."""
        while True:
            last, handle = self._open.popitem()
            if last == path:
                self._open[last] = handle
                return
            self._filesystem.close(handle)


def write_all(filesystem: Filesystem, handle: int, data: Buffer) -> None:
    """Write all of *data*. Errors: `OSError`."""
    view = memoryview(data)
    while view:
        view = view[filesystem.write(handle, view[:_PIECE]) :]


def give(filesystem: Filesystem, handle: int, owner: tuple[int, int]) -> None:
    """Give an open file or folder to *owner* where we may; it is ours already where we may not."""
    if owner != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            filesystem.chown(handle, *owner)


def delete(filesystem: Filesystem, name: bytes, folder: int, *, is_folder: bool) -> None:
    """Remove a file, a link or an empty folder. Errors: `OSError`."""
    if is_folder:
        filesystem.rmdir(name, folder)
    else:
        filesystem.unlink(name, folder)


@contextlib.contextmanager
def closing(filesystem: Filesystem, handle: int) -> Iterator[int]:
    """*handle*, closed at the end."""
    try:
        yield handle
    finally:
        filesystem.close(handle)


class EntryStat(NamedTuple):
    """An entry as it is, with the names of a stat; `locked` where it is immutable or append-only.

    A named tuple, since one is made for each entry that is to go.
    """

    st_mode: int
    st_ino: int
    st_size: int
    st_mtime_ns: int
    locked: bool


def entry_stat(path: bytes) -> EntryStat:
    """The entry itself, in one call and without opening it; not locked where that is unknown.

    Errors: `OSError`.
    """
    statx = _statx()
    if statx is not None:
        call, answer = statx
        if call(_AT_FDCWD, path, _NOFOLLOW, _BASIC, answer) == 0:
            marks, mode, inode, size, seconds, rest = _FIELDS.unpack_from(answer)
            return EntryStat(mode, inode, size, seconds * _SECOND + rest, bool(marks & _FORBIDDING))
    info = os.lstat(path)
    return EntryStat(info.st_mode, info.st_ino, info.st_size, info.st_mtime_ns, False)


@cache
def _statx() -> tuple[ctypes._FuncPointer, ctypes.Array[ctypes.c_char]] | None:
    """The C library's function with one buffer for its answers; None where it has none."""
    if os.uname().sysname != "Linux":
        return None
    call = getattr(ctypes.CDLL(None), "statx", None)
    return None if call is None else (call, ctypes.create_string_buffer(256))
