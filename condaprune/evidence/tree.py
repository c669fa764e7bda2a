"""Finds entries the way the kernel does: through links, never out of the prefix."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from condaprune.model import Inventory
from condaprune.paths import parent

_MAX_LINKS = 40  # as many as Linux follows


@dataclass(frozen=True, slots=True)
class Trail:
    """The links passed on the way to an entry, and the entry (empty: missing or outside)."""

    links: tuple[str, ...]
    end: str


class Tree:
    """The entries of an inventory as a file system."""

    def __init__(self, inventory: Inventory, candidates: Iterable[str]) -> None:
        self._entries = inventory.entries
        self._home = inventory.prefix.rstrip("/") + "/" if inventory.prefix else ""
        self._doomed = sorted(candidates)

    def follow(self, path: str) -> Trail:
        """Where a path leads, links in it and at its end followed."""
        passed: list[str] = []
        for _ in range(_MAX_LINKS):
            entry = self._entries.get(path)
            if entry is not None and entry.kind != "link":
                return Trail(tuple(passed), path)
            link, rest = (path, "") if entry is not None else self._link_above(path)
            if not link:
                break
            passed.append(link)
            target = self.target(link)
            if target is None:
                break
            path = "/".join(part for part in (target, rest) if part)
        return Trail(tuple(passed), "")

    def inside(self, path: str) -> str | None:
        """An absolute path as one relative to the prefix; None where it lies outside."""
        if self._home and path.startswith(self._home):
            return posixpath.normpath(path[len(self._home) :])
        return None

    def target(self, link: str) -> str | None:
        """What a link names, relative to the prefix; None for what lies outside."""
        target = self._entries[link].target
        if target.startswith("/"):
            return self.inside(target)
        return join(parent(link), target)

    def candidates_below(self, folder: str) -> Iterator[str]:
        """All candidates below a folder."""
        start = f"{folder}/" if folder else ""
        at = bisect_left(self._doomed, start)
        while at < len(self._doomed) and self._doomed[at].startswith(start):
            yield self._doomed[at]
            at += 1

    def _link_above(self, path: str) -> tuple[str, str]:
        above, rest = path, ""
        while above:
            above, _, name = above.rpartition("/")
            rest = f"{name}/{rest}" if rest else name
            entry = self._entries.get(above)
            if entry is not None:
                return (above, rest) if entry.kind == "link" else ("", "")
        return "", ""


def join(folder: str, relative: str) -> str | None:
    """A relative path from a folder of the prefix; None where it leaves the prefix."""
    path = posixpath.normpath(f"{folder}/{relative}" if folder else relative)
    if path == ".":
        return ""
    return None if path == ".." or path.startswith(("../", "/")) else path
