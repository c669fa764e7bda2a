"""What a run looks at before its first change: an entry, and whether the system lets go of it."""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache
from typing import NamedTuple

_AT_FDCWD = -100
_NOFOLLOW = 0x100
_BASIC = 0x7FF  # what a stat tells
_FIELDS = struct.Struct("=8xQ12xH2xQQ64xqI")
_FORBIDDING = 0x10 | 0x20  # immutable, append-only
_SECOND = 1_000_000_000


class Looked(NamedTuple):
    """An entry as it is, with the names of a stat; `locked` where it is immutable or append-only.

    A named tuple, since one is made for each entry that is to go.
    """

    st_mode: int
    st_ino: int
    st_size: int
    st_mtime_ns: int
    locked: bool


def look(path: bytes) -> Looked:
    """The entry itself, in one call and without opening it; never locked where that is unknown.

    Errors: `OSError`.
    """
    statx = _statx()
    if statx is not None:
        call, found = statx
        if call(_AT_FDCWD, path, _NOFOLLOW, _BASIC, found) == 0:
            marks, mode, inode, size, seconds, rest = _FIELDS.unpack_from(found)
            return Looked(mode, inode, size, seconds * _SECOND + rest, bool(marks & _FORBIDDING))
    info = os.lstat(path)
    return Looked(info.st_mode, info.st_ino, info.st_size, info.st_mtime_ns, False)


@cache
def _statx() -> tuple[ctypes._FuncPointer, ctypes.Array[ctypes.c_char]] | None:
    """The C library's function and one buffer for all its answers; None where it has none."""
    if os.uname().sysname != "Linux":
        return None
    call = getattr(ctypes.CDLL(None), "statx", None)
    return None if call is None else (call, ctypes.create_string_buffer(256))
