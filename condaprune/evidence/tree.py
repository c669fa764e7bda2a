"""The entries of an inventory as a file system: links, folders, libraries, the package cache."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from posixpath import normpath

from condaprune.formats.elf import BinaryFacts
from condaprune.model import Inventory
from condaprune.paths import Trail, follow, parent

_PACKAGE = re.compile(r"(pkgs/[^/]+)/info/index\.json")
_FOLDER = re.compile(r"pkgs/[^/]+")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")


class Tree:
    """Finds entries as the kernel does: through links, never out of the prefix."""

    def __init__(self, inventory: Inventory, candidates: Iterable[str]) -> None:
        self._entries = inventory.entries
        self._homes = (inventory.prefix.rstrip("/"),) if inventory.prefix else ()
        self._candidates = sorted(candidates)

    def follow(self, path: str) -> Trail:
        """Where a path leads, links in it and at its end followed; the end is an entry or empty."""
        entry = self._entries.get(path)
        if entry is not None and entry.kind != "link":
            return Trail((), path)  # an entry lies behind no link
        trail = follow(path, self._says, self._homes)
        return trail if trail.end in self._entries else Trail(trail.links, "")

    def inside(self, path: str) -> str | None:
        """An absolute path as one relative to the prefix; None where it lies outside."""
        for home in self._homes:
            if path.startswith(home + "/"):
                return normpath(path[len(home) + 1 :])
        return None

    def candidates_below(self, folder: str) -> Iterator[str]:
        """All candidates below a folder."""
        start = f"{folder}/" if folder else ""
        at = bisect_left(self._candidates, start)
        while at < len(self._candidates) and self._candidates[at].startswith(start):
            yield self._candidates[at]
            at += 1

    def _says(self, path: str) -> str | None:
        entry = self._entries.get(path)
        return entry.target if entry is not None and entry.kind == "link" else None


class Resolver:
    """Finds the entry that the loader would take for a needed name.

    Names are looked for as ld.so does: the RPATH or RUNPATH of the binary with ``$ORIGIN``, then
    what an environment adds: its ``lib`` folder, which the main program's RPATH names. A name that
    no listed folder holds keeps every library of that name, since code may have loaded it
    beforehand. In Mach-O files names are looked for by their last part, wherever it lies.
    """

    def __init__(self, inventory: Inventory, tree: Tree) -> None:
        self._entries = inventory.entries
        self._anywhere = inventory.layout.platform == "osx"
        self._tree = tree
        by_name: dict[str, list[str]] = defaultdict(list)
        for path in self._entries:
            name = path.rpartition("/")[2]
            if ".so" in name or name.endswith(".dylib"):
                by_name[name].append(path)
        # One tuple for all that ask for the name.
        self._by_name = {name: tuple(paths) for name, paths in by_name.items()}
        self._find = cache(self._search)

    def resolve(self, path: str, facts: BinaryFacts, name: str) -> tuple[str, ...]:
        """The entries (files or links) that may satisfy *name* for the binary at *path*."""
        if name not in self._by_name:
            return ()
        if self._anywhere:
            return self._by_name[name]
        return self._find(parent(path), facts.runpath or facts.rpath, name)

    def _search(self, folder: str, search: Sequence[str], name: str) -> tuple[str, ...]:
        if "/" in name:
            return ()
        for item in search:
            where = self._folder(folder, item)
            if where is not None:
                path = f"{where}/{name}" if where else name
                if path in self._entries:
                    return (path,)
                trail = self._tree.follow(path)
                if trail.end:
                    return (*trail.links, trail.end)
        if f"lib/{name}" in self._entries:
            return (f"lib/{name}",)
        return self._by_name[name]

    def _folder(self, origin: str, item: str) -> str | None:
        if _ORIGIN.search(item):
            place = normpath(_ORIGIN.sub("/" + origin, item))
            return place.lstrip("/") if place.startswith("/") else None
        return self._tree.inside(item) if item.startswith("/") else None


def leave_out_cache(
    inventory: Inventory, candidates: Mapping[str, str]
) -> tuple[Inventory, Mapping[str, str]]:
    """The inventory and the candidates without the packages of conda's cache that go whole.

    What lies in ``pkgs/NAME-VERSION-BUILD/`` has the paths and contents of an environment and is
    not one: conda links from it and runs nothing in it. Guards that go by likelihood would keep
    much of it, and its thousands of modules of the same names would cost time. So where all of
    such a folder goes, and no link that stays leads into it, guards do not look at it.
    """
    entries = inventory.entries
    if "pkgs" not in entries:
        return inventory, candidates
    within = {path: entry for path, entry in entries.items() if path.startswith("pkgs/")}
    packages = {match[1] for match in map(_PACKAGE.fullmatch, within) if match}
    packages -= {
        _cached(path)
        for path, entry in within.items()
        if entry.kind != "folder" and path not in candidates
    }
    if not packages:
        return inventory, candidates
    tree = Tree(inventory, ())
    for path, entry in entries.items():
        if entry.kind == "link" and path not in candidates:
            trail = tree.follow(path)
            packages.difference_update(map(_cached, (*trail.links, trail.end)))
    out = {path for path in within if _cached(path) in packages}
    return (
        replace(inventory, entries={p: e for p, e in entries.items() if p not in out}),
        {path: rule for path, rule in candidates.items() if path not in out},
    )


def _cached(path: str) -> str:
    """The package's folder in the cache that a path lies in; empty for others."""
    match = _FOLDER.match(path)
    return match[0] if match else ""
