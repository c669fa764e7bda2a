"""Content that is what the plan was made from."""

from __future__ import annotations

import os
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


def is_same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether an open file is as it was, by its stat before and after it was read.

    Who writes to a file of somebody else takes its setuid bit off by that. The change time does
    not count: a hard link made elsewhere, in a package cache, changes it too.
    """
    return (before.st_size, before.st_mtime_ns, before.st_mode, before.st_uid, before.st_gid) == (
        (after.st_size, after.st_mtime_ns, after.st_mode, after.st_uid, after.st_gid)
    )
