"""Which files of an environment lose symbols and debug data, and what lists say of them then."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Container, Iterator, Mapping

from condaprune.elfstrip import cut
from condaprune.model import Distribution, Edit, Entry, Inventory
from condaprune.patch import Patch
from condaprune.sources.base import Contents, Parts

_LEAST = 8192
_PIECE = 4 << 20
_BECAUSE = "without its symbols and debug data"


def strip_edits(
    inventory: Inventory, contents: Contents, removed: Container[str]
) -> Iterator[Edit]:
    """The edits that take symbols and debug data off the programs and libraries that stay.

    Only files of packages, with one name in the environment, and none that a checksum beside it
    guards (FIPS modules, NSS). Errors: `SourceError` for unreadable files.
    """
    wanted = [
        path
        for path in inventory.with_one_name(
            entry.path for entry in inventory.entries.values() if _may_be(entry)
        )
        if path not in removed and inventory.owners_of(path) and not _checked(path, inventory)
    ]
    for path, patch in _patches(inventory, contents, wanted):
        if patch is not None:
            yield Edit(path, b"", inventory.entries[path].mode, _BECAUSE, True, patch)


def new_hashes(
    inventory: Inventory, contents: Contents, edits: Mapping[str, Patch]
) -> dict[str, tuple[str, int]]:
    """What RECORD says of each patched file that a distribution lists: its hash and size."""
    listed = [
        path
        for path in edits
        if any(isinstance(owner, Distribution) for owner in inventory.owners_of(path))
    ]
    found: dict[str, tuple[str, int]] = {}
    for path, body in _bodies(inventory, contents, listed):
        digest = hashlib.sha256()
        for piece in edits[path].apply(body):
            digest.update(piece)
        text = urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        found[path] = (f"sha256={text}", edits[path].size(inventory.entries[path].size))
    return found


def _may_be(entry: Entry) -> bool:
    if entry.kind != "file" or entry.size < _LEAST:
        return False
    return bool(entry.mode & 0o111) or ".so" in entry.path.rpartition("/")[2]


def _checked(path: str, inventory: Inventory) -> bool:
    """Whether something beside a file vouches for its bytes."""
    folder, _, name = path.rpartition("/")
    if folder.endswith("ossl-modules"):
        return True  # its fipsmodule.cnf may lie anywhere
    stem = name.partition(".so")[0]
    beside = (f"{stem}.chk", f"{name}.chk", f".{name}.hmac", f"{name}.hmac", f"{name}.sig")
    return any(f"{folder}/{other}" in inventory.entries for other in beside)


def _patches(
    inventory: Inventory, contents: Contents, paths: list[str]
) -> Iterator[tuple[str, Patch | None]]:
    if isinstance(contents, Parts):
        for path in paths:
            size = inventory.entries[path].size
            yield path, cut(lambda at, n, path=path: contents.read_part(path, at, n), size)  # type: ignore[misc]
    else:
        for path, data in contents.read_many(paths):
            yield path, cut(lambda at, n, data=data: data[at : at + n], len(data))  # type: ignore[misc]


def _bodies(
    inventory: Inventory, contents: Contents, paths: list[str]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The contents of files in pieces, where the source can give them so."""
    if isinstance(contents, Parts):
        for path in paths:
            size = inventory.entries[path].size
            starts = range(0, size, _PIECE)
            yield path, (contents.read_part(path, at, _PIECE) for at in starts)
    else:
        for path, data in contents.read_many(paths):
            yield path, iter((data,))
