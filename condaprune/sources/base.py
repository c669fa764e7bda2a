"""The protocol that every source fulfils."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, Protocol, runtime_checkable

from condaprune.model import Entry, Inventory
from condaprune.sources.members import Body, Member

SourceKind = Literal["prefix", "archive", "path list"]


class Contents(Protocol):
    """Read access to the contents of an environment's files; it never writes."""

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
    """What a source may offer besides `Contents`: a part of a file for little."""

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """The bytes at an offset, fewer where the file ends. Errors: `SourceError`."""
        ...


@runtime_checkable
class Streamed(Protocol):
    """A source that is passed through, unlike one that is read at random."""

    def holds(self, paths: Collection[str]) -> bool:
        """Whether files can be read, as far as they matter, without passing through."""
        ...

    def has_compiler(self, path: str) -> bool | None:
        """Whether a library has a compiler in it; None where the source did not look."""
        ...


class MemberStream(Protocol):
    """An archive's members in its own order, each passing by once.

    `arcroot` is the folder around all members, empty for none.
    """

    arcroot: str

    def forget(self) -> None:
        """Free the memory that planning needed."""
        ...

    def stream(self) -> Iterator[tuple[Entry, Member, Body]]:
        """Each entry that has a member, with its content. Errors: `ArchiveError`."""
        ...


class Source(Contents, Protocol):
    """An environment that can be read.

    `label` is how the user named it, `prefix` the folder it lies in (empty for an archive and a
    path list). `readable` says whether its files have contents, which those of a path list have
    not.
    """

    label: str
    kind: SourceKind
    prefix: str
    readable: bool

    def inventory(self) -> Inventory:
        """All entries with their owners. Errors: `SourceError`, `ArchiveError`."""
        ...

    def members(self) -> MemberStream | None:
        """The archive that the environment is in; None where it can be read in any order."""
        ...
