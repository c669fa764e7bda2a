"""Symbols and debug data at the end of an ELF file, cut off without moving anything else.

``strip`` lays a file out anew, which has broken libraries that patchelf had changed
(serverless-python-requirements#318, numpy#20101). Here all that is loaded keeps its bytes and its
place: the file ends after the last segment, and a shorter table of sections follows. What is not
laid out as linkers do it is left alone. Format: the System V ABI, chapter 4.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from condaprune.patch import Patch

Reader = Callable[[int, int], bytes]
"""The bytes of a file at an offset; fewer where it ends."""

_PROGRAM, _LIBRARY = 2, 3
_NOBITS, _RELOCATIONS = 8, (4, 9)
_ALLOCATED, _INFO_LINK = 2, 0x40
_SYMBOLS = (b".symtab", b".strtab", b".symtab_shndx", b".gnu_debugdata", b".gnu_debuglink")
_DEBUG = (b".debug_", b".zdebug_", b".stab", b".gdb_index", b".gnu.build.attributes", b".annobin")
_MOST_KEPT = 1 << 20
"""Sections that are neither loaded nor known to be of use to debuggers only are copied to the new
end; a file with more of them than this is left alone (bytes)."""
_LEAST = 4096
"""What cutting has to save, in bytes."""


@dataclass(slots=True)
class _Section:
    name: bytes
    fields: list[int]  # name, type, flags, address, offset, size, link, info, align, entry size

    @property
    def allocated(self) -> bool:
        return bool(self.fields[2] & _ALLOCATED)

    @property
    def end(self) -> int:
        return self.fields[4] + (0 if self.fields[1] == _NOBITS else self.fields[5])

    @property
    def goes(self) -> bool:
        return not self.allocated and (self.name in _SYMBOLS or self.name.startswith(_DEBUG))


def cut(read: Reader, size: int) -> Patch | None:
    """What takes the symbols and debug data off a program or library of *size* bytes.

    None for every other file, for one with hardly any such data, and for any doubt: bytes that no
    section or segment accounts for, sections in an unusual order, links between them.
    """
    try:
        return _cut(read, size)
    except (struct.error, ValueError, IndexError, OverflowError):
        return None


def _cut(read: Reader, size: int) -> Patch | None:
    head = read(0, 64)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    header = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
    fields = list(header.unpack_from(head, 16))
    kind, programs, table, header_size, row, rows = (fields[i] for i in (0, 4, 5, 7, 8, 9))
    section_row, count, names_at = fields[10:13]
    section = struct.Struct(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"))
    if kind not in (_PROGRAM, _LIBRARY) or not count or section_row != section.size:
        return None
    sections = _sections(read(table, count * section_row), section)
    if not 0 < names_at < len(sections) == count:
        return None
    names = sections.pop(names_at)
    texts = read(names.fields[4], names.fields[5])
    for held in sections:
        at = held.fields[0]
        held.name = texts[at : texts.index(b"\0", at)]
    if names.allocated or any(names_at in _links(held) for held in sections):
        return None
    loaded = max(
        [
            header_size,
            programs + row * rows,
            *_segments(read(programs, row * rows), row, order, wide),
        ]
    )
    known = max(table + count * section_row, names.end, loaded, *(held.end for held in sections))
    numbers = [number for number in range(count) if number != names_at]
    kept = [(n, held) for n, held in zip(numbers, sections, strict=True) if not held.goes]
    gone = [(n, held) for n, held in zip(numbers, sections, strict=True) if held.goes]
    if known != size or not gone or not _cuttable(kept, gone, names_at, loaded):
        return None
    end, tail, start = _tail(read, loaded, kept, section)
    if size - (end + len(tail)) < _LEAST:
        return None
    fields[5], fields[11], fields[12] = start, len(kept) + 1, len(kept)
    return Patch(head[:16] + header.pack(*fields), end, tail)


def _sections(raw: bytes, form: struct.Struct) -> list[_Section]:
    return [_Section(b"", list(fields)) for fields in form.iter_unpack(raw)]


def _segments(raw: bytes, row: int, order: str, wide: bool) -> list[int]:
    """Where the content of each segment ends in the file."""
    form = struct.Struct(order + ("8xQ16xQ" if wide else "4xI8xI"))
    pairs = [form.unpack_from(raw, at) for at in range(0, len(raw), row)] if row else []
    return [offset + length for offset, length in pairs]


def _links(section: _Section) -> set[int]:
    """The numbers of the sections that one refers to."""
    kind, flags = section.fields[1:3]
    info = flags & _INFO_LINK or kind in _RELOCATIONS
    return {section.fields[6], section.fields[7] if info else 0} - {0}


def _cuttable(
    kept: Sequence[tuple[int, _Section]],
    gone: Sequence[tuple[int, _Section]],
    names: int,
    loaded: int,
) -> bool:
    """Whether all that goes lies after all that is loaded, and nothing kept refers to it.

    Symbols name sections by number, so those that are loaded must keep theirs.
    """
    last = max((n for n, held in kept if held.allocated), default=0)
    going = {n for n, _ in gone} | {names}
    loose = [held for _, held in kept if not held.allocated and held.fields[1]]
    return (
        last < min(going)
        and all(held.end <= loaded for _, held in kept if held.allocated)
        and all(held.fields[4] >= loaded for held in [*loose, *(held for _, held in gone)])
        and not any(_links(held) & going for _, held in kept)
        and not any(_links(held) for held in loose)
        and sum(held.fields[5] for held in loose) <= _MOST_KEPT
    )


def _tail(
    read: Reader, loaded: int, kept: Sequence[tuple[int, _Section]], form: struct.Struct
) -> tuple[int, bytes, int]:
    """Where the old content ends, what follows it, and where in the new file the table begins."""
    data = bytearray()
    names = bytearray(b"\0")
    table = bytearray()
    for _, held in kept:
        fields = list(held.fields)
        if held.name:
            fields[0] = len(names)
            names += held.name + b"\0"
        if not held.allocated and fields[1]:
            data += bytes(-(loaded + len(data)) % max(1, fields[8]))
            fields[4] = loaded + len(data)
            data += read(held.fields[4], held.fields[5])
        table += form.pack(*fields)
    own = len(names)
    names += b".shstrtab\0"
    table += form.pack(own, 3, 0, 0, loaded + len(data), len(names), 0, 0, 1, 0)
    data += names
    data += bytes(-(loaded + len(data)) % 8)
    return loaded, bytes(data + table), loaded + len(data)
