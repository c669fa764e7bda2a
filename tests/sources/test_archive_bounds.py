"""What an archive may ask of its reader: names, headers, depth, times, memory."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from condaprune.errors import ArchiveError, SourceError
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Limits, Member
from condaprune.sources.index import Index
from condaprune.sources.tarstream import parse_pax

from .archives import header, member, tar


def pax(key: bytes, value: bytes, kind: bytes = b"x") -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + len(str(len(rest)))
    length += len(str(length)) - len(str(len(rest)))
    return member(b"pax", b"%d" % length + rest, kind=kind)


def deep(levels: int) -> bytes:
    return member(b"@", b"d/" * levels + b"f\0", kind=b"L") + member(b"f")


def open_archive(tmp_path: Path, data: bytes, limits: Limits | None = None) -> ArchiveSource:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    return ArchiveSource(str(path), limits)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(pax(b"linkpath", b"a/" * 50_000) + header(b"l", b"2"), "target", id="target"),
        pytest.param(
            member(b"@", b"a" * 5000, kind=b"K") + header(b"l", b"2"), "target", id="GNU target"
        ),
        pytest.param(pax(b"path", b"a" * 5000) + member(b"f"), "4096 bytes", id="name"),
        pytest.param(deep(257), "more than 256 folders", id="depth"),
        pytest.param(pax(b"mtime", b"1e300") + member(b"f"), "calendar", id="time"),
        pytest.param(pax(b"mtime", b"-inf") + member(b"f"), "not a number", id="endless time"),
        pytest.param(pax(b"mtime", b"nan") + member(b"f"), "not a number", id="no time"),
        pytest.param(pax(b"size", b"-1") + member(b"f"), "negative size", id="negative size"),
        pytest.param(
            pax(b"GNU.sparse.size", b"99") + member(b"f"), "is sparse", id="sparse by a pax header"
        ),
        pytest.param(
            pax(b"GNU.sparse.major", b"1", b"g") + member(b"f"), "is sparse", id="sparse, for all"
        ),
        pytest.param(header(b"f", b"S"), "is sparse", id="sparse, of old GNU"),
        pytest.param(
            pax(b"comment", b"x" * 600_000) * 2 + member(b"f"), "extension", id="headers in all"
        ),
        pytest.param(
            b"".join(member(b"@", b"%d/" % n + b"d/" * 250, kind=b"L") + member(b"f")
                     for n in range(90)),
            "too long for so few files",
            id="folders without members",
        ),
    ],
)  # fmt: skip
def test_it_is_refused_by_name(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(ArchiveError, match=what):
        open_archive(tmp_path, tar(member(b"lib/a"), data)).inventory()


def test_what_lies_deep_but_not_too_deep_is_read(tmp_path: Path) -> None:
    entries = open_archive(tmp_path, tar(deep(200))).inventory().entries
    assert "d/" * 200 + "f" in entries


def test_of_pax_headers_only_what_is_used_is_kept() -> None:
    def record(key: bytes, value: bytes) -> bytes:
        return b"%d %s=%s\n" % (len(key) + len(value) + 5, key, value)

    data = record(b"unused" + b"k" * 50, b"v" * 9) + record(b"mtime", b"12345")
    assert parse_pax(data) == {b"mtime": b"12345"}


def test_names_count_towards_the_limit_on_members(tmp_path: Path) -> None:
    long = b"".join(
        member(b"@", b"%d" % n + b"x" * 4000, kind=b"L") + member(b"f") for n in range(20)
    )
    assert open_archive(tmp_path, tar(long)).inventory()
    with pytest.raises(ArchiveError, match=r"bytes of names.*--max-entries"):
        open_archive(tmp_path, tar(long), Limits(entries=100)).inventory()


def test_folders_without_members_count_as_members(tmp_path: Path) -> None:
    data = tar(*(member(b"%d/f" % n) for n in range(60)))
    assert open_archive(tmp_path, data, Limits(entries=200)).inventory()
    with pytest.raises(ArchiveError, match="more than 100 members"):
        open_archive(tmp_path, data, Limits(entries=100)).inventory()


def test_a_chain_of_hard_links_is_followed_as_it_is_read() -> None:
    index = Index("x", Limits())
    index.add(Member("conda-meta/history", "file", 0, 0o644, 0))
    index.add(Member("h0", "file", 3, 0o644, 0))
    for number in range(1, 50_000):
        linked = f"h{number - 1}"
        index.add(Member(f"h{number}", "file", 0, 0o644, 0, linked=linked))
    assert index.content_of("h49999") == "h0"
    _, entries = index.finish()
    assert entries["h49999"].identity == entries["h0"].identity
    assert entries["h0"].links == 50_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "LZMA"])
def test_members_of_a_zip_are_decompressed_piece_by_piece(tmp_path: Path, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("conda-meta/history", b"")
        archive.writestr("lib/text", b"some text " * 1000)
        with archive.open("lib/zeros", "w") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
    source = open_archive(tmp_path, out.getvalue())
    source.inventory()
    assert source.read("lib/text") == b"some text " * 1000
    tracemalloc.start()
    size = sum(len(piece) for _, _, body in source.stream() for piece in body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == (64 << 20) + 10_000
    assert peak < 16 << 20  # the window of LZMA is 8 MiB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "LZMA"])
def test_damage_in_a_zip_is_found_by_its_checksum(tmp_path: Path, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("conda-meta/history", b"")
        archive.writestr("lib/text", b"some text")
        good = archive.getinfo("lib/text").CRC.to_bytes(4, "little")
    source = open_archive(tmp_path, out.getvalue().replace(good, b"\0\0\0\0"))
    with pytest.raises(ArchiveError, match=r"lib/text.*CRC"):
        source.read("lib/text")


@pytest.mark.parametrize("kind", ["FIFO", "device"])
def test_an_archive_is_a_regular_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.tar"
    if kind == "FIFO":
        os.mkfifo(path)
    elif os.geteuid() == 0:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    else:
        pytest.skip("making a device takes root")
    with pytest.raises(SourceError, match="not a regular file"):
        ArchiveSource(str(path))
