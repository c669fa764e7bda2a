"""Takes symbols and debug data off binaries, and keeps the lists that name them right."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Container
from functools import partial

from condaprune.edit import Edit, Patch
from condaprune.formats.elfstrip import symbol_patch
from condaprune.model import Distribution, Entry, Inventory
from condaprune.sources.base import Contents, Parts, Streamed

_LEAST = 8192
_LARGEST = 2 << 30
"""The largest file that is looked at (bytes), since it is read whole."""
_BECAUSE = "without its symbols and debug data"


def strip(
    inventory: Inventory, contents: Contents, removed: Container[str]
) -> tuple[list[Edit], dict[str, tuple[str, int]]]:
    """The edits that take symbols and debug data off the programs and libraries that stay, and
    the new hash and size in RECORD of those that a distribution lists.

    Only files of packages, with one name in the environment, and none that a checksum next to it
    guards (FIPS modules, NSS). Errors: `SourceError` for unreadable files.
    """
    candidates = [
        path
        for path in inventory.with_one_name(
            entry.path for entry in inventory.entries.values() if _may_be(entry)
        )
        if path not in removed and inventory.owners_of(path) and not _checked(path, inventory)
    ]
    edits: list[Edit] = []
    changed: dict[str, tuple[str, int]] = {}
    for path, data in contents.read_many(_with_symbols(inventory, contents, candidates)):
        # The patch and the digest must be of the same bytes, so both are made from one read.
        patch = symbol_patch(partial(_slice, data), len(data))
        if patch is None:
            continue
        mode, source = inventory.entries[path].mode, hashlib.sha256(data).digest()
        edits.append(Edit(path, b"", mode, _BECAUSE, True, patch, source))
        if any(isinstance(owner, Distribution) for owner in inventory.owners_of(path)):
            changed[path] = (_hash(patch, data), patch.size(len(data)))
    edits.sort(key=lambda edit: edit.path)
    return edits, changed


def _with_symbols(inventory: Inventory, contents: Contents, paths: list[str]) -> list[str]:
    """Those of *paths* that can be stripped, as far as parts of them tell for little."""
    if not isinstance(contents, Parts) or isinstance(contents, Streamed):
        return paths  # a stream is passed through once
    sizes = {path: inventory.entries[path].size for path in paths}
    return [p for p in paths if symbol_patch(partial(contents.read_part, p), sizes[p]) is not None]


def _hash(patch: Patch, data: bytes) -> str:
    """The hash of a patched content as RECORD writes it."""
    digest = hashlib.sha256()
    for piece in patch.apply((data,)):
        digest.update(piece)
    return "sha256=" + urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _may_be(entry: Entry) -> bool:
    if entry.kind != "file" or not _LEAST <= entry.size <= _LARGEST:
        return False
    return bool(entry.mode & 0o111) or ".so" in entry.path.rpartition("/")[2]


def _checked(path: str, inventory: Inventory) -> bool:
    """Whether a file next to it vouches for its bytes."""
    folder, _, name = path.rpartition("/")
    if folder.endswith("ossl-modules"):
        return True  # its fipsmodule.cnf may lie anywhere
    stem = name.partition(".so")[0]
    beside = (f"{stem}.chk", f"{name}.chk", f".{name}.hmac", f"{name}.hmac", f"{name}.sig")
    return any(f"{folder}/{other}" in inventory.entries for other in beside)


def _slice(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]
