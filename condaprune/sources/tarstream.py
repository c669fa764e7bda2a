"""Reads a tar as a stream, member by member, in bounded memory, believing nothing.

Knows ustar, the GNU forms of long names and big numbers, and pax. Members that no environment
needs are refused: devices, pipes, sparse members, links with content. The standard library's
reader is the oracle in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from condaprune.errors import ArchiveError
from condaprune.model import Kind
from condaprune.paths import from_bytes
from condaprune.sources.decompress import ReadAhead, stream_errors
from condaprune.sources.members import (
    NO_BODY,
    Body,
    Limits,
    Member,
    clean_path,
    member_error,
)
from condaprune.sources.tarheader import (
    BLOCK,
    ZEROS,
    BadHeader,
    Header,
    parse_header,
    parse_pax,
)

_MAX_NAME = 1 << 20
"""The most bytes of a long name or pax header: paths end at 4 KiB."""

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
            found = self._next()
            if found is None:
                self._finish()
                return
            count += 1
            self._limits.check(self._where, entries=count, member=self._member)
            member, size = found
            self._member = member.path
            self._left = size + (-size % BLOCK)
            yield member, self._content(size) if size else NO_BODY
            if self._left:
                self._skip(self._left)

    def _next(self) -> tuple[Member, int] | None:
        """The next member and the bytes of content that follow it; None at the end."""
        pax: dict[bytes, bytes] = {}
        long_name = long_link = b""
        while True:
            block = self._take(BLOCK)
            if block == ZEROS:
                if pax or long_name or long_link:
                    raise self._damaged("ends after an extension header")
                return None
            try:
                header = parse_header(block)
                kind = header.type
                if kind in b"xgLK" and kind:
                    if not 0 <= header.size <= _MAX_NAME:
                        raise BadHeader(f"an extension of {header.size:,} bytes")
                    data = self._take(header.size + (-header.size % BLOCK))[: header.size]
                    if kind == b"x":
                        pax.update(parse_pax(data))
                    elif kind == b"g":
                        self._global.update(parse_pax(data))
                    elif kind == b"L":
                        long_name = data.partition(b"\0")[0]
                    else:
                        long_link = data.partition(b"\0")[0]
                    continue
                known = {**self._global, **pax} if self._global else pax
                return self._member_of(header, known, long_name, long_link)
            except BadHeader as error:
                raise self._damaged(f"is followed by {error}") from error

    def _member_of(
        self, header: Header, pax: dict[bytes, bytes], long_name: bytes, long_link: bytes
    ) -> tuple[Member, int]:
        raw = pax.get(b"path", long_name or header.name)
        link = pax.get(b"linkpath", long_link or header.link)
        kind = header.type
        if kind in _REFUSED or any(key.startswith(b"GNU.sparse.") for key in pax):
            raise member_error(
                self._where,
                raw,
                _REFUSED.get(kind, "is sparse"),
                "Pack the environment again, with conda-pack or with tar without --sparse",
            )
        try:
            size = int(pax[b"size"]) if b"size" in pax else header.size
            mtime = int(float(pax[b"mtime"])) if b"mtime" in pax else header.mtime
        except (ValueError, OverflowError) as error:
            raise member_error(
                self._where, raw, "has a size or time that is not a number"
            ) from error
        if size < 0:
            raise member_error(self._where, raw, "has a negative size")
        name = from_bytes(raw)
        path = clean_path(self._where, name)
        mode = header.mode & 0o777  # setuid and setgid are dropped
        if kind in b"07\0" and not name.endswith("/"):
            if not path:
                raise member_error(self._where, raw, "is a file without a name")
            return Member(path, "file", size, mode, mtime), size
        if kind not in b"0\x00125":
            raise member_error(self._where, raw, f"has the unknown type {from_bytes(kind)!r}")
        if size and kind in b"12":
            raise member_error(self._where, raw, "is a link with content")
        if kind == b"1":
            return Member(
                path, "file", 0, mode, mtime, "", clean_path(self._where, from_bytes(link))
            ), 0
        if kind == b"2":
            if not link or b"\0" in link:
                raise member_error(self._where, raw, "is a link without a target")
            return Member(path, "link", len(link), mode, mtime, from_bytes(link)), 0
        folder: Kind = "folder"
        return Member(path, folder, 0, mode, mtime), size

    def _content(self, size: int) -> Iterator[bytes | memoryview]:
        while size:
            if self._at == len(self._block):
                self._more()
            end = min(self._at + size, len(self._block))
            whole = self._at == 0 and end == len(self._block)
            piece = self._block if whole else memoryview(self._block)[self._at : end]
            size -= end - self._at
            self._left -= end - self._at
            self._at = end
            yield piece

    def _take(self, size: int) -> bytes:
        """Exactly *size* bytes."""
        end = self._at + size
        if end <= len(self._block):
            data = self._block[self._at : end]
            self._at = end
            return data
        parts: list[bytes] = []
        while size:
            if self._at == len(self._block):
                self._more()
            part = self._block[self._at : self._at + size]
            parts.append(part)
            self._at += len(part)
            size -= len(part)
        return b"".join(parts)

    def _skip(self, size: int) -> None:
        while size:
            if self._at == len(self._block):
                self._more()
            step = min(size, len(self._block) - self._at)
            self._at += step
            self._left -= step
            size -= step

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
        remedy = "The archive is damaged: copy it or pack it again"
        if self._member:
            return member_error(self._where, self._member, what, remedy)
        return ArchiveError(f"the start of the archive {what}", where=self._where, remedy=remedy)
