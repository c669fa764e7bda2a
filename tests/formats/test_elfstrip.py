"""Symbols cut off: what is loaded stays byte by byte, and what is odd is left alone."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from condaprune.formats.elfstrip import symbol_patch
from lab.envs.model import BuiltEnvironment

ALLOCATED = 2
CODE = bytes(range(256)) * 4
Sections = list[tuple[bytes, int, int, bytes, int]]
USUAL: Sections = [
    # name, type, flags, content, link
    (b".text", 1, ALLOCATED, CODE, 0),
    (b".comment", 1, 0, b"made by hand\0", 0),
    (b".debug_info", 1, 0, b"d" * 5000, 0),
    (b".symtab", 2, 0, b"s" * 4800, 5),
    (b".strtab", 3, 0, b"t" * 300, 0),
]


def make(
    sections: Sections = USUAL,
    *,
    wide: bool = True,
    order: str = "<",
    kind: int = 3,
    loads: tuple[bytes, ...] = (b".text",),
    payload: bytes = b"",
) -> bytes:
    """A file with these sections in their order, one segment for each that *loads* names."""
    header = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
    program = struct.Struct(order + ("IIQQQQQQ" if wide else "IIIIIIII"))
    section = struct.Struct(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"))
    size = 16 + header.size
    data = bytearray(size + program.size * len(loads))
    names = bytearray(b"\0")
    rows, segments = [section.pack(*[0] * 10)], []
    for name, type_, flags, content, link in sections:
        data += bytes(-len(data) % 16)
        at = len(data)
        rows.append(section.pack(len(names), type_, flags, at, at, len(content), link, 0, 16, 0))
        names += name + b"\0"
        data += content
        if name in loads:
            part = (at, at, at, len(content), len(content))
            segments.append(
                program.pack(1, 5, *part, 16) if wide else program.pack(1, *part, 5, 16)
            )
    rows.append(section.pack(len(names), 3, 0, 0, len(data), len(names) + 10, 0, 0, 1, 0))
    data += names + b".shstrtab\0"
    data += bytes(-len(data) % 8)
    table = len(data)
    data += b"".join(rows) + payload
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    fields = (kind, 62, 1, 0, size, table, 0, size, program.size, len(loads))
    data[:size] = ident + header.pack(*fields, section.size, len(rows), len(rows) - 1)
    data[size : size + program.size * len(loads)] = b"".join(segments)
    return bytes(data)


def stripped(data: bytes) -> bytes | None:
    patch = symbol_patch(lambda at, size: data[at : at + size], len(data))
    return None if patch is None else b"".join(patch.apply([data]))


@pytest.mark.parametrize("wide", [True, False], ids=["64-bit", "32-bit"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
@pytest.mark.parametrize("kind", [2, 3], ids=["program", "library"])
def test_symbols_and_debug_data_go_and_all_else_stays(wide: bool, order: str, kind: int) -> None:
    old = make(wide=wide, order=order, kind=kind)
    new = stripped(old)
    assert new is not None
    assert len(new) < len(old) - 10_000
    elf = ELFFile(io.BytesIO(new))
    assert [s.name for s in elf.iter_sections()] == ["", ".text", ".comment", ".shstrtab"]
    assert elf.get_section_by_name(".text").data() == CODE
    assert elf.get_section_by_name(".comment").data() == b"made by hand\0"
    assert elf.get_segment(0).data() == CODE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(make(kind=1), id="an object file, which is nothing without symbols"),
        pytest.param(make(payload=b"zip"), id="a file with something behind it"),
        pytest.param(make(USUAL[:2]), id="nothing to cut"),
        pytest.param(
            make([*USUAL[:3], (b".symtab", 2, 0, b"s" * 99, 0)]).replace(b"d" * 5000, b""),
            id="a file that is cut short",
        ),
        pytest.param(
            make([*USUAL, (b".patched", 1, ALLOCATED, CODE, 0)], loads=(b".text", b".patched")),
            id="a segment behind the symbols, as patchelf makes them",
        ),
        pytest.param(
            make([*USUAL, (b".rela.text", 4, 0, b"r" * 48, 4)]), id="relocations of the symbols"
        ),
        pytest.param(
            make([*USUAL, (b".payload", 1, 0, b"p" * (2 << 20), 0)]), id="a large unknown section"
        ),
        pytest.param(b"\x7fELF", id="the magic alone"),
        pytest.param(b"", id="an empty file"),
    ],
)
def test_what_is_left_alone(data: bytes) -> None:
    assert stripped(data) is None


def test_it_is_cut_once() -> None:
    new = stripped(make())
    assert new is not None
    assert stripped(new) is None


@settings(max_examples=300, deadline=None)
@given(
    at=st.integers(0, 127),
    value=st.binary(min_size=1, max_size=8),
    table=st.booleans(),
    wide=st.booleans(),
)
def test_damage_never_changes_what_is_loaded(
    at: int, value: bytes, table: bool, wide: bool
) -> None:
    whole = make(wide=wide)
    data = bytearray(whole)
    start = len(data) - 256 + at if table else at
    data[start : start + len(value)] = value[: len(data) - start]
    old = bytes(data)
    new = stripped(old)
    if new is not None:
        header, end = 64 if wide else 52, whole.index(CODE) + len(CODE)
        assert len(new) < len(old)
        assert new[header:end] == old[header:end]


def _binaries(prefix: Path) -> Iterator[bytes]:
    for path in sorted(prefix.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                if stream.read(4) == b"\x7fELF":
                    yield path.read_bytes()


def test_binaries_of_a_real_environment_load_the_same_bytes(tiny_env: BuiltEnvironment) -> None:
    done = 0
    for old in _binaries(tiny_env.prefix):
        new = stripped(old)
        if new is None:
            continue
        done += 1
        before, after = ELFFile(io.BytesIO(old)), ELFFile(io.BytesIO(new))
        start = max(before.header.e_ehsize, 64)
        for one, other in zip(before.iter_segments(), after.iter_segments(), strict=True):
            assert one.header == other.header
            skipped = max(0, start - one.header.p_offset)
            assert one.data()[skipped:] == other.data()[skipped:]
        assert _symbols(before) == _symbols(after)
        left = {section.name for section in after.iter_sections()}
        assert not left & {".symtab", ".strtab", ".debug_info"}
        gone = {s.name for s in before.iter_sections()} - left
        assert all(name.startswith((".symtab", ".strtab", ".debug_", ".gnu")) for name in gone)
    assert done > 20


def _symbols(elf: Any) -> list[tuple[str, int, Any]]:
    """The symbols that the loader sees, each with the name of the section that it lies in."""
    table = elf.get_section_by_name(".dynsym")
    get: Callable[[int], Any] = elf.get_section
    return [
        (
            symbol.name,
            symbol.entry.st_value,
            get(symbol.entry.st_shndx).name
            if isinstance(symbol.entry.st_shndx, int)
            else symbol.entry.st_shndx,
        )
        for symbol in table.iter_symbols()
    ]
