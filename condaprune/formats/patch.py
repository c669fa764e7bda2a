"""A change of a file that keeps most of it: other bytes at its start, another end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Patch:
    """The new content is `head`, then the old content from there up to the offset `end` (None: to
    its end), then `tail`. `head` replaces as many bytes and does not reach beyond `end`.
    """

    head: bytes
    end: int | None = None
    tail: bytes = b""

    def size(self, old: int) -> int:
        """The bytes of the new content; *old* are those of the old."""
        return (old if self.end is None else self.end) + len(self.tail)

    def apply(self, body: Iterable[Buffer]) -> Iterator[Buffer]:
        """The new content from the pieces of the old."""
        yield self.head
        at = 0
        for piece in body:
            start = max(0, len(self.head) - at)
            stop = len(piece) if self.end is None else min(len(piece), self.end - at)
            if start < stop:
                whole = start == 0 and stop == len(piece)
                yield piece if whole else memoryview(piece)[start:stop]
            at += len(piece)
        if self.tail:
            yield self.tail

    def made(self, data: bytes, old: int) -> bool:
        """Whether *data* looks like the result of this patch on a content of *old* bytes."""
        return (
            len(data) == self.size(old) and data.startswith(self.head) and data.endswith(self.tail)
        )
