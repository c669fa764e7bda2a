"""Writes the smallest ELF files that have a dynamic section, for any machine."""

from __future__ import annotations

import struct
from collections.abc import Sequence

X86_64, AARCH64, I686 = 62, 183, 3


def make_elf(
    needed: Sequence[str] = (),
    *,
    rpath: str = "",
    runpath: str = "",
    machine: int = X86_64,
    big_endian: bool = False,
) -> bytes:
    """An ELF shared object that needs *needed*; 32 bits wide where *machine* is I686."""
    wide = machine != I686
    order = ">" if big_endian else "<"
    strings = b"\0"
    entries: list[tuple[int, int]] = []

    def add(tag: int, text: str) -> None:
        nonlocal strings
        entries.append((tag, len(strings)))
        strings += text.encode() + b"\0"

    for name in needed:
        add(1, name)
    if rpath:
        add(15, rpath)
    if runpath:
        add(29, runpath)
    header, program = (64, 56) if wide else (52, 32)
    base = 0x10000
    start = header + 2 * program
    entry = struct.Struct(order + ("qQ" if wide else "iI"))
    length = (len(entries) + 3) * entry.size
    entries += [(5, base + start + length), (10, len(strings)), (0, 0)]
    dynamic = b"".join(entry.pack(tag, value) for tag, value in entries)
    size = start + length + len(strings)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if big_endian else 1, 1]) + bytes(9)
    if wide:
        head = struct.pack(order + "HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
        parts = [(1, 4, 0, base, base, size, size, 4096)]
        parts += [(2, 6, start, base + start, base + start, length, length, 8)]
        table = b"".join(struct.pack(order + "IIQQQQQQ", *part) for part in parts)
    else:
        head = struct.pack(order + "HHIIIIIHHHHHH", 3, machine, 1, 0, 52, 0, 0, 52, 32, 2, 40, 0, 0)
        narrow = [(1, 0, base, base, size, size, 4, 4096)]
        narrow += [(2, start, base + start, base + start, length, length, 6, 4)]
        table = b"".join(struct.pack(order + "IIIIIIII", *part) for part in narrow)
    return ident + head + table + dynamic + strings
