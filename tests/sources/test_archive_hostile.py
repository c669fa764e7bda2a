"""Hostile and broken archives: a typed error that names the member, and nothing else happens."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import zstandard

from condaprune.errors import CondapruneError
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Limits

from .archives import BLOCK, header, member, pax, standard_tar, tar, zipped


def link_info(name: str, kind: int = stat.S_IFLNK) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def flagged(flag: int) -> bytes:
    """A zip whose one member has a general purpose flag set."""
    data = bytearray(zipped([("bad", b"abc")]))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        where = data.rindex(magic)
        data[where + at] |= flag
    return bytes(data)


def lying_zip(size: int) -> bytes:
    """A zip whose last member says another size in the central directory."""
    data = bytearray(zipped([("bad", b"abc" * 100)]))
    where = data.rindex(b"PK\x01\x02")
    data[where + 24 : where + 28] = size.to_bytes(4, "little")
    return bytes(data)


NOISE = os.urandom(5000)
SOUND = tar(member(b"lib/a", NOISE))

HOSTILE = {
    "an absolute name": (tar(member(b"/etc/bad")), "bad"),
    "an absolute name in a pax header": (tar(pax(path=b"/etc/bad"), member(b"x")), "bad"),
    "an absolute name in a GNU header": (
        tar(member(b"@", b"/etc/bad\0", kind=b"L"), member(b"x")),
        "bad",
    ),
    "an absolute name through the prefix": (tar(member(b"bad", prefix=b"/etc")), "bad"),
    "a name that climbs": (tar(member(b"lib/../../bad")), "bad"),
    "a name that climbs and comes back": (tar(member(b"lib/../bad")), "bad"),
    "a folder that climbs": (tar(header(b"../bad/", b"5")), "bad"),
    "no name": (tar(member(b"")), "no name"),
    "a file named as the root": (
        tar(member(b"./")[:BLOCK].replace(b"./", b"./"), member(b".")),
        ".",
    ),
    "a NUL byte in a name": (tar(pax(path=b"a\0bad"), member(b"x")), "NUL"),
    "a name longer than any path": (tar(pax(path=b"bad/" * 2000 + b"x"), member(b"x")), "bad"),
    "a symbolic link that climbs out": (tar(header(b"lib/bad", b"2", 0, b"../../x")), "lib/bad"),
    "an absolute symbolic link": (tar(header(b"bad", b"2", 0, b"/etc/passwd")), "bad"),
    "a link out through another link": (
        tar(
            header(b"a/b/c/down", b"2", 0, b"../.."),
            header(b"bad", b"2", 0, b"a/b/c/down/../../x"),
        ),
        "bad",
    ),
    "a symbolic link without a target": (tar(header(b"bad", b"2")), "bad"),
    "a member below a link": (tar(header(b"d", b"2", 0, b"lib"), member(b"d/bad")), "d/bad"),
    "a member below a file": (tar(member(b"d"), member(b"d/bad")), "d/bad"),
    "a folder that becomes a link": (
        tar(member(b"bad/x"), header(b"bad", b"2", 0, b"lib")),
        "bad",
    ),
    "a hard link out of the root": (tar(header(b"bad", b"1", 0, b"../x")), "x"),
    "an absolute hard link": (tar(header(b"bad", b"1", 0, b"/etc/passwd")), "passwd"),
    "a hard link to a later member": (
        tar(header(b"bad", b"1", 0, b"later"), member(b"later")),
        "bad",
    ),
    "a hard link to itself": (tar(header(b"bad", b"1", 0, b"bad")), "bad"),
    "a hard link to a folder": (tar(header(b"d/", b"5"), header(b"bad", b"1", 0, b"d")), "bad"),
    "a hard link with content": (
        tar(member(b"a"), member(b"bad", b"x", kind=b"1", link=b"a")),
        "bad",
    ),
    "a script twice that has another name": (
        tar(
            member(b"bin/activate", b"1"),
            header(b"bin/other", b"1", 0, b"bin/activate"),
            member(b"bin/activate", b"2"),
        ),
        "bin/activate",
    ),
    "a file twice": (tar(member(b"bad", b"1"), member(b"bad", b"2")), "bad"),
    "a file and a folder of one name": (tar(member(b"bad"), header(b"bad/", b"5")), "bad"),
    "a character device": (tar(header(b"bad", b"3")), "bad"),
    "a block device": (tar(header(b"bad", b"4")), "bad"),
    "a named pipe": (tar(header(b"bad", b"6")), "bad"),
    "a GNU sparse member": (tar(member(b"bad", b"x", kind=b"S")), "bad"),
    "a pax sparse member": (
        tar(pax(**{"GNU.sparse.major": b"1", "path": b"bad"}), member(b"x", b"x")),
        "bad",
    ),
    "an unknown type": (tar(header(b"bad", b"Z")), "bad"),
    "a volume label": (tar(header(b"bad", b"V")), "bad"),
    "a size that is no number": (tar(member(b"lib/a"), header(b"x", size_field=b"zzz")), "lib/a"),
    "a size in a pax header that is no number": (tar(pax(size=b"1e9"), member(b"bad")), "bad"),
    "a negative size": (tar(header(b"bad", size_field=b"\xff" * 12)), "bad"),
    "a huge size in base 256": (
        tar(header(b"bad", size_field=b"\x80" + bytes(3) + b"\x7f" * 8)),
        "bad",
    ),
    "a size beyond the end": (tar(header(b"bad", size=10_000_000)), "bad"),
    "a wrong checksum": (tar(member(b"lib/a"), header(b"x", checksum=b"000000\0 ")), "lib/a"),
    "a pax header with a wrong length": (tar(member(b"p", b"99 path=x\n", kind=b"x")), "history"),
    "a pax header without a length": (tar(member(b"p", b"path=x\n", kind=b"x")), "history"),
    "a pax header that is too long": (tar(header(b"p", b"x", size=1 << 30)), "history"),
    "a long name that is too long": (tar(header(b"p", b"L", size=1 << 32)), "history"),
    "an extension header before the end": (tar(pax(path=b"x")), "history"),
    "no end": (tar(member(b"bad", b"x"), end=b""), "bad"),
    "half an end block": (tar(member(b"bad", b"x"), end=bytes(100)), "bad"),
    "an end within a header": (tar(member(b"bad"), end=header(b"x")[:300]), "bad"),
    "an end within content": (tar(end=header(b"bad", size=600) + b"x" * 100), "bad"),
    "no environment in it": (member(b"lib/a") + bytes(1024), "conda-meta"),
    "nothing in it": (b"", "empty"),
    "something else": (b"GIF89a" + bytes(2000), "neither"),
    "one byte": (b"x", "neither"),
    "a squashfs image": (b"hsqs" + bytes(2000), "squashfs"),
    "a gzip of something else": (gzip.compress(b"hello"), ""),
    "a cut gzip": (gzip.compress(SOUND)[:-2000], ""),
    "a gzip without its checksum": (gzip.compress(SOUND)[:-4], ""),
    "a gzip with a wrong checksum": (gzip.compress(SOUND)[:-8] + b"x" * 8, ""),
    "a damaged gzip": (gzip.compress(SOUND)[:500] + b"?" * 500 + gzip.compress(SOUND)[1000:], ""),
    "a gzip with a name of a megabyte": (
        b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (1 << 20) + b"\0" + gzip.compress(SOUND)[10:-9],
        "",
    ),
    "a cut bzip2": (bz2.compress(SOUND)[:-100], ""),
    "a damaged bzip2": (bz2.compress(SOUND)[:200] + b"?" * 50, ""),
    "a cut xz": (lzma.compress(SOUND)[:-100], ""),
    "a damaged xz": (lzma.compress(SOUND)[:100] + b"?" * 50 + lzma.compress(SOUND)[150:], ""),
    "a cut zstd": (zstandard.compress(SOUND)[:-2500], ""),
    "a damaged zstd": (zstandard.compress(SOUND)[:50] + b"?" * 60, ""),
    "a zstd with a window of gigabytes": (b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(50), ""),
    "a zip with an absolute name": (zipped([("/etc/bad", b"")]), "bad"),
    "a zip with a name that climbs": (zipped([("../bad", b"")]), "bad"),
    "a zip with a link that leaves": (zipped([(link_info("bad"), b"../x")]), "bad"),
    "a zip with a link of too long a target": (zipped([(link_info("bad"), b"x" * 5000)]), "bad"),
    "a zip with a link without a target": (zipped([(link_info("bad"), b"")]), "bad"),
    "a zip with a device": (zipped([(link_info("bad", stat.S_IFCHR), b"")]), "bad"),
    "an encrypted zip": (flagged(0x1), "encrypted"),
    "a cut zip": (zipped([("bad", NOISE)])[:-30], ""),
    "a zip of several disks": (b"PK\x07\x08" + zipped([])[:-18] + b"\1" * 18, ""),
    "a zip member that is longer than it says": (lying_zip(10), "bad"),
    "a zip member that is shorter than it says": (lying_zip(10_000), "bad"),
    "a damaged zip member": (zipped([("bad", b"abc")]).replace(b"abc", b"abd"), "bad"),
    "a zip with unknown compression": (
        zipped([("bad", b"abc")]).replace(b"\x14\0\0\0\0\0", b"\x14\0\0\0\x63\0"),
        "",
    ),
}


def read_all(path: Path, limits: Limits | None = None) -> None:
    """Read an archive as a run does: the inventory, then all contents."""
    for _, _, body in ArchiveSource(str(path), limits).stream():
        for _ in body:
            pass


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in HOSTILE.items()])
def test_is_refused_and_the_member_is_named(case: tuple[bytes, str], tmp_path: Path) -> None:
    data, named = case
    path = tmp_path / "archive"
    path.write_bytes(data)
    with pytest.raises(CondapruneError) as caught:
        read_all(path)
    assert caught.value.exit_code == 2
    assert named in str(caught.value)
    assert caught.value.remedy
    assert sorted(os.listdir(tmp_path)) == ["archive"]


@pytest.mark.parametrize(
    ("limits", "option"),
    [
        pytest.param(Limits(entries=2), "--max-entries", id="too many members"),
        pytest.param(Limits(size=100_000), "--max-size", id="too many bytes"),
        pytest.param(Limits(ratio=50, ratio_from=100_000), "--max-ratio", id="a bomb"),
    ],
)
@pytest.mark.parametrize("form", ["tar.gz", "tar.zst", "zip"])
def test_limits_name_their_option(limits: Limits, option: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    if form == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("conda-meta/history", "b", "c"):
                archive.writestr(name, bytes(1_000_000))
    else:
        data = tar(member(b"b", bytes(10_000_000)), member(b"c"))
        compress = gzip.compress if form == "tar.gz" else zstandard.compress
        path.write_bytes(compress(data))
    read_all(path)
    with pytest.raises(CondapruneError, match=option):
        read_all(path, limits)


def test_links_out_can_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar(header(b"certs", b"2", 0, b"/etc/ssl/certs")))
    source = ArchiveSource(str(path), Limits(links_out=True))
    assert source.inventory().entries["certs"].target == "/etc/ssl/certs"


SOUND_ONES = {
    "links that run in circles": tar(header(b"a", b"2", 0, b"b"), header(b"b", b"2", 0, b"a")),
    "a dangling link": tar(header(b"a", b"2", 0, b"lib/nothing")),
    "a link to the root": tar(header(b"lib/a", b"2", 0, b"..")),
    "a folder twice": tar(header(b"d/", b"5"), header(b"d/", b"5"), member(b"d/x")),
    "names that begin with a dot": tar(member(b"./lib/a"), member(b".hidden"), member(b"..x")),
    "names that hold control characters": tar(member(b"a\nb\x1b[31m")),
    "names that are no UTF-8": tar(member(b"\xff\xfe")),
    "names that differ in case only": tar(member(b"lib/A"), member(b"lib/a")),
    "a member after a long GNU name": tar(
        member(b"@", b"n" * 300 + b"\0", kind=b"L"), member(b"x", b"data")
    ),
    "a long GNU link": tar(
        member(b"@", b"n" * 300 + b"\0", kind=b"K"), header(b"x", b"2", 0, b"n" * 99)
    ),
    "a hard link to a link": tar(header(b"a", b"2", 0, b"lib"), header(b"b", b"1", 0, b"a")),
    "a repeated bin/conda-unpack": tar(
        member(b"bin/conda-unpack", b"_prefix_records = []\n"),
        member(b"bin/conda-unpack", b"_prefix_records = [\n]\n"),
    ),
    "a global pax header": tar(
        member(b"g", b"20 comment=something"[:19] + b"\n", kind=b"g"), member(b"a")
    ),
    "an old tar": member(b"conda-meta/history", magic=bytes(8)) + bytes(1024),
    "zeros after the end": tar(member(b"a"), end=bytes(50_000)),
    "a tar by the standard library": standard_tar(["lib/" + "x" * 200, "lib/é"]),
}


@pytest.mark.parametrize("data", [pytest.param(d, id=name) for name, d in SOUND_ONES.items()])
def test_what_is_sound_is_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    read_all(path)


def test_the_last_conda_unpack_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(SOUND_ONES["a repeated bin/conda-unpack"])
    source = ArchiveSource(str(path))
    assert source.read("bin/conda-unpack") == b"_prefix_records = [\n]\n"
    assert [e.path for e, _, _ in source.stream()].count("bin/conda-unpack") == 1


def test_setuid_bits_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar(member(b"su", mode=b"0006755")))
    assert ArchiveSource(str(path)).inventory().entries["su"].mode == 0o755


def test_a_zip_with_data_descriptors_is_read(tmp_path: Path) -> None:
    class Unseekable:
        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += bytes(data)
            return len(data)

        def flush(self) -> None:
            pass

    out = Unseekable()
    with zipfile.ZipFile(out, "w") as archive:  # type: ignore[call-overload]
        archive.writestr("conda-meta/history", b"")
        archive.writestr("lib/a", b"abc")
    path = tmp_path / "a.zip"
    path.write_bytes(out.data)
    assert ArchiveSource(str(path)).read("lib/a") == b"abc"


def test_an_archive_that_changes_between_passes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar(member(b"lib/a", b"one")))
    source = ArchiveSource(str(path))
    source.inventory()
    path.write_bytes(tar(member(b"lib/b", b"one")))
    with pytest.raises(CondapruneError, match="changed"):
        list(source.stream())


@pytest.mark.parametrize(
    "name", ["an absolute name", "a cut gzip", "a link out through another link", "something else"]
)
def test_the_command_line_ends_with_2_and_writes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "in.tar").write_bytes(HOSTILE[name][0])
    run = subprocess.run(
        [sys.executable, "-m", "condaprune", "in.tar", "-o", "out.tar.zst"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    assert os.listdir(tmp_path) == ["in.tar"]
