"""Archives: headers of tar and zip, compressed streams, and environments packed in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from condaprune.errors import CondapruneError
from condaprune.formats.unpack_list import rewrite_unpack, unpack_records
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Limits
from fuzz.mutate import Mutator
from fuzz.target import Cost, Target

_BLOCK = 512
_LIMITS = Limits(entries=20_000, size=8 << 20, ratio=300, ratio_from=1 << 20)
_CONTENT = 8 << 20
"""What a compressed archive may unpack to here, whatever its own size."""
_COST = Cost(memory=64 << 20, memory_per_byte=16)
_STREAM_COST = Cost(seconds=3 + Cost().seconds_per_mib * 8, memory=400 << 20)
"""Compressed: what counts is what it unpacks to; bzip2 and xz hold windows besides."""


def read_archive(data: bytes, place: str) -> object:
    """Read every member of an archive, its content, and the files that guards ask for."""
    Path(place).write_bytes(data)
    source = ArchiveSource(place, _LIMITS)
    count = 0
    try:
        entries = source.inventory().entries
    except CondapruneError:
        # Without a folder conda-meta there is no inventory, but headers were read.
        raise
    for entry, _, body in source.stream():
        count += sum(map(len, body))
        assert ".." not in entry.path.split("/"), entry.path
        assert not entry.path.startswith("/"), entry.path
        assert abs(entry.mtime_ns) < 1 << 68, entry.mtime_ns
    files = [path for path, entry in entries.items() if entry.kind == "file"]
    for _ in source.read_many(files[:20]):
        pass
    return min(len(entries), 3)


def header(
    name: bytes, kind: bytes = b"0", size: int = 0, link: bytes = b"", mtime: int = 0
) -> bytes:
    """One header block of a tar."""
    fields = (
        name.ljust(100, b"\0")[:100] + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size
        + b"%011o\0" % mtime + b" " * 8 + kind + link.ljust(100, b"\0")[:100]
        + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
    )  # fmt: skip
    return _with_sum(fields)


def _with_sum(block: bytes) -> bytes:
    block = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def member(name: bytes, data: bytes = b"", kind: bytes = b"0") -> bytes:
    """A header with its content, padded."""
    return header(name, kind, len(data)) + data + bytes(-len(data) % _BLOCK)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """A pax header."""
    rows = b""
    for key, value in records:
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest) + len(str(len(rest)))
        rows += b"%d" % (length + len(str(length)) - len(str(len(rest)))) + rest
    return member(b"pax", rows, kind)


def _tar(*parts: bytes) -> bytes:
    return member(b"conda-meta/history", b"# cmd\n") + b"".join(parts) + bytes(2 * _BLOCK)


def tars() -> Sequence[bytes]:
    """Small archives of each form of header."""
    sparse = ((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"s"))
    return (
        _tar(
            member(b"lib/a", b"content"),
            header(b"lib/l", b"2", 0, b"a"),
            header(b"h", b"1", 0, b"lib/a"),
        ),
        _tar(pax((b"path", b"lib/" + b"n" * 120), (b"mtime", b"1.5")), member(b"cut", b"more")),
        _tar(pax((b"comment", b"x"), (b"mtime", b"1e300"), kind=b"g"), member(b"lib/b", b"b")),
        _tar(member(b"@", b"g" * 130 + b"\0", b"L"), member(b"x", b"data")),
        _tar(member(b"@", b"g/" * 130 + b"\0", b"K"), header(b"x", b"2")),
        _tar(pax((b"size", b"3")), member(b"x", b"abc")),
        _tar(pax((b"linkpath", b"../" * 40 + b"a")), header(b"lib/deep", b"2")),
        _tar(pax(*sparse), member(b"GNUSparseFile.0/s", b"1\n0\n3\n".ljust(512, b"\0") + b"abc")),
        _tar(header(b"d/", b"5"), member(b"d/" * 400 + b"f"), header(b"s", b"S", 3)),
        _tar(*(header(b"l%d" % n, b"2", 0, b"l%d" % (n + 1)) for n in range(45))),
        _tar(
            header(b"loop", b"2", 0, b"loop/" * 15),
            member(b"bin/conda-unpack", b"_prefix_records = []\n"),
        ),
    )


_WORDS = (
    *(pax((b"path", b"lib/p")), pax((b"linkpath", b"p" * 3000)), pax((b"mtime", b"-1e300"))),
    *(pax((b"size", b"99999999999")), pax((b"key", b"v"), kind=b"g"), header(b"d/", b"5")),
    *(member(b"@", b"a/" * 2000, b"L"), member(b"@", b"../" * 1000, b"K"), header(b"f", b"6")),
    *(header(b"l", b"2", 0, b"../" * 30), header(b"h", b"1", 0, b"lib/a"), bytes(512)),
    *(
        b"GNU.sparse.map",
        b"GNU.sparse.realsize",
        b"\x80" + b"\xff" * 11,
        b"\xff" * 12,
        b"77777777777",
    ),
)


def _change_tar(mutator: Mutator, data: bytes) -> bytes:
    """Another tar, in most cases with checksums that are right again."""
    random = mutator.random
    if random.random() < 0.4:  # whole blocks: members dropped, repeated, moved
        blocks = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)]
        for _ in range(random.choice((1, 2, 5))):
            at = random.randrange(len(blocks) + 1)
            some = [random.choice(_WORDS)] * random.choice((1, 1, 1, 40))
            blocks[at : at + random.randrange(2)] = random.choice(
                (some, blocks[at - 2 : at + 2], [])
            )
        data = b"".join(blocks)
    if random.random() < 0.7:
        data = mutator.change(data)
    if random.random() < 0.1:
        return data
    fixed = bytearray(data)
    for at in range(0, len(fixed) - _BLOCK + 1, _BLOCK):
        if fixed[at + 257 : at + 262] == b"ustar":
            fixed[at : at + _BLOCK] = _with_sum(bytes(fixed[at : at + _BLOCK]))
    return bytes(fixed)


def streams() -> Sequence[bytes]:
    """Compressed tars of each kind."""
    import zstandard

    plain = tars()[0]
    return (
        *(gzip.compress(plain, mtime=0), bz2.compress(plain), lzma.compress(plain)),
        *(zstandard.compress(plain), zstandard.compress(plain) + zstandard.compress(bytes(9))),
        *(gzip.compress(plain[:2000], mtime=0) + gzip.compress(plain[2000:], mtime=0),),
        *(gzip.compress(tar, mtime=0) for tar in tars()[1:]),
        *(
            gzip.compress(_tar(member(b"z", bytes(1 << 20))), mtime=0),
            lzma.compress(bytes(1 << 20)),
        ),
    )


def _change_stream(mutator: Mutator, data: bytes) -> bytes:
    """Damage in the compressed bytes, or another tar compressed whole."""
    import zstandard

    if mutator.random.random() < 0.5:
        return mutator.change(data)
    tar = _change_tar(mutator, mutator.random.choice(tars()))
    tar += mutator.random.choice((b"", bytes(1 << 20), bytes(_CONTENT)))
    packed = mutator.random.choice((partial(gzip.compress, mtime=0), zstandard.compress))(tar)
    return packed if mutator.random.random() < 0.8 else mutator.change(packed)


def zips() -> Sequence[bytes]:
    """Small zips: each method, a link, another code page, an extra field, a comment."""
    out = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr(zipfile.ZipInfo("conda-meta/history"), b"# cmd\n", method)
            archive.writestr(zipfile.ZipInfo("lib/a"), b"content" * 30, method)
            link = zipfile.ZipInfo("lib/l")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            link.extra = b"UT\x05\x00\x01" + bytes(4)
            archive.writestr(link, b"a")
            archive.comment = b"c"
        out.append(buffer.getvalue())
    return out


_LIST = b"""#!/usr/bin/env python
_prefix_records = [
 ('bin/a', '/opt/placeholder', 'text'),
 ("lib/b\\udc80", '/opt/placeholder', 'binary'), ('c', 'p', "text")]
print("x")
"""


def read_list(data: bytes, _place: str) -> object:
    """Read the list of a conda-unpack script, and shorten it."""
    records = unpack_records(data)
    paths = {path for path, _, _ in records}
    for keep in (set[str](), paths, set(sorted(paths)[::2])):
        shorter = rewrite_unpack(data, keep)
        assert unpack_records(shorter) == [row for row in records if row[0] in keep]
    return min(len(records), 5)


def lists() -> Sequence[bytes]:
    """Scripts with lists."""
    return (
        _LIST,
        _LIST.replace(b"\n", b"\r\n"),
        b"# coding: latin-1\n" + _LIST,
        b"_prefix_records = []",
    )


def deep_tar(levels: int) -> bytes:
    """An archive of so many folders in each other."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("conda-meta/history"))
        archive.addfile(tarfile.TarInfo("d/" * levels + "f"))
    return out.getvalue()


TAR = Target("tar", read_archive, tars, _WORDS, _change_tar, _COST, most=1 << 18)
STREAM = Target("stream", read_archive, streams, (), _change_stream, _STREAM_COST, most=1 << 18)
ZIP = Target(
    "zip", read_archive, zips, (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"),
    cost=_STREAM_COST,
)  # fmt: skip
UNPACK_LIST = Target("unpack-list", read_list, lists, (b"('a', 'b', 'text'), ", b"[", b"\\\n"))
