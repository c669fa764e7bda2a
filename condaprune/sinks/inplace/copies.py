"""Copies of entries, where they cannot be renamed, and what a new file takes over from the old.

All that is copied comes from one descriptor, which is compared with the plan before and with
itself after: who exchanges the file meanwhile gets nothing of his into a file of somebody else.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator

from condaprune.sinks.attributes import CAPABILITY, OF_CONTENT
from condaprune.sinks.inplace.filesystem import (
    Filesystem,
    closing,
    delete,
    give,
    write_all,
)
from condaprune.sinks.planned import Changed, is_same

_COPY = b"part"
_PLAIN = 0o777

Matches = Callable[[os.stat_result], bool]


def content(filesystem: Filesystem, handle: int, info: os.stat_result) -> Iterator[bytes]:
    """The content of an open file in pieces. Errors: `Changed` where it is no longer as in *info*
    at the end."""
    while piece := filesystem.read_piece(handle):
        yield piece
    if not is_same(info, filesystem.fstat(handle)):
        raise Changed


def take_over(
    filesystem: Filesystem, old: int, new: int, info: os.stat_result, *, whole: bool
) -> list[str]:
    """Give an open new file or folder the owner, permissions and attributes of the old.

    *info* is the stat of the old. Without *whole*, the content is another one: the new file gets
    none of what was granted to the content (setuid, capabilities, signatures). Nor does one that
    cannot be given to the owner of the old. Returns the names of attributes that it should have
    and has not.
    """
    give(filesystem, new, (info.st_uid, info.st_gid))
    given = filesystem.fstat(new)
    theirs = whole and (given.st_uid, given.st_gid) == (info.st_uid, info.st_gid)
    mode = stat.S_IMODE(info.st_mode)
    filesystem.chmod(new, mode if theirs or stat.S_ISDIR(info.st_mode) else mode & _PLAIN)
    lost = []
    for name in filesystem.attributes(old):
        if name in OF_CONTENT or (name == CAPABILITY and not theirs):
            continue
        try:
            filesystem.set_attribute(new, name, filesystem.attribute(old, name))
        except OSError:  # not every attribute may be set by everybody; it may have come by itself
            if not _have_same(filesystem, old, new, name):
                lost.append(name)
    return lost


def has_rights(filesystem: Filesystem, handle: int, info: os.stat_result) -> bool:
    """Whether an open program has rights that whoever starts it has not."""
    setting = info.st_mode & (stat.S_ISUID | stat.S_ISGID)
    return bool(setting) or CAPABILITY in filesystem.attributes(handle)


def _have_same(filesystem: Filesystem, old: int, new: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        return filesystem.attribute(old, name) == filesystem.attribute(new, name)
    return False


def copy_aside(
    filesystem: Filesystem, name: bytes, folder: int, aside: bytes, to: int, matches: Matches
) -> list[str]:
    """Copy a file, a link or an empty folder to the name *aside* in *to*, whole or not at all.

    Mode, owner, times and attributes are copied; that other paths are hard links to the file is
    not. Returns the names of attributes that could not be. Errors: `Changed` for what *matches*
    does not hold for, `OSError`.
    """
    remove_part(filesystem, to)
    info = filesystem.lstat(name, folder)
    if not matches(info):
        raise Changed
    if stat.S_ISLNK(info.st_mode):
        lost = _copy_link(filesystem, name, folder, to, info)
    elif stat.S_ISDIR(info.st_mode):
        filesystem.mkdir(_COPY, to, 0o700)
        with (
            closing(filesystem, filesystem.enter(name, folder)) as source,
            closing(filesystem, filesystem.enter(_COPY, to)) as copy,
        ):
            lost = _finish_copy(filesystem, source, copy, filesystem.fstat(source))
    else:
        with closing(filesystem, filesystem.open_file(name, folder)) as source:
            info = filesystem.fstat(source)
            if not matches(info):
                raise Changed
            with closing(filesystem, filesystem.create(_COPY, to)) as copy:
                for piece in content(filesystem, source, info):
                    write_all(filesystem, copy, piece)
                lost = _finish_copy(filesystem, source, copy, info)
                filesystem.sync(copy)
    filesystem.rename(_COPY, to, aside, to)
    return lost


def _copy_link(
    filesystem: Filesystem, name: bytes, folder: int, to: int, info: os.stat_result
) -> list[str]:
    filesystem.symlink(filesystem.link_target(name, folder), _COPY, to)
    if (info.st_uid, info.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.chown(_COPY, info.st_uid, info.st_gid, dir_fd=to, follow_symlinks=False)
    times = (info.st_atime_ns, info.st_mtime_ns)
    os.utime(_COPY, ns=times, dir_fd=to, follow_symlinks=False)
    return []


def _finish_copy(filesystem: Filesystem, source: int, copy: int, info: os.stat_result) -> list[str]:
    lost = take_over(filesystem, source, copy, info, whole=True)
    filesystem.touch(copy, info.st_atime_ns, info.st_mtime_ns)
    return lost


def remove_part(filesystem: Filesystem, folder: int) -> None:
    """Remove the remains of an interrupted copy in *folder*. Errors: `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        info = filesystem.lstat(_COPY, folder)
        delete(filesystem, _COPY, folder, is_folder=stat.S_ISDIR(info.st_mode))
