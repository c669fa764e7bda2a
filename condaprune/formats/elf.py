"""The one reader of ELF: dynamic facts, sections, and the symbol versions a file needs.

Knows both word sizes and byte orders. It asks for a few small parts of the file, so that a file
system need not read libraries of hundreds of megabytes. Format: the System V ABI, chapters 4, 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

Reader = Callable[[int, int], bytes]
"""The bytes of a file at an offset; fewer where it ends."""

MAGIC = b"\x7fELF"
NOBITS, ALLOCATED = 8, 2
LEAST_COMPILER = 16_000_000
"""A library of fewer bytes has no compiler in it."""

_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_VERNEED = 0x6FFFFFFE
_MAX_PART = 64 << 20
_MOST_NAMES = 1 << 20
_LONGEST_NAME = 4096
_LONGEST_SECTION = 1024
_MOST_ENTRIES, _MOST_NEEDED = 1 << 16, 4096
"""The most rows of a dynamic section that are looked at, and of libraries that they may name."""
_MOST_SHARED = 8
_MOST_VERSIONS = 4096
_MAX_TABLE = 4 << 20
"""The largest table of segments: 65,535 rows."""
_MOST_SEARCHED = 4 << 30
"""The most bytes that are searched for a compiler: where there are more, one is taken to be there.
"""
_STEP = 8 << 20
_OVERLAP = 512
_TEXTS = (b".rodata", b".dynstr", b".strtab")
_CLANG = b"-internal-isystem"
DAMAGE = (struct.error, ValueError, IndexError, OverflowError)
"""The errors that parsing a damaged file raises."""


@dataclass(frozen=True, slots=True)
class BinaryFacts:
    """The facts of a program or library that its loader goes by, in either format.

    Names and search paths are as they stand in the file. `compiler` says whether a compiler of C
    is in it, as far as that was looked for.
    """

    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    soname: str = ""
    interpreter: str = ""
    machine: int = 0
    bits: int = 64
    compiler: bool = False


class Header(NamedTuple):
    """The header of a file: `ident` is its first 16 bytes, the rest in the order of the ABI.

    `order` is the byte order as `struct` writes it.
    """

    ident: bytes
    wide: bool
    order: str
    kind: int
    machine: int
    version: int
    entry: int
    programs: int
    sections: int
    flags: int
    size: int
    program_size: int
    program_count: int
    section_size: int
    section_count: int
    names: int

    @property
    def section_form(self) -> struct.Struct:
        """How a row of the section table is packed."""
        return struct.Struct(self.order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII"))

    def pack(self) -> bytes:
        """The bytes of the header."""
        return self.ident + struct.pack(_form(self.wide, self.order), *self[3:])


class Segment(NamedTuple):
    """A row of the program table, as far as it matters: `offset` and `size` in the file."""

    kind: int
    offset: int
    address: int
    size: int


class Section(NamedTuple):
    """A row of the section table, with the name that `name_at` refers to."""

    name: bytes
    name_at: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    row_size: int

    @property
    def allocated(self) -> bool:
        """Whether it is loaded."""
        return bool(self.flags & ALLOCATED)

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.offset + (0 if self.kind == NOBITS else self.size)


def read_header(read: Reader) -> Header | None:
    """The header of a file; None for other files. Errors: `DAMAGE`."""
    head = read(0, 64)
    if head[:4] != MAGIC or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    return Header(head[:16], wide, order, *struct.unpack_from(_form(wide, order), head, 16))


def _form(wide: bool, order: str) -> str:
    """How the fields of a header from `kind` on are packed."""
    return order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")


def read_segments(header: Header, read: Reader) -> list[Segment]:
    """The rows of the program table. Errors: `DAMAGE`."""
    step, size = header.program_size, header.program_size * header.program_count
    if not size:
        return []
    if size > _MAX_TABLE:
        raise ValueError("a table of segments that is too large")
    table = read(header.programs, size)
    # The 32-bit form has the same fields in another order.
    form = struct.Struct(header.order + ("I4xQQ8xQ" if header.wide else "IIIxxxxI"))
    rows = (form.unpack_from(table, at) for at in range(0, size, step))
    return [Segment(*row) for row in rows]


def read_sections(header: Header, read: Reader) -> tuple[Section, ...]:
    """The sections of a file; none where it has no usable table of them. Errors: `DAMAGE`."""
    form, count = header.section_form, header.section_count
    if not header.sections or not count or header.section_size != form.size:
        return ()
    raw = read(header.sections, count * form.size)
    rows = [form.unpack_from(raw, number * form.size) for number in range(count)]
    names = rows[header.names]
    text = read(names[4], min(names[5], _MOST_NAMES))
    return tuple(
        Section(text[at[0] : text.index(b"\0", at[0], at[0] + _LONGEST_SECTION)], *at)
        for at in rows
    )


def sections_of(read: Reader) -> tuple[Section, ...]:
    """The sections of an ELF file; none for other files and for damaged ones."""
    try:
        header = read_header(read)
        return read_sections(header, read) if header else ()
    except DAMAGE:
        return ()


def read_elf(read: Reader) -> BinaryFacts | None:
    """The facts of an ELF file; None for other files and for damaged ones."""
    try:
        header = read_header(read)
        return _facts(header, read) if header else None
    except DAMAGE:
        return None


def _facts(header: Header, read: Reader) -> BinaryFacts:
    bits = 64 if header.wide else 32
    segments = read_segments(header, read)
    interpreter = ""
    dynamic: Segment | None = None
    for segment in segments:
        if segment.kind == _DYNAMIC:
            dynamic = segment
        elif segment.kind == _INTERP:
            interpreter = _text(read(segment.offset, min(segment.size, 4096)), 0)
    bare = BinaryFacts(interpreter=interpreter, machine=header.machine, bits=bits)
    if dynamic is None or not 0 < dynamic.size < _MAX_PART:
        return bare
    pair = struct.Struct(header.order + ("qQ" if header.wide else "iI"))
    section = read(dynamic.offset, dynamic.size)
    entries: list[tuple[int, int]] = []
    for tag, value in pair.iter_unpack(section[: len(section) - len(section) % pair.size]):
        if tag == 0 or len(entries) == _MOST_ENTRIES:
            break
        entries.append((tag, value))
    tags = dict(entries)
    length, address = tags.get(_STRSZ, 0), tags.get(_STRTAB, 0)
    loads = (s for s in segments if s.kind == _LOAD and 0 <= address - s.address < s.size)
    load = next(loads, None)
    if load is None or not 0 < length < _MAX_PART:
        return bare
    strings = read(address - load.address + load.offset, length)
    needed = [value for tag, value in entries if tag == _NEEDED]
    if len(needed) > _MOST_NEEDED:
        raise ValueError("too many libraries")
    names = tuple(_text(strings, value) for value in dict.fromkeys(needed))
    # One name may be the end of another, but not each of thousands.
    if sum(map(len, names)) > _MOST_SHARED * len(strings):
        raise ValueError("names of libraries that lie in each other")
    return BinaryFacts(
        needed=names,
        rpath=_folders(strings, tags.get(_RPATH)),
        runpath=_folders(strings, tags.get(_RUNPATH)),
        soname=_text(strings, tags[_SONAME]) if _SONAME in tags else "",
        interpreter=interpreter,
        machine=header.machine,
        bits=bits,
    )


def _text(strings: bytes, at: int) -> str:
    """The name at an offset, as long as a loader takes it."""
    end = strings.find(b"\0", at, at + _LONGEST_NAME)
    return strings[at : end if end >= 0 else at + _LONGEST_NAME].decode("utf-8", "surrogateescape")


def _folders(strings: bytes, at: int | None) -> tuple[str, ...]:
    return () if at is None else tuple(filter(None, _text(strings, at).split(":")))


def read_versions(read: Reader) -> list[str]:
    """The symbol versions that a file asks of the libraries it needs, such as ``GLIBC_2.34``.

    Empty for other files and for damaged ones.
    """
    try:
        header = read_header(read)
        sections = read_sections(header, read) if header else ()
        names = (
            name
            for section in sections
            if header and section.kind == _VERNEED and section.size <= 1 << 20
            for name in _versions(section, sections[section.link], header.order, read)
        )
        return list(islice(names, _MOST_VERSIONS))
    except DAMAGE:
        return []


def _versions(section: Section, names: Section, order: str, read: Reader) -> Iterator[str]:
    """The names in a ``.gnu.version_r`` section: a list of lists, linked by offsets."""
    data = read(section.offset, section.size)
    strings = read(names.offset, min(names.size, _MAX_PART))
    at = 0
    for _ in range(_MOST_VERSIONS):
        _, count, _, first, onward = struct.unpack_from(f"{order}HHIII", data, at)
        inner = at + first
        for _ in range(min(count, _MOST_VERSIONS)):
            _, _, _, name, step = struct.unpack_from(f"{order}IHHII", data, inner)
            yield _text(strings, name)
            inner += step
        if not onward:
            return
        at += onward


def holds_compiler(read: Reader, size: int) -> bool:
    """Whether a library of *size* bytes has clang in it: an option that only clang's parts name.

    Texts lie in sections for data that is only read; what makes CUDA's libraries large does not.
    """
    sections = sections_of(read)
    spans = [(s.offset, min(s.end, size)) for s in sections if s.name.startswith(b".rodata")]
    spans = spans if sections else [(0, size)]
    if sum(max(0, end - start) for start, end in spans) > _MOST_SEARCHED:
        return True
    return any(
        _CLANG in read(at, min(_STEP, end - at))
        for start, end in spans
        for at in range(start, end, _STEP - len(_CLANG))
    )


def texts_of(read: Reader, size: int) -> Iterator[bytes]:
    """The parts of a binary of *size* bytes that texts and names of symbols lie in, in pieces that
    overlap; none of one that says it has more than is ever searched."""
    sections = sections_of(read)
    spans = [(s.offset, min(s.end, size)) for s in sections if s.name.startswith(_TEXTS)]
    spans = spans if sections else [(0, size)]
    if sum(max(0, end - start) for start, end in spans) <= _MOST_SEARCHED:
        for start, end in spans:
            for at in range(start, end, _STEP - _OVERLAP):
                yield read(at, min(_STEP, end - at))


class CompilerSearch:
    """`holds_compiler` for a library that streams by: where its texts lie shows only at its end,
    so all of it is searched. `found` holds once all pieces have been taken."""

    def __init__(self) -> None:
        self.found = False

    def over(self, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        """Hand the pieces on and look into them."""
        tail = b""
        for piece in pieces:
            if not self.found:
                data = tail + bytes(piece)
                self.found = _CLANG in data
                tail = data[1 - len(_CLANG) :]
            yield piece
