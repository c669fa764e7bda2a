"""The protocol that every source fulfils."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Parts(Protocol):
    """What a source may offer beside `Contents`: a part of a file for little."""

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """The bytes at an offset, fewer where the file ends. Errors: `SourceError`."""
        ...


@runtime_checkable
class Streamed(Protocol):
    """What tells a source that is passed through from one that is read at random."""

    def holds(self, paths: Collection[str]) -> bool:
        """Whether what matters of files can be had without passing through."""
        ...

    def has_compiler(self, path: str) -> bool | None:
        """Whether a library has a compiler in it; None where the source did not look."""
        ...


class Source(Contents, Protocol):
    """An environment that can be read. `label` is how the user named it.

    `readable` says whether its files have contents, which those of a path list have not.
    """

    label: str
    readable: bool

    def inventory(self) -> Inventory:
        """All entries with their owners. Errors: `SourceError`, `ArchiveError`."""
        ...
