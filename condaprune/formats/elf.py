"""A minimal reader of ELF: the dynamic section and the interpreter, nothing else.

Knows both word sizes and byte orders. It asks for a few small parts of the file, so that a file
system need not read libraries of hundreds of megabytes. Format: the System V ABI, chapters 4, 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from condaprune.formats.elfsections import Reader, Section, read_sections

MAGIC = b"\x7fELF"

_DYNAMIC, _LOAD, _INTERP = 2, 1, 3
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_MAX_PART = 64 << 20
_STEP = 8 << 20
_CLANG = b"-internal-isystem"
_VERSIONS_NEEDED, _MAX_VERSIONS = 0x6FFFFFFE, 4096
LEAST_COMPILER = 16_000_000
"""A library of fewer bytes has no compiler in it."""


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """What an ELF file asks of the loader. Names and search paths are as they stand in it."""

    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    soname: str = ""
    interpreter: str = ""
    machine: int = 0
    bits: int = 64
    compiler: bool = False
    """Whether a compiler of C is in it, as far as that was looked for."""


def read_elf(read: Reader) -> ElfFacts | None:
    """The facts of an ELF file; None for other files and for damaged ones."""
    try:
        return _read(read)
    except (struct.error, ValueError, IndexError, OverflowError):
        return None


def read_versions(read: Reader) -> list[str]:
    """The symbol versions that a file needs, such as ``GLIBC_2.34``; none for damaged files."""
    try:
        found = read_sections(read)
        sections = found.all if found is not None else ()
        order = found.order if found is not None else ""
        return [
            name
            for section in sections
            if section.kind == _VERSIONS_NEEDED
            for name in _version_names(read, order, section, sections[section.link])
        ]
    except (struct.error, ValueError, IndexError, OverflowError):
        return []


def holds_compiler(read: Reader, size: int) -> bool:
    """Whether a library of *size* bytes has clang in it: an option that only clang's parts name.

    Texts lie in sections for data that is only read; what makes CUDA's libraries large does not.
    """
    try:
        found = read_sections(read)
    except (struct.error, ValueError, IndexError, OverflowError):
        found = None
    spans = [(0, size)]
    if found is not None:
        spans = [(s.offset, s.end) for s in found.all if s.name.startswith(b".rodata")]
    return any(
        _CLANG in read(at, min(_STEP, end - at))
        for start, end in spans
        for at in range(start, end, _STEP - len(_CLANG))
    )


class CompilerSearch:
    """The same for a library that passes by, wherever it stands: where its texts lie is known at
    its end only. `found` holds once all pieces have been taken."""

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


def _read(read: Reader) -> ElfFacts | None:
    head = read(0, 64)
    if head[:4] != MAGIC or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide = head[4] == 2
    order = "<" if head[5] == 1 else ">"
    machine = struct.unpack_from(order + "H", head, 18)[0]
    if wide:
        start = struct.unpack_from(order + "Q", head, 32)[0]
        size, count = struct.unpack_from(order + "HH", head, 54)
    else:
        start = struct.unpack_from(order + "I", head, 28)[0]
        size, count = struct.unpack_from(order + "HH", head, 42)
    bits = 64 if wide else 32
    if not count:
        return ElfFacts(machine=machine, bits=bits)  # an object file
    table = read(start, size * count)
    layout = struct.Struct(order + ("IIQQQQ" if wide else "IIIIII"))
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    interpreter = ""
    for at in range(0, size * count, size):
        fields = layout.unpack_from(table, at)
        if wide:
            kind, _, offset, address, _, length = fields
        else:
            kind, offset, address, _, length, _ = fields
        if kind == _LOAD:
            loads.append((address, length, offset))
        elif kind == _DYNAMIC:
            dynamic = (offset, length)
        elif kind == _INTERP:
            interpreter = _text(read(offset, min(length, 4096)), 0)
    if dynamic is None or not 0 < dynamic[1] < _MAX_PART:
        return ElfFacts(interpreter=interpreter, machine=machine, bits=bits)
    section = read(*dynamic)
    pair = struct.Struct(order + ("qQ" if wide else "iI"))
    usable = len(section) - len(section) % pair.size
    entries: list[tuple[int, int]] = []
    for tag, value in pair.iter_unpack(section[:usable]):
        if tag == 0:
            break
        entries.append((tag, value))
    tags = dict(entries)
    length = tags.get(_STRSZ, 0)
    place = _offset(loads, tags.get(_STRTAB, 0))
    if place is None or not 0 < length < _MAX_PART:
        return ElfFacts(interpreter=interpreter, machine=machine, bits=bits)
    strings = read(place, length)
    return ElfFacts(
        needed=tuple(_text(strings, value) for tag, value in entries if tag == _NEEDED),
        rpath=_folders(strings, tags.get(_RPATH)),
        runpath=_folders(strings, tags.get(_RUNPATH)),
        soname=_text(strings, tags[_SONAME]) if _SONAME in tags else "",
        interpreter=interpreter,
        machine=machine,
        bits=bits,
    )


def _version_names(read: Reader, order: str, section: Section, names: Section) -> Iterator[str]:
    """The names in a .gnu.version_r section: a list of lists, linked by offsets."""
    data = read(section.offset, min(section.size, _MAX_PART))
    strings = read(names.offset, min(names.size, _MAX_PART))
    at = 0
    for _ in range(_MAX_VERSIONS):
        _, count, _, first, onward = struct.unpack_from(f"{order}HHIII", data, at)
        inner = at + first
        for _ in range(min(count, _MAX_VERSIONS)):
            *_, name, step = struct.unpack_from(f"{order}IHHII", data, inner)
            yield _text(strings, name)
            inner += step
        if not onward:
            return
        at += onward


def _offset(loads: list[tuple[int, int, int]], address: int) -> int | None:
    for start, length, offset in loads:
        if start <= address < start + length:
            return address - start + offset
    return None


def _text(strings: bytes, at: int) -> str:
    end = strings.find(b"\0", at)
    return strings[at : end if end >= 0 else len(strings)].decode("utf-8", "surrogateescape")


def _folders(strings: bytes, at: int | None) -> tuple[str, ...]:
    if at is None:
        return ()
    return tuple(folder for folder in _text(strings, at).split(":") if folder)
