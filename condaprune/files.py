"""Files: written whole under their name or not at all, read only where they are regular files."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import io

_DESCRIPTORS = re.compile(r"/dev/fd|/proc/\d+(?:/task/\d+)?/fd")


def write_whole(path: str, data: bytes, *, mode: int | None = None) -> None:
    """Write *data* to the file at *path*, which until then stays as it is; see
    `condaprune.targets.Target`.

    *mode* are its permissions, by default as for `Target.replacing`. Errors: OSError.
    """
    from condaprune.targets import Target

    with Target(path) as target:
        target.write(data, mode=mode)


class NotRegularError(OSError):
    """A FIFO, a device, a socket, a folder or a link in the place of a file, or one too large."""


def open_regular(path: str | bytes, *, folder: int | None = None) -> int:
    """A descriptor to read the regular file at *path*, relative to the handle *folder*.

    A link at the end of the path is not followed, and nothing is waited for: a FIFO, a device or a
    socket is refused at once. Errors: `NotRegularError`, OSError.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    # Opening some devices does something already, so that what is no file is not opened at all.
    _refuse_others(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode, path)
    handle = os.open(path, flags, dir_fd=folder)
    try:
        _refuse_others(os.fstat(handle).st_mode, path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_regular(path: str | bytes, limit: int, *, folder: int | None = None) -> bytes:
    """The content of a regular file of at most *limit* bytes, opened as by `open_regular`.

    Errors: `NotRegularError`, OSError.
    """
    with open(open_regular(path, folder=folder), "rb", buffering=0) as stream:
        if os.fstat(stream.fileno()).st_size > limit:
            raise too_large(limit, path)
        return _read(stream, limit, path)


def open_named(path: str) -> io.BufferedReader:
    """A stream of the content of a file that the user named.

    Links are followed. What the caller's shell holds open for us is read too: ``/dev/stdin``,
    ``<(cmd)``. Any other FIFO, device or socket is refused at once. Errors: `NotRegularError`,
    OSError.
    """
    if _is_descriptor(path):
        return open(path, "rb")
    try:
        return open(open_regular(os.path.realpath(path)), "rb")
    except NotRegularError as error:
        raise NotRegularError(error.errno, error.strerror, path) from None


def read_named(path: str, limit: int) -> bytes:
    """The content, at most *limit* bytes, of a file that is opened as by `open_named`.

    Errors: `NotRegularError`, OSError.
    """
    with open_named(path) as stream:
        return _read(stream, limit, path)


def unreadable(error: OSError) -> str:
    """Why a file cannot be read, as the end of a sentence that begins with the file."""
    if isinstance(error, NotRegularError):
        return str(error.strerror)
    return f"cannot be read: {error.strerror or error}"


def too_large(limit: int, path: str | bytes) -> NotRegularError:
    """The error about a file of more than *limit* bytes."""
    return NotRegularError(errno.EFBIG, f"is larger than {limit:,} bytes", path)


def _is_descriptor(path: str) -> bool:
    """Whether a path is, or links to, the name of a descriptor that is open already."""
    names = [path]
    if os.path.islink(path):
        names.append(os.path.join(os.path.dirname(path), os.readlink(path)))
    return any(_DESCRIPTORS.fullmatch(os.path.realpath(os.path.dirname(name))) for name in names)


def _read(stream: BinaryIO, limit: int, path: str | bytes) -> bytes:
    parts: list[bytes] = []
    left = limit + 1
    while left and (part := stream.read(min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise too_large(limit, path)
    return b"".join(parts)


def _refuse_others(mode: int, path: str | bytes) -> None:
    if stat.S_ISREG(mode):
        return
    forms = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO"}
    form = forms.get(stat.S_IFMT(mode), "a device or a socket")
    number = errno.ELOOP if stat.S_ISLNK(mode) else errno.EINVAL
    raise NotRegularError(number, f"is {form}, not a regular file", path)
