"""Reads a tar as a stream, member by member, in bounded memory, believing nothing.

Knows ustar, the GNU forms of long names and big numbers, and pax. Members that no environment
needs are refused: devices, pipes, sparse members, links with content. The standard library's
reader is the oracle in the tests.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from zlib import adler32

from condaprune.errors import ArchiveError
from condaprune.model import Buffer
from condaprune.paths import from_bytes
from condaprune.sources.base import (
    LONGEST,
    NO_BODY,
    Body,
    Limits,
    Member,
    clean_path,
    member_error,
)
from condaprune.sources.decompress import ReadAhead, stream_errors

BLOCK = 512
ZEROS = bytes(BLOCK)
_DAMAGED = "The archive is damaged: copy it or pack it again"

_HEADER = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_MOST_EXTENSIONS = 1 << 20
"""The most bytes of long names and pax headers before one member: paths end at 4 KiB, attributes
at 64."""
_USED = frozenset((b"path", b"linkpath", b"size", b"mtime"))
"""The records of a pax header that matter; others are skipped and not kept."""
_SPARSE = b"GNU.sparse."
_LATEST = 253_402_300_799
"""The end of the year 9999 (seconds), which the formats of times end with."""
_EARLIEST = -62_135_596_800
"""The start of the year 1."""

_GNU = {b"L": b"path", b"K": b"linkpath"}
_ATTRIBUTES = (
    b"SCHILY.xattr.user.",
    b"SCHILY.xattr.security.capability",
    b"SCHILY.xattr.system.posix_acl_",
    b"SCHILY.acl.",
)
_REFUSED = {
    b"3": "is a character device",
    b"4": "is a block device",
    b"6": "is a named pipe",
    b"S": "is sparse",
    b"M": "continues a member of another volume",
    b"D": "is a GNU incremental dump of a folder",
    b"V": "is a volume label",
}


class TarStream:
    """The members of one tar.

    *compressed* gives the bytes of the file read so far, for the limit on ratio.
    """

    def __init__(
        self, ahead: ReadAhead, where: str, limits: Limits, compressed: Callable[[], int]
    ) -> None:
        self._ahead, self._where, self._limits = ahead, where, limits
        self._compressed = compressed
        self._error = partial(member_error, where)
        self._clean_path = partial(clean_path, where)
        self._errors = stream_errors()
        self._block: bytes = b""
        self._at = 0
        self._before = 0  # bytes of the blocks before this one
        self._left = 0  # bytes of the current member's content, with padding, not yet read
        self._member = ""
        self._global: dict[bytes, bytes] = {}

    def __iter__(self) -> Iterator[tuple[Member, Body]]:
        """Each member and its content, which must be read before the next member is asked for.

        Errors: `ArchiveError`, naming the member where there is one.
        """
        count = 0
        while True:
            following = self._next()
            if following is None:
                self._finish()
                return
            count += 1
            self._limits.check(self._where, entries=count, member=self._member)
            member, size = following
            self._member = member.path
            self._left = size + (-size % BLOCK)
            yield member, self._pieces(size) if size else NO_BODY
            deque(self._pieces(self._left), maxlen=0)

    def _next(self) -> tuple[Member, int] | None:
        """The next member and the bytes of content that follow it; None at the end."""
        pax: dict[bytes, bytes] = {}
        gnu: dict[bytes, bytes] = {}
        extensions = 0
        while True:
            block = self._take(BLOCK)
            if block == ZEROS:
                if pax or gnu:
                    raise self._damaged("ends after an extension header")
                return None
            try:
                header = parse_header(block)
                kind = header.type
                if kind in b"xgLK" and kind:
                    extensions += BLOCK + header.size
                    if header.size < 0 or extensions > _MOST_EXTENSIONS:
                        raise BadHeader(f"an extension of {extensions:,} bytes")
                    data = self._take(header.size + (-header.size % BLOCK))[: header.size]
                    if kind == b"x":
                        pax.update(parse_pax(data))
                    elif kind == b"g":
                        self._global.update(parse_pax(data))
                    elif text := data.partition(b"\0")[0]:
                        gnu[_GNU[kind]] = text
                    continue
                return self._member_of(header, {**gnu, **self._global, **pax})
            except BadHeader as error:
                raise self._damaged(f"is followed by {error}") from error

    def _member_of(self, header: Header, pax: dict[bytes, bytes]) -> tuple[Member, int]:
        raw = pax.get(b"path", header.name)
        link = pax.get(b"linkpath", header.link)
        kind = header.type
        if kind in _REFUSED or _SPARSE in pax:
            raise self._error(
                raw,
                _REFUSED.get(kind, "is sparse"),
                "Pack the environment again, with conda-pack or with tar without --sparse",
            )
        try:
            size = int(pax[b"size"]) if b"size" in pax else header.size
            mtime = int(float(pax[b"mtime"])) if b"mtime" in pax else header.mtime
        except (ValueError, OverflowError) as error:
            raise self._error(raw, "has a size or time that is not a number") from error
        if size < 0:
            raise self._error(raw, "has a negative size")
        if not _EARLIEST <= mtime <= _LATEST:
            raise self._error(raw, "has a time that is in no calendar")
        name = from_bytes(raw)
        path = self._clean_path(name)
        mode = header.mode & 0o777  # setuid and setgid are dropped
        had = _attributes(pax) if pax else ()
        if kind in b"07\0" and not name.endswith("/"):
            if not path:
                raise self._error(raw, "is a file without a name")
            return Member(path, "file", size, mode, mtime, "", "", had), size
        if kind not in b"0\x00125":
            raise self._error(raw, f"has the unknown type {from_bytes(kind)!r}")
        if size and kind in b"12":
            raise self._error(raw, "is a link with content")
        if kind == b"1":
            linked = self._clean_path(from_bytes(link))
            return Member(path, "file", 0, mode, mtime, linked=linked), 0
        if kind == b"2":
            if not link or b"\0" in link:
                raise self._error(raw, "is a link without a target")
            if len(link) > LONGEST:
                raise self._error(raw, f"is a link whose target has more than {LONGEST} bytes")
            return Member(path, "link", len(link), mode, mtime, from_bytes(link)), 0
        return Member(path, "folder", 0, mode, mtime, "", "", had), size

    def _pieces(self, size: int) -> Iterator[Buffer]:
        """The next *size* bytes."""
        while size:
            if self._at == len(self._block):
                self._more()
            end = min(self._at + size, len(self._block))
            whole = self._at == 0 and end == len(self._block)
            piece = self._block if whole else memoryview(self._block)[self._at : end]
            size -= len(piece)
            self._left -= len(piece)
            self._at = end
            yield piece

    def _take(self, size: int) -> bytes:
        """The next *size* bytes in one."""
        end = self._at + size
        if end > len(self._block):
            return b"".join(self._pieces(size))
        data = self._block[self._at : end]
        self._at = end
        return data

    def _more(self) -> None:
        """The next block of the stream. Errors: `ArchiveError` at its end."""
        if not self._read():
            raise self._damaged("is cut off: the archive ends early")

    def _read(self) -> bool:
        self._before += len(self._block)
        try:
            self._block = self._ahead.read()
        except self._errors as error:
            raise self._damaged(f"cannot be read: {error}") from error
        self._at = 0
        self._limits.check(
            self._where,
            size=self._before + len(self._block),
            packed=self._compressed(),
            member=self._member,
        )
        return bool(self._block)

    def _finish(self) -> None:
        """Read on to the end of the stream, so that its own checksum is verified."""
        while self._read():
            pass

    def _damaged(self, what: str) -> ArchiveError:
        if self._member:
            return self._error(self._member, what, _DAMAGED)
        return ArchiveError(f"the start of the archive {what}", where=self._where, remedy=_DAMAGED)


def _attributes(pax: Mapping[bytes, bytes]) -> tuple[tuple[str, bytes], ...]:
    """The name of an extended attribute of the file itself among these records, if there is one."""
    names = (key.removeprefix(b"SCHILY.xattr.") for key in pax if key.startswith(_ATTRIBUTES))
    name = next(names, None)
    return () if name is None else ((from_bytes(name[:255]), b""),)


class BadHeader(ValueError):
    """A block that is not a tar header, or has a field that is not a number."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header that matter, as bytes and numbers."""

    name: bytes
    mode: int
    size: int
    mtime: int
    type: bytes
    link: bytes


def parse_header(block: bytes) -> Header:
    """The header in one block. Errors: `BadHeader`."""
    (name, mode, _, _, size, mtime, check, kind, link, magic, _, _, _, _, prefix) = _HEADER.unpack(
        block
    )
    expected = number(check)
    if expected != byte_sum(block) - sum(check) + 256 and expected != _signed_sum(block):
        raise BadHeader("a wrong checksum")
    name = name.partition(b"\0")[0]
    if magic == b"ustar\x0000":
        prefix = prefix.partition(b"\0")[0]
        if prefix:
            name = prefix + b"/" + name
    return Header(name, number(mode), number(size), number(mtime), kind, link.partition(b"\0")[0])


def byte_sum(block: bytes) -> int:
    """The sum of a block's bytes: Adler-32 counts it in its lower half (plus 1, modulo 65521), in
    a tenth of the time that ``sum`` takes. 256 bytes stay below the modulus."""
    return (adler32(block[:256]) & 0xFFFF) + (adler32(block[256:]) & 0xFFFF) - 2


def _signed_sum(block: bytes) -> int:
    """The checksum as some old writers computed it, over signed bytes."""
    values: tuple[int, ...] = struct.unpack("148b8x356b", block)
    return 256 + sum(values)


def number(field: bytes) -> int:
    """A number as tar holds it: octal, or base 256 when the first bit is set.

    Errors: `BadHeader`.
    """
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        if field[0] & 0x40:
            value -= 1 << (8 * len(field) - 1)
        return value
    text = field.strip(b" \0")
    if text.strip(b"01234567"):
        raise BadHeader("a field that is not a number")
    return int(text or b"0", 8)


def parse_pax(data: bytes) -> dict[bytes, bytes]:
    """The records of a pax header that matter; one of a sparse member is there as `_SPARSE`, and of
    extended attributes the name of the first, without its value.

    Errors: `BadHeader`.
    """
    records: dict[bytes, bytes] = {}
    at, plain = 0, True
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        digits = data[at:space]
        if space < 0 or not digits.isdigit():
            if not data[at:].strip(b"\0"):
                break
            raise BadHeader("a pax record without a length")
        end = at + int(digits)
        equals = data.find(b"=", space + 1, end)
        if equals < 0 or end > len(data) or data[end - 1 : end] != b"\n":
            raise BadHeader("a pax record whose length is wrong")
        key = data[space + 1 : equals]
        if key in _USED:
            records[key] = data[equals + 1 : end - 1]
        elif key.startswith(_SPARSE):
            records[_SPARSE] = b""
        elif plain and key.startswith(_ATTRIBUTES):
            records[key], plain = b"", False
        at = end
    return records
