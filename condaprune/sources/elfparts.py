"""Picks the few parts that matter out of an ELF or Mach-O file while it is streamed."""

from __future__ import annotations

from collections.abc import Iterable

from condaprune.formats.binary import read_binary
from condaprune.sources.members import Buffer

_START = 8 << 20
"""How much of the start of a file is held meanwhile: names lie there, unless a tool moved them to
the end, where they come after what points at them."""

_LARGEST = 8 << 20
"""The largest part that is worth keeping: names of symbols take megabytes in large libraries."""

_MOST = 16
"""No honest file has more parts: one table, one interpreter, one dynamic section, its names."""


class _NotYet(Exception):
    """The reader asks for a part that has not passed."""

    def __init__(self, offset: int, size: int) -> None:
        super().__init__(offset, size)
        self.offset, self.size = offset, size


def elf_parts(pieces: Iterable[Buffer], head: int) -> dict[tuple[int, int], bytes] | None:
    """What `read_binary` asks of the file in *pieces*, by offset and size asked for (there may be
    less where the file ends), and its first *head* bytes.

    None where a part has passed unseen or is too large. Not all pieces need be taken.
    """
    passing = _Passing()
    done: bool | None = None
    for piece in pieces:
        passing.take(piece)
        if len(passing.start) < head:
            continue
        done = passing.parse(ended=False)
        if done is not None:
            break
    else:
        done = passing.parse(ended=True)
    if not done:
        return None
    parts: dict[tuple[int, int], bytes] = {(0, head): bytes(passing.start[:head])}
    for (offset, size), data in passing.parts.items():
        if offset + size > head:
            parts[offset, size] = bytes(data)
    return parts


class _Passing:
    """A file of which the start, the parts asked for so far, and the latest piece are held."""

    def __init__(self) -> None:
        self.start = bytearray()
        self.parts: dict[tuple[int, int], bytearray] = {}
        self._piece: Buffer = b""
        self._at = 0  # where the latest piece begins
        self._wanted: tuple[int, int] | None = None
        self._ended = False

    def take(self, piece: Buffer) -> None:
        """The next piece of the file."""
        self._at += len(self._piece)
        self._piece = piece
        if self._at == len(self.start) < _START:
            self.start += piece
        if self._wanted is not None:
            self._fill(self._wanted)

    def parse(self, *, ended: bool) -> bool | None:
        """Go on: True when all parts are held, False where one is lost, None where one is still
        to come."""
        self._ended = ended
        while True:
            if self._wanted is not None:
                held, (offset, size) = len(self.parts[self._wanted]), self._wanted
                if held < size and offset + held < self._at + len(self._piece):
                    return False  # what lies there has passed
                if held < size and not ended:
                    return None
                self._wanted = None
            try:
                read_binary(self._read)
                return True
            except _NotYet as wanted:
                if wanted.size > _LARGEST or len(self.parts) >= _MOST:
                    return False
                self._wanted = wanted.offset, wanted.size
                self.parts[self._wanted] = bytearray()
                self._fill(self._wanted)

    def _read(self, offset: int, size: int) -> bytes:
        found = self.parts.get((offset, size))
        if found is not None:
            return bytes(found)
        if offset + size > len(self.start):
            raise _NotYet(offset, size)
        data = self.start[offset : offset + size]
        self.parts[offset, size] = data
        return bytes(data)

    def _fill(self, wanted: tuple[int, int]) -> None:
        """Add to a part what is held of what it lacks."""
        offset, size = wanted
        part = self.parts[wanted]
        for begin, held in ((0, self.start), (self._at, self._piece)):
            at = offset + len(part)
            if begin <= at < begin + len(held):
                part += held[at - begin : offset + size - begin]
