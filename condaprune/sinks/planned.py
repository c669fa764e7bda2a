"""Content that is what the plan was made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from condaprune.model import Buffer


class Changed(Exception):
    """An entry is not the one of the plan any more, or was changed while it was read."""


def planned(pieces: Iterable[Buffer], source: bytes) -> Iterator[Buffer]:
    """The *pieces* of a content whose SHA-256 is to be *source*; empty for any.

    Errors: `Changed` at the end where it is another: what was made of the pieces is of no use then.
    """
    if not source:
        yield from pieces
        return
    import hashlib

    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.digest() != source:
        raise Changed
