"""What a journal of somebody else may write: what a plan would make of the file it replaces.

`condaprune.sinks.inplace.walls` says where a journal may write. A journal that is carried out on
the user's word alone is held to more: each content follows from the file that is there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from condaprune.errors import ArchiveError
from condaprune.files import open_regular
from condaprune.formats.elfstrip import symbol_patch
from condaprune.formats.unpack_list import UNPACK, rewrite_unpack, unpack_records
from condaprune.parse import parse_json
from condaprune.paths import printable, to_bytes
from condaprune.planning.edits.sbom import SBOM
from condaprune.sinks.inplace.filesystem import Folders
from condaprune.sinks.inplace.journal import Journal, Rewrite

_MOST = 256 << 20
_BYTECODE = 16
_UNCHECKED = b"\1\0\0\0"
_MISSING = (FileNotFoundError, NotADirectoryError)
_SPECIAL = stat.S_ISUID | stat.S_ISGID


def check_contents(journal: Journal, folders: Folders, moved: str) -> None:
    """Refuse a journal with a rewrite that does not follow from the file it replaces.

    *moved* is the folder of what is set aside. Errors: `ValueError` says which and why; OSError.
    """
    for number, rewrite in enumerate(journal.rewrites):
        if rewrite.replaces is None:
            continue
        with _old(number, rewrite, folders, moved) as handle:
            if handle is not None and not _follows(rewrite, handle):
                raise ValueError(
                    f"what it writes to {printable(rewrite.path)} does not follow from that file"
                )


@contextmanager
def _old(number: int, rewrite: Rewrite, folders: Folders, moved: str) -> Iterator[int | None]:
    """The file that a rewrite replaces, open; None where the rewrite was done before."""
    old = rewrite.replaces
    handle = None
    for path in (f"{moved}/e{number}", rewrite.path):
        folder, _, name = path.rpartition("/")
        with suppress(*_MISSING):
            handle = open_regular(to_bytes(name), folder=folders(folder))
            break
    try:
        if handle is None:
            raise ValueError(f"{printable(rewrite.path)}, which it rewrites, is gone")
        info = os.fstat(handle)
        if old is None or not old.matches(info, resumed=True):
            if not (rewrite.patch is None and _is_written(rewrite, handle)):
                raise ValueError(f"{printable(rewrite.path)} is not the file that it rewrites")
            yield None
        elif info.st_mode & _SPECIAL:
            raise ValueError(f"{printable(rewrite.path)} runs with the rights of its owner")
        else:
            yield handle
    finally:
        if handle is not None:
            os.close(handle)


def _is_written(rewrite: Rewrite, handle: int) -> bool:
    same_size = os.fstat(handle).st_size == len(rewrite.data)
    return same_size and os.pread(handle, len(rewrite.data) + 1, 0) == rewrite.data


def _follows(rewrite: Rewrite, handle: int) -> bool:
    """Whether a plan could make the content of a rewrite from the open file."""
    patch, size = rewrite.patch, os.fstat(handle).st_size
    if patch is not None and rewrite.path.endswith(".pyc"):
        head = os.pread(handle, _BYTECODE, 0)
        return patch.head[:8] == head[:4] + _UNCHECKED
    if patch is not None:
        return symbol_patch(lambda at, length: os.pread(handle, length, at), size) == patch
    if size > _MOST:
        return False
    old = os.pread(handle, size, 0)
    if rewrite.path == UNPACK:
        with suppress(ArchiveError):
            left = {path for path, _, _ in unpack_records(rewrite.data)}
            return rewrite_unpack(old, left) == rewrite.data
        return False
    if rewrite.path.endswith("/RECORD"):
        return _listed(rewrite.data) <= _listed(old)
    return rewrite.path == SBOM or not rewrite.data or _is_slim(rewrite.data, old)


def _listed(record: bytes) -> set[bytes]:
    """The paths of a RECORD, as they are quoted there."""
    return {line.rpartition(b",")[0].rpartition(b",")[0] for line in record.splitlines()}


def _is_slim(new: bytes, old: bytes) -> bool:
    """Whether a record of conda says nothing but what the old one says."""
    try:
        slim, whole = parse_json(new), parse_json(old)
    except ValueError:
        return False
    if not isinstance(slim, dict) or not isinstance(whole, dict):
        return False
    return all(key == "files" or whole.get(key) == value for key, value in slim.items())
