"""An archive as source: a tar or zip of an environment, passed through and never unpacked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from typing import BinaryIO

from condaprune.errors import ArchiveError, SourceError
from condaprune.model import Entry, Inventory, printable
from condaprune.relocation import UNPACK
from condaprune.sources.archiveindex import Index
from condaprune.sources.decompress import Format, ReadAhead, open_stream, sniff
from condaprune.sources.members import Body, Limits, Member
from condaprune.sources.owners import build_inventory, wanted_for_owners
from condaprune.sources.tarstream import TarStream
from condaprune.sources.zipstream import ZipStream

_HEAD = 512


class ArchiveSource:
    """The environment in the archive *path*, whose format its first bytes tell.

    `format` is what it was found to be; `arcroot` the folder that all members lie in, known once
    the inventory was read. Errors: `SourceError`, `ArchiveError`.
    """

    def __init__(self, path: str, limits: Limits | None = None) -> None:
        self.label = path
        self.path = path
        self.arcroot = ""
        self._limits = limits or Limits()
        self._index: Index | None = None
        self._inventory: Inventory | None = None
        self._unpack: bytes | None = None
        with self._open() as file:
            self.format: Format = sniff(file.read(_HEAD), path)

    def inventory(self) -> Inventory:
        """All entries with their owners, in one pass. Errors: `ArchiveError`, `SourceError`."""
        if self._inventory is not None:
            return self._inventory
        index = Index(self.label, self._limits)
        held: dict[str, bytes] = {}
        for member, body in self._members():
            index.add(member)
            # Whether there is a folder around all members shows at the end only.
            inner = member.path.partition("/")[2]
            if member.kind == "file" and (_wanted(member.path) or _wanted(inner)):
                held[member.path] = b"".join(body)
        self.arcroot, entries = index.finish()
        cut = self.arcroot + "/" if self.arcroot else ""

        def read_many(paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
            for path in paths:
                yield path, held[index.content_of(cut + path)]

        self._unpack = held.get(cut + UNPACK)
        self._inventory = build_inventory(self.label, "", entries, read_many)
        self._index = index
        return self._inventory

    def read(self, path: str) -> bytes:
        """The content of one file; it costs a pass. Errors: `SourceError`, `ArchiveError`."""
        for _, data in self.read_many((path,)):
            return data
        raise SourceError("no such file in the archive", where=f"{self.label}: {printable(path)}")

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files in the archive's order, in one pass that ends with the last one.

        Errors: `SourceError` for a path that is no file, `ArchiveError`.
        """
        entries = self.inventory().entries
        names: dict[tuple[int, int], list[str]] = {}
        for path in dict.fromkeys(paths):
            entry = entries.get(path)
            if entry is None or entry.kind != "file":
                raise SourceError(
                    "no such file in the archive", where=f"{self.label}: {printable(path)}"
                )
            if path == UNPACK and self._unpack is not None:
                yield path, self._unpack
            else:
                names.setdefault(entry.identity, []).append(path)
        if not names:
            return
        for entry, member, body in self.stream():
            if not member.linked and entry.identity in names:
                data = b"".join(body)
                for name in names.pop(entry.identity):
                    yield name, data
                if not names:
                    return

    def stream(self) -> Iterator[tuple[Entry, Member, Body]]:
        """Each entry that has a member, in the archive's order, with its content.

        The content must be read before the next entry is asked for, or it is skipped. Hard links
        come after the entry that holds their content. Errors: `ArchiveError`, also where the
        archive has changed since the inventory was read.
        """
        entries = self.inventory().entries
        index = self._index
        assert index is not None
        cut = len(self.arcroot) + 1 if self.arcroot else 0
        position = -1
        for position, (member, body) in enumerate(self._members()):
            if position >= len(index.members) or index.members[position] != member:
                raise self._changed()
            if len(member.path) > cut and position not in index.superseded:
                yield entries[member.path[cut:]], member, body
        if position + 1 != len(index.members):
            raise self._changed()

    def _members(self) -> Iterator[tuple[Member, Body]]:
        """The members as the archive has them, checked one by one only."""
        with self._open() as file:
            if self.format == "zip":
                yield from ZipStream(file, self.label, self._limits)
                return
            with closing(ReadAhead(open_stream(file, self.format))) as ahead:
                yield from TarStream(ahead, self.label, self._limits, file.tell)

    def _open(self) -> BinaryIO:
        try:
            return open(self.path, "rb", buffering=0)
        except OSError as error:
            raise SourceError(
                f"cannot be read: {error.strerror}",
                where=self.label,
                remedy="Name a conda prefix or an archive of one",
            ) from error

    def _changed(self) -> ArchiveError:
        return ArchiveError(
            "the archive changed while it was read",
            where=self.label,
            remedy="Start again when nothing writes to it any more",
        )


def _wanted(path: str) -> bool:
    return path == UNPACK or wanted_for_owners(path)
