"""Files: written whole under their name or not at all, read only where they are regular files."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator

from condaprune.paths import from_bytes, to_bytes

_DESCRIPTORS = re.compile(r"/proc/\d+(?:/task/\d+)?/fd")


def write_whole(path: str, data: bytes, *, mode: int = 0o666) -> None:
    """Write *data* to the file at *path*, which until then stays as it is.

    The content goes to a temporary file in the same folder, which then takes the place of *path*
    (of the link itself, if it is a symbolic link) and is removed on any error. What is not a
    regular file is written to directly: a device, a pipe, ``/dev/stdout``. Errors: OSError.
    """
    if _is_stream(path):
        _write(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), data)
        return
    with temporary(path) as name:
        # Who may read it is up to the umask, as for any other program.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        _write(os.open(to_bytes(name), flags, mode), data, sync=True)
        os.replace(to_bytes(name), to_bytes(path))


def _is_stream(path: str) -> bool:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return not stat.S_ISDIR(mode)
    # A regular file that is open already, under the name of its descriptor: /dev/stdout.
    names = [path]
    if os.path.islink(path):
        names.append(os.path.join(os.path.dirname(path), os.readlink(path)))
    return any(_DESCRIPTORS.fullmatch(os.path.realpath(os.path.dirname(name))) for name in names)


def name_beside(path: str) -> str:
    """A name in the folder of *path* that nothing has."""
    folder, name = os.path.split(to_bytes(path))
    part = b".%s.%s.part" % (name[:200], os.urandom(4).hex().encode())
    return from_bytes(os.path.join(folder, part))


@contextlib.contextmanager
def temporary(path: str) -> Iterator[str]:
    """A `name_beside` *path*; on an error, the file or folder of that name is removed."""
    part = name_beside(path)
    try:
        yield part
    except BaseException:
        with contextlib.suppress(OSError):
            if os.path.isdir(to_bytes(part)):
                import shutil

                shutil.rmtree(to_bytes(part), ignore_errors=True)
            else:
                os.unlink(to_bytes(part))
        raise


def _write(handle: int, data: bytes, *, sync: bool = False) -> None:
    with open(handle, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        if sync:
            os.fsync(handle)


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
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise NotRegularError(errno.EFBIG, f"larger than {limit:,} bytes", path)
        data = stream.read(limit + 1)
        while len(data) <= limit and (more := stream.read(limit + 1 - len(data))):
            data += more
        if len(data) > limit:
            raise NotRegularError(errno.EFBIG, f"larger than {limit:,} bytes", path)
        return data


def _refuse_others(mode: int, path: str | bytes) -> None:
    if stat.S_ISREG(mode):
        return
    forms = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO"}
    form = forms.get(stat.S_IFMT(mode), "a device or a socket")
    number = errno.ELOOP if stat.S_ISLNK(mode) else errno.EINVAL
    raise NotRegularError(number, f"is {form}, not a regular file", path)
