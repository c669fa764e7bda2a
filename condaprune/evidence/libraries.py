"""Which library the loader takes for a name.

Names are looked for as ld.so does: the RPATH or RUNPATH of the binary with ``$ORIGIN``, then what
an environment adds: its ``lib`` folder, which the main program's RPATH names. A name that no
listed folder holds keeps every library of that name, since code may have loaded it beforehand.
In Mach-O files names are looked for by their last part, wherever in the environment.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence

from condaprune.evidence.tree import Tree
from condaprune.formats.elf import BinaryFacts
from condaprune.model import Inventory
from condaprune.paths import parent

_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")


class Resolver:
    """Finds the entry that the loader would take for a needed name."""

    def __init__(self, inventory: Inventory, tree: Tree) -> None:
        self._entries = inventory.entries
        self._anywhere = inventory.layout.platform == "osx"
        self._tree = tree
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self._entries:
            name = path.rpartition("/")[2]
            if ".so" in name or name.endswith(".dylib"):
                self._by_name[name].append(path)
        self._known: dict[tuple[str, tuple[str, ...], str], tuple[str, ...]] = {}

    def resolve(self, path: str, facts: BinaryFacts, name: str) -> tuple[str, ...]:
        """The entries (files or links) that may satisfy *name* for the binary at *path*."""
        if name not in self._by_name:
            return ()
        if self._anywhere:
            return tuple(self._by_name[name])
        folder = parent(path)
        search = facts.runpath or facts.rpath
        key = (folder, search, name)
        entries = self._known.get(key)
        if entries is None:
            entries = self._known[key] = self._search(folder, search, name)
        return entries

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
        return tuple(self._by_name[name])

    def _folder(self, origin: str, item: str) -> str | None:
        if _ORIGIN.search(item):
            place = posixpath.normpath(_ORIGIN.sub("/" + origin, item))
            return place.lstrip("/") if place.startswith("/") else None
        return self._tree.inside(item) if item.startswith("/") else None
