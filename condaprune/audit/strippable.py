"""How many bytes ``strip`` would take from ELF files: symbol tables and debug information."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator

from condaprune.audit.subject import Environment
from condaprune.model import Entry, Inventory, to_bytes

Reader = Callable[[int, int], bytes]
"""Reads *length* bytes from *offset*; fewer at the end of the file."""

_MAGIC = b"\x7fELF"
_NOBITS, _ALLOCATED = 8, 2
_TEXT = (
    ".py .pyc .pyi .h .hpp .txt .json .md .rst .js .css .html .xml .csv .pem .a .mo .gz .zip .png "
    ".svg .ttf .c .cpp .pyx .pxd .map .yaml .yml .toml .cfg .jar .npz .npy .dat"
).split()
_NEVER = tuple(_TEXT)


def strippable_sizes(subject: Environment, inventory: Inventory) -> dict[str, int]:
    """Bytes of symbols and debug sections by path, only where there are any."""
    wanted = [e for e in inventory.entries.values() if _may_be_elf(e)]
    found: dict[str, int] = {}
    if subject.prefix:
        for entry in wanted:
            size = _of_file(to_bytes(f"{subject.prefix}/{entry.path}"))
            if size:
                found[entry.path] = size
        return found
    for path, data in subject.source.read_many([entry.path for entry in wanted]):
        size = strippable(lambda at, length, data=data: data[at : at + length])  # type: ignore[misc]
        if size:
            found[path] = size
    return found


def _may_be_elf(entry: Entry) -> bool:
    if entry.kind != "file" or entry.size < 64:
        return False
    name = entry.path.rpartition("/")[2]
    return ".so" in name or bool(entry.mode & 0o111) or not name.endswith(_NEVER)


def _of_file(path: bytes) -> int:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0  # unreadable files are the prune's concern; an audit counts what it can
    try:
        return strippable(lambda at, length: os.pread(handle, length, at))
    finally:
        os.close(handle)


def strippable(read: Reader) -> int:
    """The bytes of a file's symbol tables and debug sections; 0 for what is no sound ELF file."""
    try:
        return sum(size for name, size in _sections(read) if _goes(name))
    except (struct.error, ValueError, IndexError, OverflowError):
        return 0


def _goes(name: bytes) -> bool:
    return name in (b".symtab", b".strtab", b".symtab_shndx", b".stab", b".stabstr") or (
        name.startswith((b".debug_", b".zdebug_", b".gnu.debuglto_"))
    )


def _sections(read: Reader) -> Iterator[tuple[bytes, int]]:
    """The names and sizes of the sections that take room in the file and none in memory."""
    head = read(0, 64)
    if head[:4] != _MAGIC or len(head) < 52:
        return
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if wide:
        table, row, count, names = struct.unpack_from(f"{order}Q10xHHH", head, 40)
    else:
        table, row, count, names = struct.unpack_from(f"{order}I10xHHH", head, 32)
    if not table or not count or row < (64 if wide else 40):
        return
    raw = read(table, row * count)
    form = f"{order}IIQQQQ" if wide else f"{order}IIIIII"
    rows = [struct.unpack_from(form, raw, n * row) for n in range(len(raw) // row)]
    strings = read(rows[names][4], min(rows[names][5], 1 << 20))
    for at, kind, flags, _address, _offset, size in rows:
        if kind != _NOBITS and not flags & _ALLOCATED:
            end = strings.find(b"\0", at)
            yield strings[at : end if end >= 0 else len(strings)], size
