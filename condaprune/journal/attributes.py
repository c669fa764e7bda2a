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
    call = _statx()
    if call is None:
        return False
    found = ctypes.create_string_buffer(256)
    if call(_AT_FDCWD, path, _NOFOLLOW, 0, found) != 0:
        return False
    return bool(_ATTRIBUTES.unpack_from(found)[0] & _FORBIDDING)


@cache
def _statx() -> ctypes._FuncPointer | None:
    if os.uname().sysname != "Linux":
        return None
    return getattr(ctypes.CDLL(None), "statx", None)
