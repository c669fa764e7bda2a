"""The entries of one prefix, and where its links lead, without ever leaving the prefix."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from condaprune.model import Entry
from condaprune.paths import Trail, ancestors, follow, join, to_bytes
from condaprune.sources.prefix import walk

_NO_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries of a prefix; `root` is its absolute path without a trailing slash.

    `aliases` are other absolute paths that mean the same prefix, in a link or an RPATH written
    when the environment lay elsewhere.
    """

    root: str
    entries: Mapping[str, Entry]
    aliases: tuple[str, ...] = ()

    def __contains__(self, path: str) -> bool:
        return path in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def absolute(self, path: str) -> str:
        """Where an entry lies on this machine."""
        return f"{self.root}/{path}"

    def inside(self, absolute: str) -> str | None:
        """The relative path of an absolute one, or None where it lies outside the prefix."""
        for root in (self.root, *self.aliases):
            if absolute == root:
                return ""
            if absolute.startswith(root + "/"):
                return join("", absolute[len(root) :].lstrip("/"))
        return None

    def resolve(self, path: str) -> str | None:
        """The entry that a path leads to through any links, or None where it leads nowhere.

        For a link that leads out of the prefix it is *path* itself: the environment cannot lose
        anything outside.
        """
        trail = self._follow(path)
        if trail is None:
            return None
        return path if trail.outside else trail.end

    def links(self, path: str) -> tuple[str, ...]:
        """The links passed on the way to an entry."""
        trail = self._follow(path)
        return trail.links if trail else ()

    def _follow(self, path: str) -> Trail | None:
        gap = False

        def target(here: str) -> str | None:
            nonlocal gap
            entry = self.entries.get(here)
            gap = gap or entry is None
            return entry.target if entry is not None and entry.kind == "link" else None

        trail = follow(path, target, (self.root, *self.aliases))
        in_circles = not trail.end and len(set(trail.links)) < len(trail.links)
        return None if gap or in_circles else trail

    def target(self, path: str) -> Entry | None:
        """The entry that a path leads to: a link only where that leads out of the prefix."""
        return self.entries.get(self.resolve(path) or "")

    def is_file(self, path: str) -> bool:
        """Whether a path leads to a file of the prefix."""
        entry = self.target(path)
        return entry is not None and entry.kind == "file"

    def read(self, path: str, size: int = -1) -> bytes:
        """The content of an entry, links followed; empty where it cannot be read."""
        try:
            handle = os.open(to_bytes(self.absolute(path)), _NO_WAITING)
            with open(handle, "rb") as file:
                return file.read(size) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
        except OSError:
            return b""

    def folders_with(self, suffixes: tuple[str, ...]) -> frozenset[str]:
        """All folders with a file at any depth whose name ends with one of *suffixes*."""
        return frozenset(
            folder
            for path, entry in self.entries.items()
            if entry.kind != "folder" and path.endswith(suffixes)
            for folder in ancestors(path)
        )


def list_prefix(root: str, aliases: tuple[str, ...] = ()) -> Listing:
    """The listing of the prefix at *root*. Errors: `SourceError` where it cannot be read."""
    return Listing(root, walk(to_bytes(root)), tuple(a for a in aliases if a and a != root))


def changed(before: Listing, after: Listing) -> tuple[str, ...]:
    """The paths whose entry is new, gone or different between two listings of one prefix.

    Folders differ only by being new or gone: their times change with their content.
    """

    def state(entry: Entry | None) -> tuple[object, ...]:
        if entry is None or entry.kind == "folder":
            return (entry is None,)
        return (entry.kind, entry.size, entry.mtime_ns, entry.inode, entry.target)

    return tuple(
        path
        for path in {**before.entries, **after.entries}
        if state(before.entries.get(path)) != state(after.entries.get(path))
    )
