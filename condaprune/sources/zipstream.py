"""Reads a zip member by member, in the order of its data, in bounded memory."""

from __future__ import annotations

import calendar
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from condaprune.errors import ArchiveError
from condaprune.paths import from_bytes
from condaprune.sources.base import CHUNK, NO_BODY, Body, Limits, Member, clean_path, member_error

_REMEDY = "Copy or pack the archive again"
_UTF8 = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UNIX = 3
_MAX_TARGET = 4096
_UNIX_TIME = 0x5455
_NO_TIME = 315_532_800  # 1980-01-01


class ZipStream:
    """The members of one zip."""

    def __init__(self, file: BinaryIO, where: str, limits: Limits) -> None:
        self._where, self._limits = where, limits
        self._error = partial(member_error, where)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
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
            if info.file_size > _MAX_TARGET:
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
            with self._zip.open(info) as stream:
                while piece := stream.read(CHUNK):
                    left -= len(piece)
                    if left < 0:
                        break
                    yield piece
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            RuntimeError,  # also NotImplementedError: unknown compression
        ) as error:
            raise self._error(name, f"cannot be read: {error}", _REMEDY) from error
        if left:
            raise self._error(name, "has another size than it says", _REMEDY)


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
