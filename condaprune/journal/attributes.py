"""Whether the file system forbids to remove an entry, asked without opening it."""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache

_AT_FDCWD = -100
_NOFOLLOW = 0x100
_ATTRIBUTES = struct.Struct("=8xQ")
_FORBIDDING = 0x10 | 0x20  # immutable, append-only


def is_immutable(path: bytes) -> bool:
    """Whether an entry is marked immutable or append-only (``chattr``); false where unknown."""
    statx = _statx()
    if statx is None:
        return False
    call, found = statx
    if call(_AT_FDCWD, path, _NOFOLLOW, 0, found) != 0:
        return False
    return bool(_ATTRIBUTES.unpack_from(found)[0] & _FORBIDDING)


@cache
def _statx() -> tuple[ctypes._FuncPointer, ctypes.Array[ctypes.c_char]] | None:
    """The C library's function and one buffer for all its answers; None where it has none."""
    if os.uname().sysname != "Linux":
        return None
    call = getattr(ctypes.CDLL(None), "statx", None)
    return None if call is None else (call, ctypes.create_string_buffer(256))
