"""The Mach-O reader: every class and byte order, damage, and macholib as oracle."""

from __future__ import annotations

import posixpath
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from macholib.MachO import MachO

from condaprune.formats.binary import read_binary
from condaprune.formats.elf import BinaryFacts
from tests.guards.elves import make_elf, make_fat, make_macho


def facts(data: bytes) -> BinaryFacts | None:
    return read_binary(lambda offset, size: data[offset : offset + size])


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("big", [False, True], ids=["little-endian", "big-endian"])
def test_reads_every_class_and_byte_order(bits: int, big: bool) -> None:
    data = make_macho(
        ("@rpath/liba.dylib", "/x/libb.1.dylib"), name="@rpath/libc.dylib", bits=bits, big=big
    )
    assert facts(data) == BinaryFacts(
        needed=("liba.dylib", "libb.1.dylib"), soname="libc.dylib", bits=bits
    )


def test_a_file_for_several_processors_needs_what_any_part_needs() -> None:
    data = make_fat(make_macho(("a.dylib",)), make_macho(("a.dylib", "b.dylib"), bits=32))
    found = facts(data)
    assert found is not None
    assert found.needed == ("a.dylib", "b.dylib")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xcf\xfa\xed\xfe", id="nothing but its magic"),
        pytest.param(make_macho(("a.dylib",))[:40], id="cut off"),
        pytest.param(b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100), id="a class file of Java"),
        pytest.param(make_fat(b"nothing"), id="a part that is none"),
        pytest.param(b"!<arch>\n", id="a static library"),
    ],
)
def test_other_files_and_damaged_ones_have_no_facts(data: bytes) -> None:
    assert facts(data) is None


def test_elf_files_are_read_as_such() -> None:
    assert facts(make_elf(("libz.so.1",))) == BinaryFacts(needed=("libz.so.1",), machine=62)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_damage_raises_nothing(noise: bytes, at: int) -> None:
    good = make_macho(("@rpath/liba.dylib",), name="x")
    facts(good[:at] + noise)
    facts(make_fat(good[:at] + noise))


@pytest.mark.parametrize("load", [0xC, 0x80000018, 0x8000001F, 0x80000023])
@pytest.mark.parametrize("fat", [False, True], ids=["thin", "fat"])
def test_agrees_with_macholib(tmp_path: Path, load: int, fat: bool) -> None:
    data = make_macho(
        ("@rpath/liba.dylib", "/usr/lib/libb.dylib"), name="@rpath/x.dylib", load=load
    )
    file = tmp_path / "x.dylib"
    file.write_bytes(make_fat(data, data) if fat else data)
    told = {
        posixpath.basename(name)
        for header in MachO(str(file)).headers
        for _, _, name in header.walkRelocatables()
    }
    found = facts(file.read_bytes())
    assert found is not None
    assert set(found.needed) == told == {"liba.dylib", "libb.dylib"}
