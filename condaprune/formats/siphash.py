"""The hash of a source that bytecode carries (PEP 552), as each version of Python computes it.

It is SipHash with the magic number of the bytecode as key: SipHash-2-4 up to Python 3.10, and
SipHash-1-3 from 3.11 on. The running Python has one of the two built in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

_FULL = 0xFFFFFFFFFFFFFFFF
_FIRST_1_3 = 3450
"""The first magic number of Python 3.11's bytecode."""


def source_hash(magic: bytes, source: bytes) -> bytes:
    """The 8 bytes for a source; *magic* are the 4 bytes that its bytecode begins with."""
    newer = int.from_bytes(magic[:2], "little") >= _FIRST_1_3
    key = int.from_bytes(magic[:4], "little")
    built_in = _built_in()
    if built_in is not None and newer == (sys.version_info >= (3, 11)):
        return built_in(key, source)
    return siphash(1 if newer else 2, 3 if newer else 4, key, source)


def _built_in() -> Callable[[int, bytes], bytes] | None:
    if sys.implementation.name != "cpython":
        return None
    import _imp

    return _imp.source_hash


def siphash(compress: int, finish: int, key: int, data: bytes) -> bytes:
    """SipHash of *data* with these numbers of rounds and a key below 2**64; 8 bytes."""
    v0 = key ^ 0x736F6D6570736575
    v1 = 0x646F72616E646F6D
    v2 = key ^ 0x6C7967656E657261
    v3 = 0x7465646279746573
    end = len(data) & ~7
    last = (len(data) & 0xFF) << 56 | int.from_bytes(data[end:], "little")
    words = memoryview(data[:end]).cast("Q") if sys.byteorder == "little" else _words(data[:end])
    for word in (*words, last):
        v3 ^= word
        v0, v1, v2, v3 = _rounds(compress, v0, v1, v2, v3)
        v0 ^= word
    v0, v1, v2, v3 = _rounds(finish, v0, v1, v2 ^ 0xFF, v3)
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


def _rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    for _ in range(count):
        v0 = (v0 + v1) & _FULL
        v2 = (v2 + v3) & _FULL
        v1 = (v1 << 13 & _FULL | v1 >> 51) ^ v0
        v3 = (v3 << 16 & _FULL | v3 >> 48) ^ v2
        v0 = v0 << 32 & _FULL | v0 >> 32
        v2 = (v2 + v1) & _FULL
        v0 = (v0 + v3) & _FULL
        v1 = (v1 << 17 & _FULL | v1 >> 47) ^ v2
        v3 = (v3 << 21 & _FULL | v3 >> 43) ^ v0
        v2 = v2 << 32 & _FULL | v2 >> 32
    return v0, v1, v2, v3
