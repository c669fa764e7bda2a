"""Symbols and debug data at the end of an ELF file, cut off without moving anything else.

``strip`` lays a file out anew, which has broken libraries that patchelf had changed
(serverless-python-requirements#318, numpy#20101). Here all that is loaded keeps its bytes and its
place: the file ends after the last segment, and a shorter table of sections follows. What is not
laid out as linkers do it is left alone. Format: the System V ABI, chapter 4.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from condaprune.formats.elfsections import NOBITS, Reader, Section, read_sections
from condaprune.formats.patch import Patch

_PROGRAM, _LIBRARY = 2, 3
_RELOCATIONS = (4, 9)
_INFO_LINK = 0x40
_SYMBOLS = (b".symtab", b".strtab", b".symtab_shndx", b".gnu_debugdata")
_DEBUG = (b".debug_", b".zdebug_", b".stab", b".gdb_index", b".gnu.build.attributes", b".annobin")
_MOST_KEPT = 1 << 20
"""Sections that are neither loaded nor known to be of use to debuggers only are copied to the new
end; a file with more of them than this is left alone (bytes)."""
_LEAST = 4096
"""What cutting has to save, in bytes."""

Numbered = Sequence[tuple[int, Section]]


def cut(read: Reader, size: int) -> Patch | None:
    """What takes the symbols and debug data off a program or library of *size* bytes.

    None for every other file, for one with hardly any such data, and for any doubt: bytes that no
    section or segment accounts for, sections in an unusual order, links between them.
    """
    try:
        return _cut(read, size)
    except (struct.error, ValueError, IndexError, OverflowError):
        return None


def is_symbols(section: Section) -> bool:
    """Whether a section is of use to linkers, debuggers and profilers only."""
    return not section.allocated and (section.name in _SYMBOLS or section.name.startswith(_DEBUG))


def _cut(read: Reader, size: int) -> Patch | None:
    found = read_sections(read)
    if found is None or found.fields[0] not in (_PROGRAM, _LIBRARY):
        return None
    programs, table, header_size, row, rows = (found.fields[i] for i in (4, 5, 7, 8, 9))
    names_at = found.fields[12]
    numbered = [(number, held) for number, held in enumerate(found.all) if number != names_at]
    kept = [(number, held) for number, held in numbered if not is_symbols(held)]
    gone = [(number, held) for number, held in numbered if is_symbols(held)]
    segments = _segments(read(programs, row * rows), row, found.order, found.wide)
    loaded = max([header_size, programs + row * rows, *segments])
    known = max(table + len(found.all) * found.row.size, loaded, *(s.end for s in found.all))
    if known != size or not gone or not _cuttable(kept, gone, names_at, loaded):
        return None
    tail, start = _tail(read, loaded, [held for _, held in kept], found.row)
    if size - (loaded + len(tail)) < _LEAST:
        return None
    fields = [*found.fields[:5], start, *found.fields[6:11], len(kept) + 1, len(kept)]
    return Patch(found.ident + found.header.pack(*fields), loaded, tail)


def _segments(raw: bytes, row: int, order: str, wide: bool) -> list[int]:
    """Where the content of each segment ends in the file."""
    form = struct.Struct(order + ("8xQ16xQ" if wide else "4xI8xI"))
    pairs = [form.unpack_from(raw, at) for at in range(0, len(raw), row)] if row else []
    return [offset + length for offset, length in pairs]


def _links(section: Section) -> set[int]:
    """The numbers of the sections that one refers to."""
    info = section.flags & _INFO_LINK or section.kind in _RELOCATIONS
    return {section.link, section.info if info else 0} - {0}


def _cuttable(kept: Numbered, gone: Numbered, names: int, loaded: int) -> bool:
    """Whether all that goes lies after all that is loaded, and nothing kept refers to it.

    Symbols name sections by number, so those that are loaded must keep theirs.
    """
    last = max((number for number, held in kept if held.allocated), default=0)
    going = {number for number, _ in gone} | {names}
    loose = [held for _, held in kept if _is_loose(held)]
    return (
        last < min(going)
        and all(held.end <= loaded for _, held in kept if held.allocated)
        and all(held.offset >= loaded for held in [*loose, *(held for _, held in gone)])
        and not any(_links(held) & going for _, held in kept)
        and not any(_links(held) for held in loose)
        and sum(held.size for held in loose) <= _MOST_KEPT
    )


def _is_loose(section: Section) -> bool:
    """Whether a section has content that is not loaded; the first row of a table has none."""
    return not section.allocated and section.kind not in (0, NOBITS)


def _tail(
    read: Reader, loaded: int, kept: Sequence[Section], row: struct.Struct
) -> tuple[bytes, int]:
    """What follows the loaded part, and where in the new file its table of sections begins."""
    data, names, table = bytearray(), bytearray(b"\0"), bytearray()
    for held in kept:
        new = held
        if held.name:
            new = new._replace(name_at=len(names))
            names += held.name + b"\0"
        if _is_loose(held):
            data += bytes(-(loaded + len(data)) % max(1, held.align))
            new = new._replace(offset=loaded + len(data))
            data += read(held.offset, held.size)
        table += row.pack(*new[1:])
    own = len(names)
    names += b".shstrtab\0"
    table += row.pack(own, 3, 0, 0, loaded + len(data), len(names), 0, 0, 1, 0)
    data += names
    data += bytes(-(loaded + len(data)) % 8)
    return bytes(data + table), loaded + len(data)
