"""Sets an entry aside by a copy, where the file system cannot rename it.

That is so for a folder in a lower layer of an overlay file system, and across mounts.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from condaprune.sinks.inplace.filesystem import Filesystem, own

_PART = b"part"
_CHUNK = 1 << 20


def copy_aside(filesystem: Filesystem, name: bytes, folder: int, aside: bytes, to: int) -> None:
    """Copy a file, a link or an empty folder to the name *aside* in *to*, whole or not at all.

    Mode, owner, times and attributes are copied; that other paths are hard links to the file is
    not. Errors: `OSError`.
    """
    remove_part(filesystem, to)
    found = filesystem.look(name, folder)
    if stat.S_ISLNK(found.st_mode):
        filesystem.symlink(filesystem.link_target(name, folder), _PART, to)
        times = (found.st_atime_ns, found.st_mtime_ns)
        os.utime(_PART, ns=times, dir_fd=to, follow_symlinks=False)
    elif stat.S_ISDIR(found.st_mode):
        filesystem.mkdir(_PART, to, 0o700)
        with _opened(filesystem, name, folder) as source, _opened(filesystem, _PART, to) as copy:
            _copy_attributes(filesystem, source, copy, found)
    else:
        with (
            _opened(filesystem, name, folder, file=True) as source,
            _opened(filesystem, _PART, to, new=True) as copy,
        ):
            while data := os.read(source, _CHUNK):
                view = memoryview(data)
                while view:
                    view = view[filesystem.write(copy, view) :]
            _copy_attributes(filesystem, source, copy, found)
            filesystem.sync(copy)
    filesystem.rename(_PART, to, aside, to)


def remove_part(filesystem: Filesystem, folder: int) -> None:
    """Remove what an interrupted copy left in *folder*. Errors: `OSError`."""
    try:
        found = filesystem.look(_PART, folder)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        filesystem.rmdir(_PART, folder)
    else:
        filesystem.unlink(_PART, folder)


@contextlib.contextmanager
def _opened(
    filesystem: Filesystem, name: bytes, folder: int, *, file: bool = False, new: bool = False
) -> Iterator[int]:
    if new:
        handle = filesystem.create(name, folder)
    elif file:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    else:
        handle = filesystem.enter(name, folder)
    try:
        yield handle
    finally:
        filesystem.close(handle)


def _copy_attributes(filesystem: Filesystem, source: int, copy: int, found: os.stat_result) -> None:
    own(filesystem, copy, (found.st_uid, found.st_gid))
    filesystem.chmod(copy, stat.S_IMODE(found.st_mode))
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):  # not every attribute may be copied by everybody
            for name in os.listxattr(source):
                os.setxattr(copy, name, os.getxattr(source, name))
    filesystem.touch(copy, found.st_atime_ns, found.st_mtime_ns)
