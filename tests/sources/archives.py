"""Makes archives byte by byte, good ones and hostile ones."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Sequence

BLOCK = 512


def header(
    name: bytes,
    kind: bytes = b"0",
    size: int = 0,
    link: bytes = b"",
    *,
    mode: bytes = b"0000644",
    size_field: bytes | None = None,
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
    checksum: bytes | None = None,
) -> bytes:
    """One header block, with fields as wrong as asked for."""
    block = b"".join(
        (
            name.ljust(100, b"\0")[:100],
            mode.ljust(8, b"\0"),
            b"0000000\0" * 2,
            (size_field if size_field is not None else b"%011o" % size).ljust(12, b"\0"),
            b"00000000000\0",
            b" " * 8,
            kind,
            link.ljust(100, b"\0")[:100],
            magic,
            bytes(64),
            b"0000000\0" * 2,
            prefix.ljust(167, b"\0"),
        )
    )
    assert len(block) == BLOCK
    check = b"%06o\0 " % sum(block) if checksum is None else checksum
    return block[:148] + check + block[156:]


def member(name: bytes, data: bytes = b"", **fields: object) -> bytes:
    """A header with its content, padded."""
    return header(name, size=len(data), **fields) + data + bytes(-len(data) % BLOCK)  # type: ignore[arg-type]


def pax(**records: bytes) -> bytes:
    """A pax extension header."""
    rows = b""
    for key, value in records.items():
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = len(rest) + len(str(len(rest)))
        length += len(str(length)) - len(str(len(rest)))
        rows += b"%d" % length + rest
    return member(b"pax", rows, kind=b"x")


def tar(*parts: bytes, end: bytes = bytes(2 * BLOCK)) -> bytes:
    """A tar of an otherwise sound environment."""
    return member(b"conda-meta/history") + b"".join(parts) + end


def zipped(rows: Sequence[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    """A zip of an otherwise sound environment."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("conda-meta/history", b"")
        for info, data in rows:
            archive.writestr(info, data)
    return out.getvalue()


def standard_tar(names: Sequence[str], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar as the standard library writes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name in ("conda-meta/history", *names):
            info = tarfile.TarInfo(name)
            info.size = 3
            info.mtime = 1_700_000_000.5  # type: ignore[assignment]
            archive.addfile(info, io.BytesIO(b"abc"))
    return out.getvalue()
