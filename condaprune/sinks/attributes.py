"""Extended attributes of files and folders: ACLs, capabilities, labels, and users' own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from condaprune.paths import printable

CAPABILITY = "security.capability"
ACLS = ("system.posix_acl_access", "system.posix_acl_default")
OF_CONTENT = ("security.ima", "security.evm")
"""Those that vouch for the bytes of a file: with other bytes they are wrong."""


def names_at(handle: int) -> list[str]:
    """The names of the attributes of an open file or folder; none where the system has none."""
    listing = getattr(os, "listxattr", None)
    if listing is not None:
        with contextlib.suppress(OSError):
            names: list[str] = listing(handle)
            return names
    return []


def note_on_lost(lost: Mapping[str, str], how: str) -> list[str]:
    """A note on attributes that were not carried over; *lost* maps paths to the first of theirs."""
    if not lost:
        return []
    path, name = next(iter(lost.items()))
    files = "1 file" if len(lost) == 1 else f"{len(lost):,} files"
    return [f"extended attributes of {files} {how} (first: {printable(name)} of {printable(path)})"]
