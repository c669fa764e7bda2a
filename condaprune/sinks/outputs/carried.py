"""Which extended attributes of a prefix get into an output, and what is said of the others."""

from __future__ import annotations

import os
from collections.abc import Iterable

from condaprune.model import Entry
from condaprune.paths import to_bytes
from condaprune.sinks.attributes import ACLS, CAPABILITY, is_portable, names_at, note_on_lost
from condaprune.sinks.outputs.members import FileBody

HELD_BY_TAR = ("user.", CAPABILITY, *ACLS)
"""What the attributes that a tar holds begin with."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST = 1 << 16
"""The most bytes of the attributes of one member."""

Attributes = tuple[tuple[str, bytes], ...]


class Carried:
    """Picks the attributes that go along, by what the format *holds* and the *mode* of permissions.

    Access lists are permissions: they go along where those are kept as they are. A name with an
    equals sign has no place in a pax header.
    """

    def __init__(self, holds: tuple[str, ...], mode: str) -> None:
        self._holds = holds
        self._access = mode == "keep"
        self._lost: dict[str, str] = {}

    def of_file(self, path: str, body: FileBody) -> Attributes:
        """The attributes of an open file. Errors: `SinkError`."""
        attributes = body.attributes()
        return self._pick(path, attributes) if attributes else ()

    def of_folder(self, prefix: str, entry: Entry) -> Attributes:
        """The attributes of a folder; none where it is not the one of the plan."""
        where = to_bytes(f"{prefix}/{entry.path}")
        names = sorted(filter(is_portable, names_at(where)))
        if not names:
            return ()
        try:
            handle = os.open(where, _FOLDER)
            try:
                if os.fstat(handle).st_ino == entry.inode:
                    pairs = [(name, os.getxattr(handle, name)) for name in names]
                    return self._pick(entry.path, pairs)
            finally:
                os.close(handle)
        except OSError:
            self._lost.setdefault(entry.path, names[0])
        return ()

    def without_rights(self, path: str, attributes: Attributes) -> Attributes:
        """The attributes for a content that is not the one they were given to."""
        left = tuple(pair for pair in attributes if pair[0] != CAPABILITY)
        if len(left) < len(attributes):
            self._lost.setdefault(path, CAPABILITY)
        return left

    def notes(self) -> list[str]:
        """What the user should know when everything was packed."""
        return note_on_lost(self._lost, "are not in the output")

    def _pick(self, path: str, attributes: Iterable[tuple[str, bytes]]) -> Attributes:
        picked: list[tuple[str, bytes]] = []
        size = 0
        for name, value in attributes:
            size += len(name) + len(value)
            held = name.startswith(self._holds) and (self._access or name not in ACLS)
            if held and size <= _MOST and "=" not in name:
                picked.append((name, value))
            else:
                self._lost.setdefault(path, name)
        return tuple(picked)
