"""A new folder, held by its handle while it is filled.

The folder around it may belong to somebody else, who can put anything under its name at any
moment. So what is written below goes by the handle, and never by the name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def made_folder(name: bytes, around: int) -> Iterator[int]:
    """The handle of a new folder of this user alone, in the folder *around*. Errors: OSError."""
    os.mkdir(name, 0o700, dir_fd=around)
    handle = os.open(name, _FOLDER, dir_fd=around)
    try:
        info = os.fstat(handle)
        if info.st_uid != os.geteuid() or info.st_mode & 0o077 or os.listdir(handle):
            raise _exchanged(name)
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def folder_in(path: str, around: int) -> Iterator[int]:
    """The handle of a folder that was made in the open folder *around*. Errors: OSError."""
    handle = os.open(path, _FOLDER, dir_fd=around)
    try:
        yield handle
    finally:
        os.close(handle)


def check_held(name: bytes, around: int, handle: int) -> None:
    """Refuse an entry that is not the open folder *handle* any more. Errors: OSError."""
    if not os.path.samestat(os.stat(name, dir_fd=around, follow_symlinks=False), os.fstat(handle)):
        raise _exchanged(name)


def _exchanged(name: bytes) -> OSError:
    return OSError(errno.ESTALE, "something took its place meanwhile", os.fsdecode(name))


def new_file_in(folder: int, path: str | bytes) -> BinaryIO:
    """A file that is new, to be written to; *path* is relative to the handle. Errors: OSError."""
    return open(os.open(path, _NEW, 0o666, dir_fd=folder), "wb")


def size_of(folder: int) -> int:
    """The bytes of the files and links in an open folder, each hard-linked file once."""
    sizes = {}
    pending = [b"."]
    while pending:
        path = pending.pop()
        handle = os.open(path, _FOLDER, dir_fd=folder)
        try:
            for name in map(os.fsencode, os.listdir(handle)):
                info = os.stat(name, dir_fd=handle, follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    pending.append(path + b"/" + name)
                else:
                    sizes[info.st_ino] = info.st_size
        finally:
            os.close(handle)
    return sum(sizes.values())
