"""What lies in an ELF file beside its sections is never lost: such files are left alone."""

from __future__ import annotations

import io
import struct

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from condaprune.formats.elf import read_header, read_sections
from condaprune.formats.elfstrip import symbol_patch
from tests.formats.test_elfstrip import CODE, USUAL, Sections, make, stripped

MARK = b"my own data, not to be lost "
HOLE = b".hole"
NULL, NOBITS = 0, 8


def rows(data: bytes) -> dict[bytes, int]:
    """Where in a file the row of each section is."""
    header = read_header(lambda at, size: data[at : at + size])
    assert header is not None
    found = read_sections(header, lambda at, size: data[at : at + size])
    return {s.name: header.sections + n * header.section_size for n, s in enumerate(found)}


def with_row(data: bytes, name: bytes, **fields: int) -> bytes:
    """The file with other fields in the row of a section, `blank` for none."""
    header = read_header(lambda at, size: data[at : at + size])
    assert header is not None
    form, at = header.section_form, rows(data)[name]
    row = list(form.unpack_from(data, at))
    if fields.pop("blank", 0):
        row = [0] * len(row)
    places = {"kind": 1, "flags": 2, "offset": 4, "size": 5}
    for field, value in fields.items():
        row[places[field]] = value
    new = bytearray(data)
    form.pack_into(new, at, *row)
    return bytes(new)


def with_hole(place: int, payload: bytes, *, wide: bool = True, order: str = "<") -> bytes:
    """A file with a section for *payload* before the section number *place*."""
    usual: Sections = [(n, k, f, c, n_ + (n_ > place)) for n, k, f, c, n_ in USUAL]
    sections = [*usual[:place], (HOLE, 1, 0, payload, 0), *usual[place:]]
    return make(sections, wide=wide, order=order)


def test_a_section_of_the_same_bytes_is_kept() -> None:
    new = stripped(with_hole(5, MARK * 10))
    assert new is not None
    assert MARK * 10 in new


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"blank": 1}, id="no section names it"),
        pytest.param({"kind": NULL}, id="a row that counts for nothing names it"),
        pytest.param({"kind": NOBITS}, id="a section without content names it"),
        pytest.param({"size": 1}, id="its section ends within it"),
        pytest.param({"kind": NULL, "flags": 2}, id="a loaded row that counts for nothing"),
    ],
)
@pytest.mark.parametrize("wide", [True, False], ids=["64-bit", "32-bit"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
def test_a_payload_anywhere_leaves_the_file_alone(
    place: int, fields: dict[str, int], wide: bool, order: str
) -> None:
    assert (
        stripped(with_row(with_hole(place, MARK * 10, wide=wide, order=order), HOLE, **fields))
        is None
    )


@given(
    st.integers(0, 5),
    st.binary(min_size=1, max_size=40),
    st.integers(0, 9000),
    st.sampled_from([NULL, 1, 3, 7, NOBITS]),
    st.integers(0, 1 << 20),
    st.integers(0, 20_000),
)
def test_a_payload_is_kept_or_the_file_is(
    place: int, end: bytes, size: int, kind: int, offset: int, length: int
) -> None:
    payload = MARK + bytes(size) + b"<" + end + b">"
    data = with_hole(place, payload)
    for changed in (
        with_row(data, HOLE, kind=kind),
        with_row(data, HOLE, kind=kind, offset=offset % len(data), size=length),
    ):
        new = stripped(changed)
        assert new is None or payload in new


def test_a_payload_behind_the_section_table() -> None:
    assert stripped(make(payload=MARK)) is None


@pytest.mark.parametrize(("size", "taken"), [(60, True), (70, False), (40_000, False)])
def test_a_payload_among_the_names(size: int, taken: bool) -> None:
    """Linkers share the end of one name with another, and tools leave a name or two."""
    data = make()
    header = read_header(lambda at, size: data[at : at + size])
    assert header is not None
    payload = MARK.ljust(size, b"x")
    moved = header._replace(sections=header.sections + size + -size % 8).pack()
    names = rows(data)[b".shstrtab"]
    form, row = header.section_form, list(header.section_form.unpack_from(data, names))
    end = row[4] + row[5]
    row[5] += size
    table = bytearray(data[header.sections :])
    form.pack_into(table, names - header.sections, *row)
    changed = moved + data[len(moved) : end] + payload
    changed += bytes(header.sections - end + -size % 8) + table
    assert (stripped(changed) is not None) == taken


def test_a_payload_between_names_and_table() -> None:
    """Where the section table begins later than it need."""
    data = make()
    header = read_header(lambda at, size: data[at : at + size])
    assert header is not None
    moved = header._replace(sections=header.sections + len(MARK)).pack()
    end = header.sections
    assert stripped(moved + data[len(moved) : end] + MARK + data[end:]) is None
    zeros = bytes(len(MARK))
    assert stripped(moved + data[len(moved) : end] + zeros + data[end:]) is not None


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        pytest.param(b".debug_info", {"size": 1 << 40}, id="debug data beyond the end"),
        pytest.param(b".comment", {"size": 1 << 40}, id="a kept section beyond the end"),
        pytest.param(b".comment", {"offset": 1 << 40}, id="a kept section behind the end"),
        pytest.param(b".symtab", {"offset": 1 << 40}, id="symbols behind the end"),
        pytest.param(b".symtab", {"kind": 1}, id="a symbol table that is none"),
        pytest.param(b".strtab", {"kind": 1}, id="names of symbols that are none"),
        pytest.param(b".debug_info", {"offset": 64, "size": 200}, id="debug data over the code"),
    ],
)
def test_odd_sections(name: bytes, fields: dict[str, int]) -> None:
    data = make()
    new = stripped(with_row(data, name, **fields))
    if new is not None:  # then what is odd stays
        names = [section.name for section in ELFFile(io.BytesIO(new)).iter_sections()]
        assert name.decode() in names


def test_sections_that_overlap_are_one_part() -> None:
    blank: Sections = [(b".comment", 1, 0, bytes(13), 0)]
    data = make([USUAL[0], *blank, *USUAL[2:]])
    offset = struct.unpack_from("<Q", data, rows(data)[b".debug_info"] + 24)[0]
    new = stripped(with_row(data, b".comment", offset=offset + 100, size=300))
    assert new is not None
    section = ELFFile(io.BytesIO(new)).get_section_by_name(".comment")
    assert section.data() == b"d" * 300


@pytest.mark.parametrize("gap", [15, 4096, 65536], ids=str)
def test_zeros_that_align_the_next_part_are_no_payload(gap: int) -> None:
    new = stripped(with_row(with_hole(5, bytes(gap)), HOLE, blank=1))
    assert new is not None
    assert ELFFile(io.BytesIO(new)).get_section_by_name(".text").data() == CODE


def test_a_large_hole_is_not_read() -> None:
    """A sparse file of gigabytes costs nothing."""
    data = make()
    far = 3 << 30
    changed = with_row(data, b".symtab", offset=far)

    def read(at: int, size: int) -> bytes:
        assert size < 4 << 20
        return changed[at : at + size]

    assert symbol_patch(read, far + 4800) is None
