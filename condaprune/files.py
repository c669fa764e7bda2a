"""Files: written whole under their name or not at all, read only where they are regular files."""

from __future__ import annotations

import errno
import os
import stat

from condaprune.targets import Target


def write_whole(path: str, data: bytes, *, mode: int | None = None) -> None:
    """Write *data* to the file at *path*, which until then stays as it is; see `Target`.

    *mode* are its permissions, by default as for `Target.replacing`. Errors: OSError.
    """
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
