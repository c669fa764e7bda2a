"""The ELF reader: every class and byte order, damage, and pyelftools as oracle."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.formats.elf import (
    BinaryFacts,
    CompilerSearch,
    holds_compiler,
    read_elf,
    read_versions,
)
from lab.envs import BuiltEnvironment
from tests.guards.elves import make_elf


def facts(data: bytes) -> BinaryFacts | None:
    return read_elf(lambda offset, size: data[offset : offset + size])


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("big", [False, True], ids=["little-endian", "big-endian"])
def test_reads_every_class_and_byte_order(bits: int, big: bool) -> None:
    data = make_elf(
        ("libc.so.6", "libz.so.1"),
        runpath="$ORIGIN/../lib:/opt/lib",
        rpath="$ORIGIN",
        soname="libx.so.2",
        bits=bits,
        big=big,
        machine=21,
        interpreter="/lib/ld.so",
    )
    assert facts(data) == BinaryFacts(
        needed=("libc.so.6", "libz.so.1"),
        rpath=("$ORIGIN",),
        runpath=("$ORIGIN/../lib", "/opt/lib"),
        soname="libx.so.2",
        interpreter="/lib/ld.so",
        machine=21,
        bits=bits,
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"INPUT(-lncursesw)", id="a linker script"),
        pytest.param(b"\x7fELF", id="the magic alone"),
        pytest.param(b"\x7fELF\x07\x01" + b"\0" * 60, id="an unknown class"),
        pytest.param(make_elf(("libc.so.6",))[:100], id="cut short"),
    ],
)
def test_other_files_are_no_elf(data: bytes) -> None:
    assert facts(data) is None


def test_a_file_without_dynamic_section_needs_nothing() -> None:
    data = bytearray(make_elf(()))
    data[64 + 56 : 64 + 60] = b"\6\0\0\0"
    assert facts(bytes(data)) == BinaryFacts(machine=62)


@given(st.binary(max_size=400), st.integers(0, 399))
def test_damage_is_never_a_traceback(noise: bytes, at: int) -> None:
    data = bytearray(make_elf(("libc.so.6",), runpath="$ORIGIN"))
    data[at : at + len(noise)] = noise
    facts(bytes(data))


def test_agrees_with_pyelftools_on_a_real_environment(tiny_env: BuiltEnvironment) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    checked = 0
    spent = 0.0
    for path in sorted(tiny_env.prefix.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        with open(path, "rb") as handle:
            if handle.read(4) != b"\x7fELF":
                continue
        data = path.read_bytes()
        start = time.process_time()
        found = facts(data)
        spent += time.process_time() - start
        expected = oracle(elffile, data)
        assert (found.needed if found else None, found.soname if found else "") == expected, path
        assert versions(data) == oracle_versions(elffile, data), path
        checked += 1
    assert checked > 60
    assert spent / checked < 0.001  # a tenth of that on a quiet machine


def versions(data: bytes) -> list[str]:
    return read_versions(lambda offset, size: data[offset : offset + size])


def oracle_versions(elffile: object, data: bytes) -> list[str]:
    """The symbol versions that pyelftools finds."""
    elf = elffile.ELFFile(io.BytesIO(data))  # type: ignore[attr-defined]
    sections = [s for s in elf.iter_sections() if s["sh_type"] == "SHT_GNU_verneed"]
    needs = [inner for section in sections for _, inner in section.iter_versions()]
    return [version.name for inner in needs for version in inner]


@given(st.binary(max_size=200), st.integers(0, 4000))
def test_versions_of_damaged_files_are_never_a_traceback(noise: bytes, at: int) -> None:
    data = bytearray(make_elf(("libc.so.6",)))
    data[at : at + len(noise)] = noise
    assert isinstance(versions(bytes(data)), list)


def oracle(elffile: object, data: bytes) -> tuple[tuple[str, ...] | None, str]:
    """What pyelftools says."""
    elf = elffile.ELFFile(io.BytesIO(data))  # type: ignore[attr-defined]
    needed: list[str] = []
    soname = ""
    for segment in elf.iter_segments("PT_DYNAMIC"):
        for tag in segment.iter_tags():
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(tag.needed)
            elif tag.entry.d_tag == "DT_SONAME":
                soname = tag.soname
    return tuple(needed), soname


def test_a_random_access_reader_is_asked_for_little(tmp_path: Path) -> None:
    data = make_elf(("libc.so.6",)) + b"\0" * 1_000_000
    asked = []

    def read(offset: int, size: int) -> bytes:
        asked.append(size)
        return data[offset : offset + size]

    assert read_elf(read) is not None
    assert sum(asked) < 1000


@pytest.mark.parametrize("size", [5, 17, 18, 1000])
@pytest.mark.parametrize("marker", [b"-internal-isystem", b"-internal-system"])
def test_a_compiler_is_found_in_passing_as_at_rest(size: int, marker: bytes) -> None:
    data = b"x" * 40 + marker + b"x" * 40
    search = CompilerSearch()
    pieces = [memoryview(data)[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(search.over(pieces)) == data
    assert search.found == holds_compiler(lambda at, step: data[at : at + step], len(data))
    assert search.found == (marker == b"-internal-isystem")
