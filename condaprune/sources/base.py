"""The protocol that every source fulfils."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from condaprune.model import Inventory


class Contents(Protocol):
    """Read access to what the files of an environment hold; it never writes."""

    def read(self, path: str) -> bytes:
        """The content of one file. Errors: `SourceError` where it cannot be read."""
        ...

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files, each once, in whatever order is cheapest for the source.

        A stream (a compressed tar) is passed through once for all of them: ask for everything
        that is needed in one call.
        """
        ...


class Source(Contents, Protocol):
    """An environment that can be read. `label` is how the user named it."""

    label: str

    def inventory(self) -> Inventory:
        """All entries with their owners. Errors: `SourceError`, `ArchiveError`."""
        ...
