"""The parts of ELF files that pass by say what the files say, however the stream is cut."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.formats.elf import read_elf
from condaprune.sources import cache
from condaprune.sources.cache import elf_parts
from lab.envs.model import BuiltEnvironment
from tests.guards.elves import make_elf

ELF = make_elf(("libc.so.6", "libz.so.1"), runpath="$ORIGIN", soname="libx.so.2")
HEAD = 64


def facts(parts):
    """What the parts say; a part that was not kept is an error."""

    def read(offset, size):
        if offset + size <= HEAD:
            return parts[0, HEAD][offset : offset + size]
        return parts[offset, size]

    return read_elf(read)


def cut(data, size):
    return [memoryview(data)[at : at + size] for at in range(0, len(data), size)]


def whole(data):
    return read_elf(lambda offset, size: data[offset : offset + size])


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
@pytest.mark.parametrize("padding", [0, 100_000], ids=["a small file", "a large one"])
def test_pieces_of_any_size(size, padding):
    data = ELF + bytes(padding)
    parts = elf_parts(iter(cut(data, size)), HEAD)
    assert parts is not None
    assert facts(parts) == whole(data)
    assert facts(parts).needed == ("libc.so.6", "libz.so.1")
    assert sum(map(len, parts.values())) < 2 * len(ELF)


@given(st.integers(0, len(ELF) - 1), st.binary(min_size=1, max_size=8), st.integers(1, 300))
def test_damage_and_lies_say_the_same_in_passing(at, patch, size):
    """A part of which some has gone by is None or the same; never something else."""
    data = (ELF[:at] + patch + ELF[at + len(patch) :])[: len(ELF)]
    for file in (data, data[: at + 1]):
        parts = elf_parts(iter(cut(file, size)), HEAD)
        assert parts is None or facts(parts) == whole(file)


@pytest.mark.parametrize("start", [64, 256, 1 << 20])
def test_names_behind_what_points_at_them_need_no_start(monkeypatch, start):
    """auditwheel moves names to the end of a file: they are caught as they pass."""
    monkeypatch.setattr(cache, "_START", start)
    parts = elf_parts(iter(cut(ELF, 16)), HEAD)
    assert parts is None or facts(parts) == whole(ELF)
    assert parts is not None or start < len(ELF)


def test_a_part_that_is_too_large_is_not_kept(monkeypatch):
    monkeypatch.setattr(cache, "_LARGEST_PART", 8)
    assert elf_parts(iter([ELF[:80], ELF[80:]]), HEAD) is None


def test_a_file_of_many_interpreters_is_given_up_soon():
    """Each lies where nothing has passed yet: to begin again for each would take hours."""
    count, start = 60_000, 64
    rows = b"".join(
        struct.pack("<IIQQQQQQ", 3, 4, (16 << 20) + n * 4096, 0, 0, 4096, 4096, 1)
        for n in range(count)
    )
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, start, 0, 0, 64, 56, count, 0, 0, 0)
    begun = time.process_time()
    assert elf_parts(iter(cut(head + rows + bytes(20 << 20), 1 << 20)), HEAD) is None
    assert time.process_time() - begun < 5


def test_real_libraries(small_env: BuiltEnvironment):
    seen = 0
    for path in sorted(Path(small_env.prefix, "lib").rglob("*.so*")):
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if data[:4] != b"\x7fELF":
            continue
        parts = elf_parts(iter(cut(data, 1 << 20)), HEAD)
        assert parts is not None, path
        assert facts(parts) == whole(data), path
        seen += 1
    assert seen > 50
