"""No kept module may lose an import.

Evidence are statements and strings in kept Python files, console scripts, entry points of kept
distributions and lines of ``.pth`` files. What a rescued module imports is rescued in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from condaprune.evidence.knowledge import IgnoredImport, table
from condaprune.evidence.pysource import import_line
from condaprune.evidence.references import TooOdd
from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto
from condaprune.paths import join, parent
from condaprune.sources.kinds import ENTRY_POINTS, IMPORT_PATHS

_COMMANDS = frozenset({"console_scripts", "gui_scripts"})
_GROUP = re.compile(r"\s*\[([^\]]+)\]")
_TARGET = re.compile(r"[^=#;\[\]]+=\s*([\w.]+)")


class Imports(Guard):
    """Rescues the modules that kept code imports."""

    reads = (IMPORT_PATHS, ENTRY_POINTS)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._searched: set[str] = set()

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        python, text = self.scene.facts.python, self.scene.facts.text
        self.scene.facts.load(self._stand_ins(batch))
        for path in batch:
            source = path[:-1] if path.endswith(".pyc") and path not in python else path
            facts = python.get(source)
            if facts is not None:
                for edge in () if path.endswith(".pyi") else facts.imports:
                    name = edge.text.rpartition(" ")[2]
                    if any(row.covers(path, name) for row in self._ignored):
                        continue
                    place = f"{self._shown(source)}:{edge.line}".removesuffix(":0")
                    yield from self.needed(edge.targets, f"{place} {edge.text}", path, source)
            elif path in text:
                if path.endswith(".pth"):
                    yield from self._pth(path)
                elif path.endswith("entry_points.txt"):
                    yield from self._entry_points(path)

    @cached_property
    def _ignored(self) -> tuple[IgnoredImport, ...]:
        return table(IgnoredImport)

    def _stand_ins(self, batch: Sequence[str]) -> list[str]:
        """Doomed sources whose modules stay as bytecode: what they import is needed."""
        return [
            path[:-1] for path in batch if path.endswith(".pyc") and path[:-1] in self.candidates
        ]

    def notes(self) -> Iterator[str]:
        """How many files were judged without a parse."""
        count = sum(not facts.parsed for facts in self.scene.facts.python.values())
        if count:
            yield (
                f"{count} Python file{'s' if count > 1 else ''} could not be parsed: everything "
                "in them that looks like an import counts as one"
            )

    def _shown(self, path: str) -> str:
        """A path without the folder that modules are found in."""
        for root in self.scene.inventory.layout.site:
            path = path.removeprefix(f"{root}/")
        return path

    def _entry_points(self, path: str) -> Iterator[Veto]:
        group = ""
        for number, line in self.scene.facts.lines(path):
            header = _GROUP.match(line)
            if header:
                group = header[1]
            match = _TARGET.match(line)
            if match and not (group in _COMMANDS and self._untraced(match[0])):
                yield from self._needs(path, number, match[1], "names")

    def _untraced(self, entry: str) -> bool:
        """Whether the command of an entry point is a script that no trace holds.

        The installed script is what asks for the module; if something rescues it, its own code
        speaks for the module.
        """
        script = f"bin/{entry.partition('=')[0].strip()}"
        removal = self.candidates.get(script)
        return removal is not None and removal.origin == "untraced"

    def _pth(self, path: str) -> Iterator[Veto]:
        for number, line in self.scene.facts.lines(path):
            line = line.rstrip()
            if line.startswith(("import ", "import\t")):
                try:
                    for name in import_line(line):
                        yield from self._needs(path, number, name, "imports")
                except TooOdd:
                    because = f"{self._shown(path)}:{number} cannot be read and may need anything"
                    yield from self.rescue(self.candidates, because, path)
            elif line and not line.startswith("#"):
                yield from self._folder(path, number, line)

    def _folder(self, path: str, number: int, line: str) -> Iterator[Veto]:
        """A folder that is put on the search path: nothing shows who imports from it."""
        tree = self.scene.tree
        folder = tree.inside(line) if line.startswith("/") else join(parent(path), line)
        roots = self.scene.modules.roots
        if (
            not folder
            or folder in self._searched
            or any(f"{root}/".startswith(f"{folder}/") for root in roots)
        ):
            return
        self._searched.add(folder)
        because = f"{self._shown(path)}:{number} puts {folder} on the import path"
        targets = (p for p in self.scene.below(folder) if p.endswith((".py", ".so", ".pyd")))
        yield from self.rescue(targets, because, path)

    def _needs(self, path: str, number: int, name: str, verb: str) -> Iterator[Veto]:
        for target, _ in self.scene.modules.needed_for(name):
            yield Veto(target, f"{self._shown(path)}:{number} {verb} {name}", path)
