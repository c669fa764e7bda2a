"""What is kept of an archive on its first pass: planning needs no other, and sees the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from condaprune.api import plan
from condaprune.sources import cache
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Body, Member
from condaprune.sources.prefix import PrefixSource
from lab.envs.fixtures import Packer
from tests.guards.elves import make_elf
from tests.sinks.outputs.helpers import pack
from tests.sources.archives import header, member, tar
from tests.trees import SITE, Link, make_prefix

ELF = make_elf(("libc.so.6",), soname="libx.so.1")
FILES = {
    f"{SITE}/m.py": b"import os\n" * 100,
    f"{SITE}/m.pyi": b"x: int\n",
    f"{SITE}/lone.pyc": b"\0" * 900,
    f"{SITE}/p-1.dist-info/entry_points.txt": b"[console_scripts]\n",
    f"{SITE}/data.bin": os.urandom(200_000),
    "etc/conda/deactivate.d/x.sh": b"unset X\n",
    "bin/script": b"#!/bin/sh\n" + b"echo\n" * 2000,
    "bin/blob": b"\0blob" * 9000,
    "lib/libx.so.1": ELF + bytes(300_000),
    "lib/libx.so": Link("libx.so.1"),
    "lib/text.so": b"INPUT(-lx)",
}


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often archives are read through, or begun to be."""
    counted: list[int] = []
    through = ArchiveSource._members

    def members(self: ArchiveSource) -> Iterator[tuple[Member, Body]]:
        counted.append(1)
        return through(self)

    monkeypatch.setattr(ArchiveSource, "_members", members)
    return counted


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    root = make_prefix(tmp_path / "env", FILES)
    for name in ("bin/script", "bin/blob"):
        (root / name).chmod(0o755)
    os.link(root / SITE / "m.py", root / SITE / "same.py")
    return root


@pytest.mark.parametrize("form", ["tar.gz", "tar", "zip"])
@pytest.mark.parametrize("most", [cache._MOST, 0], ids=["all that is wanted", "nothing"])
@pytest.mark.parametrize("arcroot", ["", "around"])
def test_contents_are_those_of_the_prefix(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, form: str, most: int, arcroot: str
) -> None:
    monkeypatch.setattr(cache, "_MOST", most)
    pack(prefix, prefix.parent / f"o.{form}", arcroot=arcroot)
    source, there = ArchiveSource(str(prefix.parent / f"o.{form}")), PrefixSource(str(prefix))
    files = [path for path in FILES if there.inventory().entries[path].kind == "file"]
    files.append(f"{SITE}/same.py")
    assert dict(source.read_many(files)) == dict(there.read_many(files))
    for path in files:
        assert source.read(path) == there.read(path)
        for offset, size in ((0, 64), (0, 4096), (3000, 5000), (1 << 30, 9)):
            assert source.read_part(path, offset, size) == there.read_part(path, offset, size)


def test_what_guards_read_costs_no_other_pass(prefix: Path, passes: list[int]) -> None:
    pack(prefix, prefix.parent / "o.tar")
    source = ArchiveSource(str(prefix.parent / "o.tar"))
    wanted = [path for path in FILES if not path.endswith(("data.bin", "libx.so"))]
    assert source.holds(wanted)
    assert not source.holds([f"{SITE}/data.bin"])
    texts = [path for path in wanted if "libx" not in path and "blob" not in path]
    assert dict(source.read_many(texts)) == {path: FILES[path] for path in texts}
    assert source.read_part("lib/libx.so.1", 0, 4096) == (ELF + bytes(4096))[:4096]
    assert len(passes) == 1
    assert source.read(f"{SITE}/data.bin") == FILES[f"{SITE}/data.bin"]
    assert len(passes) == 2


def test_what_is_forgotten_can_still_be_read(prefix: Path, passes: list[int]) -> None:
    pack(prefix, prefix.parent / "o.tar")
    source = ArchiveSource(str(prefix.parent / "o.tar"))
    before = source.read(f"{SITE}/m.py")
    source.forget()
    assert not source.holds([f"{SITE}/m.py"])
    assert source.read(f"{SITE}/m.py") == before
    assert len(passes) == 2


def test_kept_content_takes_the_memory_of_what_it_is_packed_to(tmp_path: Path) -> None:
    """zstandard's compress returns bytes that keep the room for the worst case."""
    import tracemalloc

    text = b"import os\n" * 300_000
    path = tmp_path / "o.tar"
    path.write_bytes(tar(*(member(b"lib/%d.py" % n, text) for n in range(10))))
    tracemalloc.start()
    source = ArchiveSource(str(path))
    source.inventory()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert source.holds(["lib/9.py"])
    assert held < len(text)


def test_of_a_repeated_member_the_last_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "o.tar"
    path.write_bytes(
        tar(
            member(b"bin/conda-unpack", b"#!first" + bytes(900)),
            member(b"bin/conda-unpack", b"#!second"),
            member(b"lib/a.py", b"1"),
            header(b"lib/b.py", b"1", 0, b"lib/a.py"),
        )
    )
    source = ArchiveSource(str(path))
    assert source.read("bin/conda-unpack") == b"#!second"
    assert source.read("lib/b.py") == b"1"
    assert source.holds(["lib/b.py"])


@pytest.mark.parametrize("limit", ["_MOST", "_LARGEST"])
def test_a_plan_needs_one_pass_and_is_the_same_where_nothing_is_kept(
    packed_tiny: Packer, passes: list[int], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    archive = packed_tiny("tar.gz").archive
    one = plan(archive)
    assert len(passes) == 1
    monkeypatch.setattr(cache, limit, 3000)
    other = plan(archive)
    assert len(passes) == 3
    assert one.decisions == other.decisions
    assert one.edits == other.edits
