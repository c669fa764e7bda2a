"""Extended attributes of files and folders: ACLs, capabilities, labels, and users' own."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Mapping

from condaprune.paths import printable

CAPABILITY = "security.capability"
ACLS = ("system.posix_acl_access", "system.posix_acl_default")
OF_CONTENT = ("security.ima", "security.evm")
"""Those that vouch for the bytes of a file: with other bytes they are wrong."""


ACL_KEYS = dict(zip(ACLS, (b"SCHILY.acl.access", b"SCHILY.acl.default"), strict=True))
"""The keys of pax headers that hold access lists as text."""
_WHO = {1: "user", 2: "user", 4: "group", 8: "group", 16: "mask", 32: "other"}
_NAMED = (2, 8)
_LISTING: Callable[..., list[str]] | None = getattr(os, "listxattr", None)
_PORTABLE = (CAPABILITY, *ACLS)
_OF_THE_HOST = ("user.overlay.", "user.containers.", "user.condaprune.")


def is_portable(name: str) -> bool:
    """Whether an attribute belongs to the file wherever it lies, unlike the labels of a host."""
    if name.startswith("user."):
        return not name.startswith(_OF_THE_HOST)
    return name in _PORTABLE


def names_at(place: int | bytes) -> list[str]:
    """The names of the attributes of an open file or folder, or of what a path names, itself.

    None where the system has none.
    """
    if _LISTING is None:
        return []
    try:
        return _LISTING(place, follow_symlinks=isinstance(place, int))
    except OSError:
        return []


def acl_text(value: bytes) -> bytes:
    """An access list as text, users and groups by number: ``user::rwx,user:12:r--,...``.

    Empty for a value that is none. Format: Linux, ``include/uapi/linux/posix_acl_xattr.h``.
    """
    if value[:4] != b"\2\0\0\0" or len(value) % 8 != 4:
        return b""
    rows = []
    for tag, bits, number in struct.iter_unpack("<HHI", value[4:]):
        who = _WHO.get(tag, "")
        named = str(number) if tag in _NAMED else ""
        flags = "".join(flag if bits & bit else "-" for flag, bit in (("r", 4), ("w", 2), ("x", 1)))
        rows.append(f"{who}:{named}:{flags}")
    return ",".join(rows).encode()


def set_all(place: int | bytes, attributes: Iterable[tuple[str, bytes]]) -> list[str]:
    """Set attributes, by name and value. Returns the names of those that could not be set."""
    failed = []
    for name, value in attributes:
        try:
            os.setxattr(place, name, value)
        except (OSError, AttributeError):  # noqa: PERF203 - hardly any has more than one
            failed.append(name)  # not every file system and not every user can
    return failed


def note_on_lost(lost: Mapping[str, str], how: str) -> list[str]:
    """A note on attributes that were not carried over; *lost* maps paths to the first of theirs."""
    if not lost:
        return []
    path, name = next(iter(lost.items()))
    files = "1 file" if len(lost) == 1 else f"{len(lost):,} files"
    return [f"extended attributes of {files} {how} (first: {printable(name)} of {printable(path)})"]
