"""No kept binary may lose a library that the loader found for it in the environment.

Names are looked for as ld.so does: the RPATH or RUNPATH of the binary with ``$ORIGIN``, then what
an environment adds: its ``lib`` folder, which the main program's RPATH names. A name that no
listed folder holds keeps every library of that name, since code may have loaded it beforehand.
In Mach-O files names are looked for by their last part, wherever in the environment.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.formats.elf import ElfFacts
from condaprune.model import Veto
from condaprune.paths import parent

_SHARED = re.compile(r"\.(?:so(?:\.[\w.]+)?|dylib|dll)$")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")


def is_shared(path: str) -> bool:
    """Whether a file is named like a shared library, or an extension module."""
    likely = ".so" in path or path.endswith((".dylib", ".dll"))
    return likely and _SHARED.search(path) is not None


class Resolver:
    """Finds the entry that the loader would take for a needed name."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._entries = scene.inventory.entries
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self._entries:
            name = path.rpartition("/")[2]
            if ".so" in name or name.endswith(".dylib"):
                self._by_name[name].append(path)
        self._found: dict[tuple[str, tuple[str, ...], str], tuple[str, ...]] = {}

    def resolve(self, path: str, facts: ElfFacts, name: str) -> tuple[str, ...]:
        """The entries (files or links) that may satisfy *name* for the binary at *path*."""
        if name not in self._by_name:
            return ()
        if self._scene.inventory.layout.platform == "osx":
            return tuple(self._by_name[name])
        folder = parent(path)
        search = facts.runpath or facts.rpath
        key = (folder, search, name)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._search(folder, search, name)
        return found

    def _search(self, folder: str, search: Sequence[str], name: str) -> tuple[str, ...]:
        if "/" in name:
            return ()
        for item in search:
            where = self._folder(folder, item)
            if where is not None:
                path = f"{where}/{name}" if where else name
                if path in self._entries:
                    return (path,)
                trail = self._scene.tree.follow(path)
                if trail.end:
                    return (*trail.links, trail.end)
        if f"lib/{name}" in self._entries:
            return (f"lib/{name}",)
        return tuple(self._by_name[name])

    def _folder(self, origin: str, item: str) -> str | None:
        if _ORIGIN.search(item):
            place = posixpath.normpath(_ORIGIN.sub("/" + origin, item))
            return place.lstrip("/") if place.startswith("/") else None
        return self._scene.tree.inside(item) if item.startswith("/") else None


class Elf(Guard):
    """Rescues the libraries that kept binaries need."""

    name = "elf"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._active = any(is_shared(p) or "/ld" in p for p in scene.candidates)
        self._readable = scene.inventory.layout.platform != "win"
        self._resolver: Resolver | None = None
        self._swept = False

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._active:
            return
        if not self._readable:
            yield from self._unreadable()
            return
        elf = self.scene.facts.elf
        for path in batch:
            facts = elf.get(path)
            if facts is None:
                continue
            if self._resolver is None:
                self._resolver = Resolver(self.scene)
            for name in facts.needed:
                for target in self._resolver.resolve(path, facts, name):
                    if target in self.candidates:
                        yield Veto(target, f"{path} needs {name}", path)
            if facts.interpreter:
                inside = self.scene.tree.inside(facts.interpreter)
                if inside in self.candidates:
                    yield Veto(str(inside), f"{path} is run by {facts.interpreter}", path)

    def _unreadable(self) -> Iterator[Veto]:
        """PE is not read: every library stays that no rule names."""
        if self._swept:
            return
        self._swept = True
        for path, rule in self.candidates.items():
            if is_shared(path) and not self.scene.scopes.names_library(rule, path):
                yield Veto(path, "what needs a library is not known on Windows: it may be needed")
