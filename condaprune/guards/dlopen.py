"""A library that nothing links to may be opened by name while a program runs.

Such an orphan stays unless a rule names it: by its package, its kind or its file name. Where only
what was traced stays, one in a package that has code stays if anything does that could open it.
Members of families that load each other by computed names (MKL, cuDNN), and the plug-in folders
of kept libraries, stay with their kin.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from condaprune.evidence.knowledge import Opened, table
from condaprune.evidence.once import Once
from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.evidence.tree import Resolver
from condaprune.model import Veto
from condaprune.paths import is_library
from condaprune.sources.kinds import LIBRARY, PROGRAM

_EXTENSION = re.compile(r"\.(?:cpython-\d+[^.]*|abi3t?|cp\d+t?-[^.]+|pypy\d+[^.]*|graalpy[^.]*)\.")
_ORPHAN = "nothing links to it: it may be opened by name (dlopen, ctypes)"


class Dlopen(Guard):
    """Rescues libraries that are, or may be, opened by name."""

    reads = (LIBRARY, PROGRAM)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._waiting: dict[str, list[str]] = defaultdict(list)
        libraries = [path for path in scene.candidates if is_library(path)]
        self._opened: list[tuple[Opened, list[str]]] = []
        for row in table(Opened) if libraries else ():
            if row.folder:
                members = list(filter(re.compile(row.folder).match, libraries))
            else:
                members = [path for path in libraries if _name(path).startswith(row.host)]
            if members:
                self._opened.append((row, members))

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        return any(map(is_library, prospect.candidates))

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        yield from self._awaited(batch)
        yield from self._kin(batch)
        yield from (veto for veto in self.names_in_code(batch) if is_library(veto.path))

    def begin(self) -> Iterator[Veto]:
        """The orphans, but for those that wait for code of their package."""
        orphans = [
            path
            for path, removal in self.candidates.items()
            if is_library(path)
            and self.entries[path].kind == "file"
            and not _EXTENSION.search(_name(path))
            and not removal.names_library(path)
        ]
        if not orphans:
            return
        self.scene.facts.load(
            p for p, e in self.entries.items() if e.kind == "file" and self._binary(p)
        )
        homes = self._homes(orphans)
        for path in sorted((self.scene.facts.elf.keys() & orphans) - self._linked()):
            if path in homes:
                self._waiting[homes[path]].append(path)
            else:
                yield Veto(path, _ORPHAN)

    def _homes(self, orphans: Sequence[str]) -> Mapping[str, str]:
        """Orphans that no trace holds, each with the top-level package whose code may open it.

        Folders of libraries alone (those of NVIDIA's wheels) are opened by other packages, and an
        ``__init__.py`` without content is not code: their orphans are not among these.
        """
        modules = self.scene.modules
        found = {
            path: modules.top_folder(path)
            for path in orphans
            if self.candidates[path].origin == "untraced"
        }
        code = (p for p, e in self.entries.items() if _is_code(p, e.size)) if found else ()
        coded = set(map(modules.top_folder, code)) - modules.roots - {""}
        return {path: top for path, top in found.items() if top in coded}

    def _awaited(self, batch: Sequence[str]) -> Iterator[Veto]:
        """The orphans of packages of which something stays that can open them."""
        for path in batch if self._waiting else ():
            if path.endswith((".py", ".pyc")) or is_library(path):
                home = self.scene.modules.top_folder(path)
                because = f"{_ORPHAN}; {path} of its package stays"
                yield from self.rescue(self._waiting.pop(home, ()), because, path)

    def _binary(self, path: str) -> bool:
        """Whether a file may link to libraries: the only candidates that are worth reading."""
        if path not in self.candidates or is_library(path):
            return True
        name = path.rpartition("/")[2]
        return self.entries[path].mode & 0o111 != 0 and "." not in name

    def _linked(self) -> set[str]:
        """The files that some binary of the whole environment needs, links followed."""
        resolver = Resolver(self.scene.inventory, self.scene.tree)
        once, found = Once(), set[str]()
        for path, facts in self.scene.facts.elf.items():
            for name in facts.needed:
                for target in once.of(resolver.resolve(path, facts, name), path):
                    found.add(target)
                    found.add(self.scene.tree.follow(target).end)
        return found

    def _kin(self, batch: Sequence[str]) -> Iterator[Veto]:
        for path in batch if self._opened else ():
            name = _name(path)
            if ".so" not in name and ".dylib" not in name and not name.endswith(".dll"):
                continue
            for row, members in self._opened:
                if members and name.startswith(row.host):
                    because = f"{row.reason}: {path} opens it by name"
                    yield from self.rescue(members, because, path, general=True)
                    members.clear()


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_code(path: str, size: int) -> bool:
    """Whether a file has code that may open libraries: Python with content, or an extension."""
    name = _name(path)
    if name.endswith(".pyc"):
        return name != "__init__.pyc" and "/__pycache__/" not in path
    return size > 0 if name.endswith(".py") else _EXTENSION.search(name) is not None
