"""A cache of what guards read of an archive, filled on its first pass: planning needs no other.

Texts are held whole, and of programs and libraries the parts that `read_binary` asks for, all
compressed in memory, up to a limit. What does not fit, or is asked for unexpectedly, costs a pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from condaprune.formats.binary import MAGICS, read_binary
from condaprune.formats.elf import LEAST_COMPILER, CompilerSearch
from condaprune.model import Buffer
from condaprune.sources.base import Body, Member
from condaprune.sources.kinds import Kinds

_HEAD = 4096
_LARGEST = 8 << 20
"""The largest text that is kept."""
_MOST = 64 << 20
"""How many compressed bytes are kept."""
_BATCH = 1 << 19

_START = 8 << 20
"""How much of the start of a binary is held while it passes: names lie there, unless a tool moved
them to the end, where they come after what points at them."""
_LARGEST_PART = 8 << 20
"""The largest part of a binary that is kept: names of symbols take megabytes in large libraries."""
_MOST_PARTS = 16
"""No honest file has more parts: one table, one interpreter, one dynamic section, its names."""

_Rows = tuple[tuple[int, int, int], ...]


class _Place(NamedTuple):
    """Where content lies: in which batch, and from where to where there.

    `parts` describes a file that is not kept whole: the offset, the size asked for and the size
    there is of each part, which lie one after the other.
    """

    batch: int
    start: int
    end: int
    parts: _Rows | None


class Cache:
    """Contents by the path of their member, of the kinds of files that guards read."""

    def __init__(self) -> None:
        self._kinds = Kinds()
        self._places: dict[str, _Place] = {}
        self._batches: list[bytes] = []
        self._open = bytearray()
        self._size = 0
        self.compilers: dict[str, bool] = {}
        """Large libraries, and whether they have a compiler in them."""
        self._latest: tuple[int, bytes] = (-1, b"")
        self._pack, self._unpack = _codec()

    def offer(self, member: Member, body: Body, *, needed: bool) -> None:
        """Keep what guards may read of the next member with content; with *needed* all of it."""
        if needed:
            self._add(member.path, body)
        elif member.size and self._size < _MOST:
            kind = self._kinds.of(member.path, member.mode)
            if kind is not None and kind.form == "binary":
                self._add_binary(member, iter(body))
            elif kind is not None and member.size <= _LARGEST:
                self._add(member.path, body)

    def _add_binary(self, member: Member, pieces: Iterator[Buffer]) -> None:
        head = b""
        while len(head) < _HEAD and (piece := next(pieces, None)) is not None:
            head += piece
        if head[:4] in MAGICS:
            search = CompilerSearch()
            pieces = chain([head], pieces)
            if member.size >= LEAST_COMPILER:
                pieces = search.over(pieces)
            parts = elf_parts(pieces, _HEAD)
            if member.size >= LEAST_COMPILER:
                deque(pieces, maxlen=0)
                self.compilers[member.path] = search.found
        elif head.startswith(b"#!") or member.size <= _HEAD:
            if member.size <= _LARGEST:
                self._add(member.path, chain([head], pieces))
            return
        else:
            parts = {(0, _HEAD): head[:_HEAD]}
        if parts is not None:
            rows = tuple((offset, size, len(data)) for (offset, size), data in parts.items())
            self._add(member.path, parts.values(), rows)

    def _add(self, path: str, pieces: Iterable[Buffer], parts: _Rows | None = None) -> None:
        start = len(self._open)
        for piece in pieces:
            self._open += piece
        self._places[path] = _Place(len(self._batches), start, len(self._open), parts)
        if len(self._open) >= _BATCH:
            self.close()

    def close(self) -> None:
        """Pack what is still unpacked: nothing is offered any more, or read for a while."""
        self._latest = (-1, b"")
        if self._open:
            # A copy: zstandard's own keeps the memory that it took before it knew the size.
            packed = bytes(memoryview(self._pack(bytes(self._open))))
            self._size += len(packed)
            self._batches.append(packed)
            self._open = bytearray()

    def forget(self) -> None:
        """Free the memory: whatever is read from now on costs a pass."""
        self._places.clear()
        self._batches.clear()
        self._latest = (-1, b"")

    def whole(self, path: str) -> bool:
        """Whether a file is kept whole."""
        place = self._places.get(path)
        return place is not None and place.parts is None

    def holds(self, path: str) -> bool:
        """Whether a file, or the part of it that matters, is kept."""
        return path in self._places

    def in_order(self, paths: Collection[str]) -> list[str]:
        """Paths that are kept, sorted so that nothing is unpacked twice."""
        return sorted(paths, key=self._places.__getitem__)

    def read(self, path: str) -> bytes:
        """The content of a file that is kept whole."""
        place = self._places[path]
        return self._batch(place.batch)[place.start : place.end]

    def part(self, path: str, offset: int, size: int) -> bytes | None:
        """A part of a file that is kept; None where that part is not."""
        place = self._places[path]
        batch = self._batch(place.batch)
        if place.parts is None:
            return batch[place.start : place.end][offset : offset + size]
        at = place.start
        for begin, asked, length in place.parts:
            if begin <= offset and offset + size <= begin + asked:
                return batch[at : at + length][offset - begin : offset - begin + size]
            at += length
        return None

    def _batch(self, number: int) -> bytes:
        if number == len(self._batches):
            return b""  # only empty files came after the last batch
        if number != self._latest[0]:
            self._latest = number, self._unpack(self._batches[number])
        return self._latest[1]


def elf_parts(pieces: Iterable[Buffer], head: int) -> dict[tuple[int, int], bytes] | None:
    """The parts that `read_binary` asks for of the file in *pieces*, by offset and size asked for
    (there may be less where the file ends), and its first *head* bytes.

    None where a part has passed unseen or is too large. Not all pieces need be taken.
    """
    stream = _PassingFile(pieces)
    while len(stream.start) < head and stream.advance():
        pass
    try:
        read_binary(stream.read)
    except _Lost:
        return None
    parts = {(0, head): bytes(stream.start[:head])}
    parts |= {place: data for place, data in stream.parts.items() if sum(place) > head}
    return parts


class _Lost(Exception):
    """A part has passed, or is not worth its memory."""


class _PassingFile:
    """A file in pieces; its start, the parts asked for, and the latest piece are held."""

    def __init__(self, pieces: Iterable[Buffer]) -> None:
        self.start = bytearray()
        self.parts: dict[tuple[int, int], bytes] = {}
        self._pieces = iter(pieces)
        self._piece: Buffer = b""
        self._at = 0  # where the latest piece begins

    def advance(self) -> bool:
        """Take the next piece; false at the end."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._at += len(self._piece)
        self._piece = piece
        if self._at == len(self.start) < _START:
            self.start += piece
        return True

    def read(self, offset: int, size: int) -> bytes:
        """The bytes at an offset, fewer where the file ends. Errors: `_Lost`."""
        if (offset, size) in self.parts:
            return self.parts[offset, size]
        passed = offset + size <= len(self.start)
        if not passed and (size > _LARGEST_PART or len(self.parts) >= _MOST_PARTS):
            raise _Lost
        part = bytearray()
        while True:
            for begin, data in ((0, self.start), (self._at, self._piece)):
                at = offset + len(part)
                if begin <= at < begin + len(data):
                    part += data[at - begin : offset + size - begin]
            if len(part) < size and offset + len(part) < self._at + len(self._piece):
                raise _Lost
            if len(part) == size or not self.advance():
                break
        self.parts[offset, size] = bytes(part)
        return self.parts[offset, size]


def _codec() -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """The fastest compressor there is, at the level that costs least."""
    try:
        import zstandard
    except ImportError:
        import zlib

        return lambda data: zlib.compress(data, 1), zlib.decompress
    packer, unpacker = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
    return packer.compress, unpacker.decompress
