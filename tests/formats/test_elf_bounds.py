"""Numbers in ELF files are bounded: what they say is never more work or memory than the file."""

from __future__ import annotations

import struct

import pytest

from condaprune.formats.elf import holds_compiler, read_elf, read_header, read_segments, sections_of
from condaprune.formats.elfstrip import symbol_patch
from tests.formats.test_elfstrip import make
from tests.guards.elves import make_elf

ENTRY = struct.Struct("<qQ")


class Parts:
    """Reads parts of a file of any size, and notes how much was asked for."""

    def __init__(self, data: bytes, size: int = 0) -> None:
        self._data, self._size = data, size or len(data)
        self.most = self.total = 0

    def read(self, offset: int, size: int) -> bytes:
        size = max(0, min(size, self._size - offset))
        self.most, self.total = max(self.most, size), self.total + size
        return self._data[offset : offset + size].ljust(size, b"\0")


def test_a_table_of_segments_larger_than_any_is_not_read() -> None:
    data = bytearray(make_elf(("a",)))
    struct.pack_into("<HH", data, 54, 0xFFFF, 0xFFFF)
    parts = Parts(bytes(data), 50 << 30)
    header = read_header(parts.read)
    assert header is not None
    with pytest.raises(ValueError, match="too large"):
        read_segments(header, parts.read)
    assert read_elf(parts.read) is None
    assert parts.total < 1000


def test_a_file_that_needs_thousands_of_libraries_is_damaged() -> None:
    assert read_elf(Parts(make_elf(("libz.so.1",) * 4000)).read) is not None
    assert read_elf(Parts(make_elf(("libz.so.1",) * 5000)).read) is None


def test_names_are_as_long_as_a_loader_takes_them() -> None:
    facts = read_elf(Parts(make_elf(("x" * 100_000, "y"))).read)
    assert facts is not None
    assert [len(name) for name in facts.needed] == [4096, 1]


def test_names_that_lie_in_each_other_are_no_more_than_the_file() -> None:
    data = bytearray(make_elf(("x" * 4000,) + ("y",) * 3000))
    row = data.index(ENTRY.pack(1, 1))
    first = struct.unpack_from("<qQ", data, row)[1]
    for number in range(3001):
        ENTRY.pack_into(data, row + 16 * number, 1, first + number)
    assert read_elf(Parts(bytes(data)).read) is None


def test_a_name_that_is_the_end_of_another_is_read() -> None:
    data = bytearray(make_elf(("libxyz.so", "b")))
    row = data.index(ENTRY.pack(1, 1))
    ENTRY.pack_into(data, row + 16, 1, 4)
    facts = read_elf(Parts(bytes(data)).read)
    assert facts is not None
    assert facts.needed == ("libxyz.so", "xyz.so")


def test_names_of_sections_that_overlap_without_end_are_refused() -> None:
    data = make()
    at = data.index(b".debug_info\0")
    assert sections_of(Parts(data).read)
    assert sections_of(Parts(data[:at] + b"x" * 2000 + data[at + 2000 :]).read) == ()


def test_sections_that_add_up_to_terabytes_are_not_searched() -> None:
    sections = [(b".rodata", 1, 2, b"text", 0), (b".rodata.1", 1, 2, b"text", 0)]
    data = bytearray(make(sections, loads=()))
    parts = Parts(bytes(data))
    assert not holds_compiler(parts.read, len(data))
    (table,) = struct.unpack_from("<Q", data, 40)
    for row in (1, 2):
        struct.pack_into("<QQ", data, table + row * 64 + 24, 0, 3 << 30)
    parts = Parts(bytes(data), 3 << 30)
    assert holds_compiler(parts.read, 3 << 30)
    assert parts.total < 1 << 20


def test_a_section_that_asks_for_any_alignment_leaves_the_file_alone() -> None:
    data = bytearray(make())
    assert symbol_patch(Parts(bytes(data)).read, len(data)) is not None
    (table,) = struct.unpack_from("<Q", data, 40)
    struct.pack_into("<Q", data, table + 2 * 64 + 48, 1 << 62)
    assert symbol_patch(Parts(bytes(data)).read, len(data)) is None
