"""Kept files that get another content: the edits of a plan, and patches of large files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of a file that keeps most of it: other bytes at its start, another end.

    The new content is `head`, then the old content from there up to the offset `end` (None: to
    its end), then `tail`. `head` replaces as many bytes and does not reach beyond `end`.
    """

    head: bytes
    end: int | None = None
    tail: bytes = b""

    def size(self, old: int) -> int:
        """The bytes of the new content; *old* are those of the old."""
        return (old if self.end is None else self.end) + len(self.tail)

    def apply(self, body: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
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


@dataclass(frozen=True, slots=True)
class Edit:
    """A file whose content the sink writes: rewritten, or new.

    `replaces` is true where the path is an entry of the inventory. `data` is the whole content, or
    empty where a `patch` makes it from the old. What it was made from is known by its SHA-256, the
    `digest`, or is at hand: `old`. Both are empty where that does not matter.
    """

    path: str
    data: bytes
    mode: int
    because: str
    replaces: bool
    patch: Patch | None = None
    digest: bytes = b""
    old: bytes | None = None

    def size(self, old: int) -> int:
        """The bytes of the file as written; *old* are those of the file it replaces."""
        return len(self.data) if self.patch is None else self.patch.size(old)

    @property
    def source(self) -> bytes:
        """The SHA-256 of the content that the edit was made from; empty for any."""
        if self.old is None:
            return self.digest
        import hashlib  # loads OpenSSL, which takes longer than many a dry run's edits

        return hashlib.sha256(self.old).digest()
