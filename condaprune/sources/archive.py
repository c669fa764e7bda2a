"""An archive as source: a tar or zip of an environment, passed through and never unpacked."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import closing
from typing import BinaryIO

from condaprune.errors import ArchiveError, SourceError
from condaprune.formats.unpack_list import UNPACK
from condaprune.model import Entry, Inventory
from condaprune.paths import printable
from condaprune.sources.base import Body, Limits, Member, SourceKind
from condaprune.sources.cache import Cache
from condaprune.sources.decompress import Format, ReadAhead, open_stream, sniff
from condaprune.sources.index import Index
from condaprune.sources.kinds import LARGEST
from condaprune.sources.owners import build_inventory, wanted_for_owners
from condaprune.sources.tarstream import TarStream
from condaprune.sources.zipstream import ZipStream

_HEAD = 512


class ArchiveSource:
    """The environment in the archive *path*; its first bytes tell the `format`.

    `arcroot` is the folder that all members lie in, known once the inventory was read. Errors:
    `SourceError`, `ArchiveError`.
    """

    kind: SourceKind = "archive"
    prefix = ""
    readable = True

    def __init__(self, path: str, limits: Limits | None = None) -> None:
        self.label = path
        self.path = path
        self.arcroot = ""
        self._limits = limits or Limits()
        self._index: Index | None = None
        self._inventory: Inventory | None = None
        self._cache = Cache()
        with self._open() as file:
            self.format: Format = sniff(file.read(_HEAD), path)

    def members(self) -> ArchiveSource:
        """The archive itself, whose root is known. Errors: `ArchiveError`, `SourceError`."""
        self.inventory()
        return self

    def inventory(self) -> Inventory:
        """All entries with their owners, in one pass. Errors: `ArchiveError`, `SourceError`."""
        if self._inventory is not None:
            return self._inventory
        index, cache = Index(self.label, self._limits), self._cache
        for member, body in self._members():
            index.add(member)
            if member.kind == "file" and not member.linked:
                # Whether there is a folder around all members shows at the end only.
                inner = member.path.partition("/")[2]
                needed = (_wanted(member.path) or _wanted(inner)) and member.size <= LARGEST
                cache.offer(member, body, needed=needed)
        cache.close()
        self.arcroot, entries = index.finish()
        self._index = index

        def read_many(paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
            for path in paths:
                yield path, cache.read(self._content_of(path))

        self._inventory = build_inventory(self.label, "", entries, read_many)
        cache.close()
        return self._inventory

    def holds(self, paths: Collection[str]) -> bool:
        """Whether files can be read without another pass: texts by `read_many`, of binaries the
        parts that `read_elf` asks for by `read_part`."""
        self.inventory()
        return all(self._cache.holds(self._content_of(path)) for path in paths)

    def has_compiler(self, path: str) -> bool | None:
        """Whether a library has a compiler in it (`CompilerSearch`); None if not looked at."""
        self.inventory()
        return self._cache.compilers.get(self._content_of(path))

    def forget(self) -> None:
        """Free the memory that planning needed: reading files costs passes from now on."""
        self._cache.forget()

    def _content_of(self, path: str) -> str:
        """The member that holds the content of a file."""
        assert self._index is not None
        return self._index.content_of(f"{self.arcroot}/{path}" if self.arcroot else path)

    def read(self, path: str) -> bytes:
        """The content of one file; it may cost a pass. Errors: `SourceError`, `ArchiveError`."""
        return next(data for _, data in self.read_many((path,)))

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Up to *size* bytes of a file from *offset* on; a part that is not cached costs a pass.

        Errors: `SourceError`, `ArchiveError`.
        """
        self._file(path)
        name = self._content_of(path)
        part = self._cache.part(name, offset, size) if self._cache.holds(name) else None
        return self.read(path)[offset : offset + size] if part is None else part

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files: first those cached, then the others in the archive's order, in one
        pass that ends with the last one.

        Errors: `SourceError` for a path that is not a file, `ArchiveError`.
        """
        cache = self._cache
        names: dict[tuple[int, int], list[str]] = {}
        ready: dict[str, list[str]] = {}
        for path in dict.fromkeys(paths):
            entry, member = self._file(path), self._content_of(path)
            if cache.whole(member):
                ready.setdefault(member, []).append(path)
            else:
                names.setdefault(entry.identity, []).append(path)
        for member in cache.in_order(ready):
            data = cache.read(member)
            for name in ready[member]:
                yield name, data
        if not names:
            return
        for entry, passing, body in self.stream():
            if not passing.linked and entry.identity in names:
                data = b"".join(body)
                for name in names.pop(entry.identity):
                    yield name, data
                if not names:
                    return

    def _file(self, path: str) -> Entry:
        entry = self.inventory().entries.get(path)
        if entry is None or entry.kind != "file":
            raise SourceError(
                "no such file in the archive", where=f"{self.label}: {printable(path)}"
            )
        return entry

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
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise SourceError(
                    "is not a regular file, and an archive is read more than once",
                    where=self.label,
                    remedy="Save it to a file first",
                )
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
