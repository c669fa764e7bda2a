"""Writes a zip: members compressed in threads, with Unix modes, exact times and any name."""

from __future__ import annotations

import posixpath
import struct
import time
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import BinaryIO

from condaprune.errors import SinkError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.outputs.compress import thread_count
from condaprune.sinks.outputs.times import EARLIEST
from condaprune.sources.members import CHUNK, Body, Member

DEFAULT_LEVEL = 6
_SMALL = 8 << 20
"""Members up to this many bytes are compressed whole, several at a time."""
_AHEAD_BYTES = 32 << 20
_MAX32 = 0xFFFFFFFF
_LATEST = 4_354_819_198  # 2107-12-31 23:59:58
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_MAX_LINKS = 40


@dataclass(frozen=True, slots=True)
class _Item:
    """One line of the central directory; `offset` is that of the local header."""

    name: bytes
    attributes: int
    mtime: int
    method: int = 0
    crc: int = 0
    packed: int = 0
    size: int = 0
    offset: int = 0


class ZipWriter:
    """Writes to *file*, which can be read and sought, from its start on.

    With *symlinks* links are stored as links, as Info-ZIP does; without, a link becomes a copy of
    what it points at (its compressed bytes are copied, not made again).
    """

    def __init__(
        self, file: BinaryIO, root: str, level: int, threads: int, *, symlinks: bool
    ) -> None:
        self.name = f"deflate -{level} (zlib {zlib.ZLIB_RUNTIME_VERSION})"
        self._file = file
        self._root = f"{root}/" if root else ""
        self._level = level
        self._symlinks = symlinks
        count = thread_count(threads)
        self._pool = ThreadPoolExecutor(count, "condaprune-zip")
        self._pending: deque[tuple[str, _Item, Future[tuple[int, int, bytes]]]] = deque()
        self._most = 4 * count
        self._waiting = 0
        self._items: dict[str, _Item] = {}
        self._links: dict[str, Member] = {}
        self._at = 0

    def add(self, member: Member, body: Body) -> None:
        """Write one member. Errors: `SinkError`."""
        if member.linked:
            self._drain()
            self._copy(member.path, self._items[member.linked])
        elif member.kind == "folder":
            self._drain()
            item = self._item(member.path + "/", 0o040000 | member.mode, member.mtime)
            self._store(member.path, replace(item, attributes=item.attributes | 0x10), b"")
        elif member.kind == "link":
            if self._symlinks:
                self._drain()
                item = self._item(member.path, 0o120777, member.mtime)
                self._store(member.path, item, to_bytes(member.target))
            else:
                self._links[member.path] = member
        elif member.size <= _SMALL:
            self._add_small(member, body)
        else:
            self._drain()
            self._add_big(member, body)

    def finish(self) -> None:
        """Write the copies for links, then the central directory. Errors: `SinkError`."""
        self._drain()
        self._pool.shutdown()
        for path in self._links:
            for name, item in self._reached(path):
                self._copy(name, item)
        start = self._at
        for item in self._items.values():
            self._write(_central(item))
        self._write(_end(len(self._items), start, self._at - start))

    def abort(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _item(self, path: str, mode: int, mtime: int) -> _Item:
        return _Item(to_bytes(self._root + path), mode << 16, min(max(mtime, EARLIEST), _LATEST))

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._at += len(data)

    def _store(self, path: str, item: _Item, data: bytes) -> None:
        self._put(path, item, (zlib.crc32(data), len(data), data))

    def _put(self, path: str, item: _Item, packed: tuple[int, int, bytes]) -> None:
        crc, size, data = packed
        if len(data) < size:
            item = replace(item, method=8)
        item = replace(item, crc=crc, size=size, packed=len(data), offset=self._at)
        self._write(_local(item))
        self._write(data)
        self._items[path] = item

    def _add_small(self, member: Member, body: Body) -> None:
        held = bytearray()  # not join: pieces may share a buffer
        for piece in body:
            held += piece
        data = bytes(held)
        _check_size(member, len(data))
        item = self._item(member.path, 0o100000 | member.mode, member.mtime)
        self._pending.append((member.path, item, self._pool.submit(_deflate, data, self._level)))
        self._waiting += len(data)
        while len(self._pending) > self._most or self._waiting > _AHEAD_BYTES:
            self._take()

    def _take(self) -> None:
        path, item, future = self._pending.popleft()
        packed = future.result()
        self._waiting -= packed[1]
        self._put(path, item, packed)

    def _drain(self) -> None:
        while self._pending:
            self._take()

    def _add_big(self, member: Member, body: Body) -> None:
        """A member that does not fit in memory: its header is completed afterwards."""
        item = self._item(member.path, 0o100000 | member.mode, member.mtime)
        item = replace(item, method=8, size=member.size, offset=self._at)
        head = len(_local(item))
        self._write(bytes(head))
        packer = zlib.compressobj(self._level, zlib.DEFLATED, -15)
        crc = size = 0
        for piece in body:
            crc = zlib.crc32(piece, crc)
            size += len(piece)
            self._write(packer.compress(piece))
        _check_size(member, size)
        self._write(packer.flush())
        item = replace(item, crc=crc, packed=self._at - item.offset - head)
        if item.packed > _MAX32 >= item.size:
            raise SinkError("does not fit in a zip", where=printable(member.path))
        self._file.seek(item.offset)
        self._file.write(_local(item))
        self._file.seek(self._at)
        self._items[member.path] = item

    def _copy(self, path: str, item: _Item) -> None:
        """A member with the content of another."""
        start = item.offset + len(_local(item))
        name = to_bytes(self._root + path) + (b"/" if item.attributes & 0x10 else b"")
        new = replace(item, name=name, offset=self._at)
        self._write(_local(new))
        left = item.packed
        while left:
            self._file.seek(start + item.packed - left)
            piece = self._file.read(min(left, CHUNK))
            self._file.seek(self._at)
            self._write(piece)
            left -= len(piece)
        self._items[path] = new

    def _reached(self, path: str) -> list[tuple[str, _Item]]:
        """The files and folders that a link stands for. Errors: `SinkError` for a dangling one."""
        real = self._resolve(path)
        found = [
            (path + name[len(real) :], item)
            for name, item in self._items.items()
            if name == real or name.startswith(real + "/")
        ]
        inner = [name for name in self._links if name.startswith(real + "/")]
        if not found or path.startswith(real + "/") or not real:
            raise SinkError(
                f"the link points at {printable(self._links[path].target)!r}, which is not in the "
                "archive or around the link, and cannot be stored as a copy",
                where=printable(path),
                remedy="Store links as links with --zip-symlinks, or choose a tar format",
            )
        for name in inner:
            found += [
                (path + name[len(real) :] + below[len(name) :], item)
                for below, item in self._reached(name)
            ]
        return [(name, item) for name, item in found if name not in self._items]

    def _resolve(self, path: str) -> str:
        """The path without any link in it; empty where it leads out or around."""
        for _ in range(_MAX_LINKS):
            parts = path.split("/")
            for end in range(1, len(parts) + 1):
                member = self._links.get("/".join(parts[:end]))
                if member is not None:
                    folder = "/".join(parts[: end - 1])
                    path = posixpath.normpath(posixpath.join(folder, member.target, *parts[end:]))
                    break
            else:
                return path
            if path.startswith(("/", "..")):
                return ""
        return ""


def _check_size(member: Member, size: int) -> None:
    if size != member.size:
        raise SinkError(
            "the file changed while it was packed",
            where=printable(member.path),
            remedy="Let nothing write to the environment meanwhile, and start again",
        )


def _deflate(data: bytes, level: int) -> tuple[int, int, bytes]:
    """Checksum, size and compressed bytes; the bytes themselves where they are the smaller ones."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return zlib.crc32(data), len(data), packed if len(packed) < len(data) else data


def _fields(item: _Item) -> tuple[int, int, int]:
    """Flags, time and date of an entry, in the form of DOS."""
    t = time.gmtime(item.mtime)
    date = (t.tm_year - 1980) << 9 | t.tm_mon << 5 | t.tm_mday
    try:
        flags = 0 if item.name.isascii() or not item.name.decode() else 0x800
    except UnicodeDecodeError:
        flags = 0
    return flags, t.tm_hour << 11 | t.tm_min << 5 | min(t.tm_sec, 59) // 2, date


def _unix_time(item: _Item) -> bytes:
    """The time to the second, in UTC: DOS times are local and even."""
    if item.mtime > 0x7FFFFFFF:
        return b""
    return struct.pack("<HHBi", 0x5455, 5, 1, item.mtime)


def _local(item: _Item) -> bytes:
    flags, clock, date = _fields(item)
    extra = _unix_time(item)
    size, packed, version = item.size, item.packed, 20
    if size >= _MAX32:
        extra += struct.pack("<HHQQ", 1, 16, size, packed)
        size = packed = _MAX32
        version = 45
    head = _LOCAL.pack(
        b"PK\x03\x04", version, flags, item.method, clock, date, item.crc, packed, size,
        len(item.name), len(extra),
    )  # fmt: skip
    return head + item.name + extra


def _central(item: _Item) -> bytes:
    flags, clock, date = _fields(item)
    extra = _unix_time(item)
    size, packed, offset, version = item.size, item.packed, item.offset, 20
    wide: list[int] = []
    if size >= _MAX32:
        wide += [size, packed]
        size = packed = _MAX32
    if offset >= _MAX32:
        wide.append(offset)
        offset = _MAX32
    if wide:
        extra += struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide)
        version = 45
    head = _CENTRAL.pack(
        b"PK\x01\x02", 3 << 8 | version, version, flags, item.method, clock, date, item.crc,
        packed, size, len(item.name), len(extra), 0, 0, 0, item.attributes, offset,
    )  # fmt: skip
    return head + item.name + extra


def _end(count: int, start: int, size: int) -> bytes:
    """The end of the archive, in the wide form where the plain one has no room."""
    wide = b""
    if count >= 0xFFFF or start >= _MAX32 or size >= _MAX32:
        wide = struct.pack(
            "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 3 << 8 | 45, 45, 0, 0, count, count, size, start
        ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
    return wide + struct.pack(
        "<4sHHHHIIH", b"PK\x05\x06", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF),
        min(size, _MAX32), min(start, _MAX32), 0,
    )  # fmt: skip
