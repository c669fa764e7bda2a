"""Reads a zip member by member, in the order of its data, in bounded memory."""

from __future__ import annotations

import calendar
import contextlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from copy import copy
from functools import partial
from typing import BinaryIO, cast

from condaprune.errors import ArchiveError
from condaprune.paths import from_bytes
from condaprune.sources.base import (
    CHUNK,
    LONGEST,
    NO_BODY,
    Body,
    Limits,
    Member,
    clean_path,
    member_error,
)
from condaprune.sources.decompress import Reader, Streams, open_bzip2, stream_errors

_REMEDY = "Copy or pack the archive again"
_UTF8 = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UNIX = 3
_LARGEST_WINDOW = 1 << 27
"""The largest window that LZMA may ask for (bytes), as for xz."""
_UNIX_TIME = 0x5455
_NO_TIME = 315_532_800  # 1980-01-01


class ZipStream:
    """The members of one zip."""

    def __init__(self, file: BinaryIO, where: str, limits: Limits) -> None:
        self._where, self._limits = where, limits
        self._error = partial(member_error, where)
        # RuntimeError: also NotImplementedError, for unknown methods.
        self._errors: tuple[type[Exception], ...] = (
            *(*stream_errors(), zipfile.BadZipFile, struct.error),
            *(RuntimeError, MemoryError),
        )
        try:
            self._zip = zipfile.ZipFile(file)
        except self._errors as error:
            raise ArchiveError(
                f"not a usable zip archive: {error}",
                where=where,
                remedy="It is cut off, damaged or in several parts: copy it or pack it again",
            ) from error
        self._size = file.seek(0, 2)

    def __iter__(self) -> Iterator[tuple[Member, Body]]:
        """Each member and its content, as `TarStream` gives them. Errors: `ArchiveError`."""
        infos = sorted(self._zip.infolist(), key=lambda info: info.header_offset)
        total = sum(info.file_size for info in infos)
        self._limits.check(self._where, entries=len(infos), size=total, packed=self._size)
        for info in infos:
            yield self._member(info)

    def _member(self, info: zipfile.ZipInfo) -> tuple[Member, Body]:
        name = _name(info)
        if info.flag_bits & _ENCRYPTED:
            raise self._error(name, "is encrypted", "Decrypt the archive before you prune it")
        path = clean_path(self._where, name)
        unix = info.external_attr >> 16 if info.create_system == _UNIX else 0
        kind = stat.S_IFMT(unix)
        mtime = _time(info)
        if kind == stat.S_IFLNK:
            if info.file_size > LONGEST:
                raise self._error(name, "is a link with too long a target")
            target = b"".join(self._content(info, name))
            if not target or b"\0" in target:
                raise self._error(name, "is a link without a target")
            return Member(path, "link", len(target), 0o777, mtime, from_bytes(target)), NO_BODY
        if name.endswith("/"):
            return Member(path, "folder", 0, unix & 0o777 or 0o755, mtime), NO_BODY
        if kind not in (0, stat.S_IFREG):
            raise self._error(name, "is not a file, a folder or a link")
        if not path:
            raise self._error(name, "is a file without a name")
        mode = unix & 0o777 or 0o644
        return Member(path, "file", info.file_size, mode, mtime), self._content(info, name)

    def _content(self, info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
        left = info.file_size
        try:
            with self._open(info) as stream:
                while left and (piece := stream.read(min(CHUNK, left + 1))):
                    left -= len(piece)
                    if left < 0:
                        break
                    yield piece
                else:
                    stream.read(1)  # the end, where zipfile compares the checksum
        except self._errors as error:
            raise self._error(name, f"cannot be read: {error}", _REMEDY) from error
        if left:
            raise self._error(name, "has another size than it says", _REMEDY)

    def _open(self, info: zipfile.ZipInfo) -> contextlib.AbstractContextManager[Reader]:
        """The content of a member, decompressed as it is read."""
        if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return self._zip.open(info)
        if info.compress_type not in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            raise NotImplementedError(f"compressed by the unknown method {info.compress_type}")
        # zipfile decompresses these without a bound: a megabyte to terabytes, in memory.
        raw = copy(info)
        raw.compress_type, raw.file_size = zipfile.ZIP_STORED, info.compress_size
        del raw.CRC
        return self._unpacked(info, raw)

    @contextlib.contextmanager
    def _unpacked(self, info: zipfile.ZipInfo, raw: zipfile.ZipInfo) -> Iterator[Reader]:
        with self._zip.open(raw) as packed:
            open_it = open_bzip2 if info.compress_type == zipfile.ZIP_BZIP2 else _open_lzma
            yield _Checked(open_it(cast("BinaryIO", packed)), info)


class _Checked:
    """Reads a member, and compares its checksum once all of it has been read."""

    def __init__(self, reader: Reader, info: zipfile.ZipInfo) -> None:
        self._reader, self._left, self._expected = reader, info.file_size, info.CRC
        self._sum = 0

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end of the member. Errors: `BadZipFile`."""
        data = self._reader.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        self._sum = zlib.crc32(data, self._sum)
        if data and not self._left and self._sum != self._expected:
            raise zipfile.BadZipFile("Bad CRC-32")
        return data


def _open_lzma(packed: BinaryIO) -> Reader:
    """The bytes of a member that LZMA compressed (format: APPNOTE.TXT of PKWARE, 5.8)."""
    import lzma

    _, size = struct.unpack("<HH", packed.read(4))
    numbers, window = struct.unpack("<BI", packed.read(size)[:5])
    if window > _LARGEST_WINDOW:
        raise zipfile.BadZipFile(f"a window of {window:,} bytes")
    lc, rest = numbers % 9, numbers // 9
    form = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": rest % 5, "pb": rest // 5, "dict_size": window}
    make = partial(lzma.LZMADecompressor, lzma.FORMAT_RAW, filters=[form])
    return Streams(packed, make, None)


def _time(info: zipfile.ZipInfo) -> int:
    """A member's time in seconds: the exact one that Unix tools add, or that of DOS as UTC."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == _UNIX_TIME and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            return int(struct.unpack_from("<i", extra, 5)[0])
        extra = extra[4 + size :]
    try:
        return calendar.timegm((*info.date_time, 0, 1, 0))
    except ValueError:
        return _NO_TIME  # some tools write months and days of 0


def _name(info: zipfile.ZipInfo) -> str:
    """A member's name as its bytes say it: zipfile takes names without a flag for code page 437."""
    name = info.orig_filename
    if info.flag_bits & _UTF8:
        return name
    try:
        return from_bytes(name.encode("cp437"))
    except UnicodeEncodeError:
        return name
