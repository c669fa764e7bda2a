"""Which symbol versions an ELF file asks of the libraries it needs: ``GLIBC_2.34`` and the like."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from condaprune.formats.elf import MAGIC, Reader

_VERNEED = 0x6FFFFFFE
_MOST = 4096
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


def glibc_version(read: Reader) -> Version | None:
    """The newest version of glibc that a file asks for; None where it asks for none."""
    found = [parsed for name in needed_versions(read) if (parsed := _parse(name))]
    return max(found, default=None)


def needed_versions(read: Reader) -> list[str]:
    """The names of all symbol versions that a file needs; empty for what is no sound ELF file."""
    try:
        return list(_versions(read))
    except (struct.error, ValueError, IndexError, OverflowError):
        return []


def _parse(name: str) -> Version | None:
    match = _GLIBC.fullmatch(name)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _versions(read: Reader) -> Iterator[str]:
    head = read(0, 64)
    if head[:4] != MAGIC:
        return
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if wide:
        table, row, count = struct.unpack_from(f"{order}Q10xHH", head, 40)
        form = f"{order}IIQQQQI"
    else:
        table, row, count = struct.unpack_from(f"{order}I10xHH", head, 32)
        form = f"{order}IIIIIII"
    raw = read(table, row * count) if table and row else b""
    rows = [struct.unpack_from(form, raw, at) for at in range(0, len(raw) - row + 1, row or 1)]
    for _, kind, _, _, offset, size, link in rows:
        if kind != _VERNEED or size > 1 << 20:
            continue
        strings = read(rows[link][4], min(rows[link][5], 16 << 20))
        yield from _needs(read(offset, size), strings, order)


def _needs(data: bytes, strings: bytes, order: str) -> Iterator[str]:
    """The version names of a .gnu.version_r section: a list of lists, linked by offsets."""
    at = 0
    for _ in range(_MOST):
        _, count, _, first, onward = struct.unpack_from(f"{order}HHIII", data, at)
        inner = at + first
        for _ in range(min(count, _MOST)):
            _, _, _, name, step = struct.unpack_from(f"{order}IHHII", data, inner)
            end = strings.find(b"\0", name)
            yield strings[name:end].decode("ascii", "replace")
            inner += step
        if not onward:
            return
        at += onward
