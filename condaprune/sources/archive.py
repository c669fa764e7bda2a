"""An archive as source: a tar or zip of an environment, passed through and never unpacked."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import closing
from functools import partial
from typing import BinaryIO

from condaprune.errors import ArchiveError, SourceError
from condaprune.formats.unpack_list import SCRIPTS, UNPACK
from condaprune.model import Entry, Inventory
from condaprune.paths import parent, printable, sort_key
from condaprune.sources.base import Body, Limits, Member, SourceKind, member_error
from condaprune.sources.cache import Cache
from condaprune.sources.decompress import Format, ReadAhead, open_stream, sniff
from condaprune.sources.kinds import LARGEST
from condaprune.sources.links import links_out
from condaprune.sources.owners import build_inventory, wanted_for_owners
from condaprune.sources.tarstream import TarStream
from condaprune.sources.zipstream import ZipStream

_HEAD = 512
_SHOWN = 200
_HEADER = 512
"""What a member counts besides its name, in bytes."""
_IMPLIED, _IMPLIED_RATE = 1 << 20, 4
"""How many bytes the names of folders without members of their own may take: so many, and this
times the bytes of the members' names and headers. They grow with the square of their depth."""


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


def _shortened(target: str) -> str:
    return printable(target if len(target) <= _SHOWN else f"{target[:_SHOWN]}...")


class Index:
    """The members of an archive in its order, each checked as it comes.

    `superseded` holds the positions of members that a later one replaces.
    """

    def __init__(self, where: str, limits: Limits) -> None:
        self.members: list[Member] = []
        self.superseded: set[int] = set()
        self._where, self._limits = where, limits
        self._error = partial(member_error, where)
        self._at: dict[str, int] = {}
        self._implied: set[str] = {""}
        self._implied_bytes = self._named_bytes = 0
        self._holders: dict[str, str] = {}

    def add(self, member: Member) -> None:
        """Take in the next member. Errors: `ArchiveError` where it contradicts an earlier one."""
        path = member.path
        position = len(self.members)
        self.members.append(member)
        self._named_bytes += len(path) + len(member.target) + len(member.linked)
        if not path:
            return  # the root itself
        earlier = self._at.get(path)
        if earlier is not None:
            self._repeat(member, earlier)
        if member.kind == "folder":
            self._implied.add(path)
        elif path in self._implied:
            raise self._error(path, "is not a folder, but earlier members lie in it")
        self._at[path] = position
        folder = parent(path)
        while folder not in self._implied:
            above = self._at.get(folder)
            if above is not None:
                kind = "a link" if self.members[above].kind == "link" else "not a folder"
                raise self._error(path, f"lies below {printable(folder)!r}, which is {kind}")
            self._implied.add(folder)
            self._implied_bytes += len(folder)
            folder = parent(folder)
        self._check_names(path)
        if member.linked:
            self._check_hard_link(member)

    def _check_names(self, path: str) -> None:
        implied = self._implied_bytes
        if implied > _IMPLIED:
            given = self._named_bytes + _HEADER * len(self.members)
            if implied > _IMPLIED + _IMPLIED_RATE * given:
                raise self._error(path, "lies in folders whose names are too long for so few files")
        entries, names = len(self.members) + len(self._implied), self._named_bytes + implied
        self._limits.check(self._where, entries=entries, names=names, member=path)

    def _repeat(self, member: Member, earlier: int) -> None:
        before = self.members[earlier]
        if member.kind == before.kind == "folder":
            return
        plain = member.kind == before.kind == "file" and not member.linked and not before.linked
        if plain and member.path.endswith(SCRIPTS):
            self.superseded.add(earlier)
            return
        raise self._error(member.path, "appears twice")

    def _check_hard_link(self, member: Member) -> None:
        first = self._at.get(member.linked)
        if first is None or self.members[first].kind == "folder" or member.linked == member.path:
            raise self._error(
                member.path,
                f"is a hard link to {printable(member.linked)!r}, which is not an earlier file",
            )
        self._holders[member.path] = self._holders.get(member.linked, member.linked)

    def content_of(self, path: str) -> str:
        """The path of the member that holds a file's content: its own or that of its hard link."""
        return self._holders.get(path, path)

    def finish(self) -> tuple[str, dict[str, Entry]]:
        """The folder all members lie in (empty for none), and the entries below it, in order.

        Errors: `ArchiveError` for links that leave the root, and where no environment is found.
        """
        root = self._root()
        entries = self._entries(root)
        if "conda-meta" not in entries:
            raise ArchiveError(
                "holds no conda environment: it has no conda-meta folder",
                where=self._where,
                remedy="Name an archive that conda-pack or condaprune made",
            )
        if not self._limits.links_out:
            targets = {p: e.target for p, e in entries.items() if e.kind == "link"}
            for path in links_out(targets):
                raise self._error(
                    f"{root}/{path}" if root else path,
                    f"is a link that leaves the root: {_shortened(targets[path])!r}",
                    "If you trust the archive, allow it with --links-out",
                )
        return root, entries

    def _root(self) -> str:
        if "conda-meta" in self._implied or "conda-meta" in self._at:
            return ""
        tops = {path.partition("/")[0] for path in self._at}
        if len(tops) == 1:
            top = tops.pop()
            if f"{top}/conda-meta" in self._implied:
                return top
        return ""

    def _entries(self, root: str) -> dict[str, Entry]:
        """One entry a path; folders that are only implied are mode 0755 and of no time."""
        cut = len(root) + 1 if root else 0
        holders: dict[str, int] = {}
        counts: dict[int, int] = {}
        for path in self._at:
            position = self._at[self.content_of(path)]
            holders[path] = position
            counts[position] = counts.get(position, 0) + 1
        entries: list[Entry] = []
        for path, position in holders.items():
            if len(path) <= cut and cut:
                continue
            content, member = self.members[position], self.members[self._at[path]]
            entries.append(
                Entry(
                    path[cut:],
                    content.kind,
                    content.size,
                    member.mode,
                    member.mtime * 1_000_000_000,
                    0,
                    position,
                    counts[position],
                    content.target,
                )
            )
        number = len(self.members)
        for path in self._implied:
            if path not in self._at and len(path) > cut:
                number += 1
                entries.append(Entry(path[cut:], "folder", 0, 0o755, 0, 0, number, 1))
        entries.sort(key=lambda entry: sort_key(entry.path))
        return {entry.path: entry for entry in entries}
