"""Symbols and debug data at the end of an ELF file, cut off without moving anything else.

``strip`` lays a file out anew, which has broken libraries that patchelf had changed
(serverless-python-requirements#318, numpy#20101). Here all that is loaded keeps its bytes and its
place: the file ends after the last segment, and a shorter table of sections follows. Files that
are not laid out as linkers do it are left alone. Format: the System V ABI, chapter 4.
"""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.edit import Patch
from condaprune.formats.elf import (
    DAMAGE,
    NOBITS,
    Header,
    Reader,
    Section,
    read_header,
    read_sections,
    read_segments,
    sections_of,
)

_PROGRAM, _LIBRARY = 2, 3
_NOTHING = 0
_RELOCATIONS = (4, 9)
_INFO_LINK = 0x40
_SYMBOLS = (b".symtab", b".strtab", b".symtab_shndx", b".gnu_debugdata")
_DEBUG = (b".debug_", b".zdebug_", b".stab", b".gdb_index", b".gnu.build.attributes", b".annobin")
_KINDS = {b".symtab": 2, b".strtab": 3, b".symtab_shndx": 18}
_MOST_PADDING = 2 << 20
"""The largest page of a processor, and so the most that linkers leave between two parts (bytes)."""
_MOST_UNNAMED = 64
"""The most bytes among the names of sections that are no name of one; BOLT leaves some."""
_MOST_KEPT = 1 << 20
"""Sections that are neither loaded nor known to be of use to debuggers only are copied to the new
end; a file with more of them than this is left alone (bytes)."""
_MOST_ALIGNED = 1 << 16
_LEAST = 4096
"""The least that a patch has to save, in bytes."""

Numbered = Sequence[tuple[int, Section]]


def symbol_patch(read: Reader, size: int) -> Patch | None:
    """The patch that takes symbols and debug data off a program or library of *size* bytes.

    None for every other file, for one with hardly any such data, and for any doubt: bytes that no
    section or segment accounts for, sections in an unusual order, links between them.
    """
    try:
        header = read_header(read)
        return _patch(header, read, size) if header else None
    except DAMAGE:
        return None


def symbol_size(read: Reader) -> int:
    """The bytes of a file's symbol tables and debug sections; 0 for files without, and for
    files that are not valid ELF."""
    return sum(s.size for s in sections_of(read) if s.kind != NOBITS and _is_symbols(s))


def _is_symbols(section: Section) -> bool:
    """Whether a section is of use to linkers, debuggers and profilers only."""
    if section.allocated or section.kind != _KINDS.get(section.name, section.kind):
        return False
    return section.name in _SYMBOLS or section.name.startswith(_DEBUG)


def _patch(header: Header, read: Reader, size: int) -> Patch | None:
    sections = read_sections(header, read)
    if not sections or header.kind not in (_PROGRAM, _LIBRARY):
        return None
    numbered = [(number, s) for number, s in enumerate(sections) if number != header.names]
    kept = [(number, s) for number, s in numbered if not _is_symbols(s)]
    gone = [(number, s) for number, s in numbered if _is_symbols(s)]
    programs_end = header.programs + header.program_size * header.program_count
    segments = read_segments(header, read)
    loaded = max([header.size, programs_end, *(s.offset + s.size for s in segments)])
    if not gone or not _cuttable(kept, gone, header.names, loaded):
        return None
    spans = [
        (0, header.size),
        (header.programs, programs_end),
        (header.sections, header.sections + len(sections) * header.section_size),
        *((s.offset, s.offset + s.size) for s in segments),
        *((s.offset, s.end) for s in sections if s.kind != _NOTHING),
    ]
    if not _all_accounted(spans, read, size) or _unnamed(sections, header.names) > _MOST_UNNAMED:
        return None
    tail, start = _tail(read, loaded, [s for _, s in kept], header)
    if size - (loaded + len(tail)) < _LEAST:
        return None
    new = header._replace(sections=start, section_count=len(kept) + 1, names=len(kept))
    return Patch(new.pack(), loaded, tail)


def _all_accounted(spans: list[tuple[int, int]], read: Reader, size: int) -> bool:
    """Whether these *spans* make up a whole file of *size* bytes, but for zeros that align them."""
    at = 0
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        gap = start - at
        if gap > 0 and (gap > _MOST_PADDING or any(read(at, gap))):
            return False
        at = max(at, end)
    return at == size


def _unnamed(sections: Sequence[Section], names: int) -> int:
    """How many bytes of the section of names belong to no name."""
    at, left = 1, sections[names].size
    for start, end in sorted({(s.name_at, s.name_at + len(s.name) + 1) for s in sections}):
        left -= max(0, end - max(at, start))
        at = max(at, end)
    return left - 1


def _links(section: Section) -> set[int]:
    """The numbers of the sections that one refers to."""
    info = section.flags & _INFO_LINK or section.kind in _RELOCATIONS
    return {section.link, section.info if info else 0} - {0}


def _cuttable(kept: Numbered, gone: Numbered, names: int, loaded: int) -> bool:
    """Whether all that goes lies after all that is loaded, and nothing kept refers to it.

    Symbols name sections by number, so those that are loaded must keep theirs.
    """
    last = max((number for number, section in kept if section.allocated), default=0)
    going = {number for number, _ in gone} | {names}
    loose = [section for _, section in kept if _is_loose(section)]
    return (
        last < min(going)
        and all(section.end <= loaded for _, section in kept if section.allocated)
        and all(section.offset >= loaded for section in [*loose, *(s for _, s in gone)])
        and not any(_links(section) & going for _, section in kept)
        and not any(_links(section) for section in loose)
        and sum(section.size for section in loose) <= _MOST_KEPT
        and all(section.align <= _MOST_ALIGNED for section in loose)
    )


def _is_loose(section: Section) -> bool:
    """Whether a section has content that is not loaded; the first row of a table has none."""
    return not section.allocated and section.kind not in (_NOTHING, NOBITS)


def _tail(read: Reader, loaded: int, kept: Sequence[Section], header: Header) -> tuple[bytes, int]:
    """The bytes after the loaded part, and where in the new file its section table begins."""
    row = header.section_form
    data, names, table = bytearray(), bytearray(b"\0"), bytearray()
    for section in kept:
        new = section
        if section.name:
            new = new._replace(name_at=len(names))
            names += section.name + b"\0"
        if _is_loose(section):
            data += bytes(-(loaded + len(data)) % max(1, section.align))
            new = new._replace(offset=loaded + len(data))
            data += read(section.offset, section.size)
        table += row.pack(*new[1:])
    name_at = len(names)
    names += b".shstrtab\0"
    table += row.pack(name_at, 3, 0, 0, loaded + len(data), len(names), 0, 0, 1, 0)
    data += names
    data += bytes(-(loaded + len(data)) % 8)
    return bytes(data + table), loaded + len(data)
