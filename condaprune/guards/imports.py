"""No kept module may lose an import.

Evidence are statements and strings in kept Python files, console scripts, entry points of kept
distributions and lines of ``.pth`` files. What a rescued module imports is rescued in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from condaprune.guards.base import Guard
from condaprune.guards.exceptions import announced
from condaprune.guards.pysource import import_line
from condaprune.guards.tree import join
from condaprune.model import Veto, parent

_TARGET = re.compile(r"\s*[^=#;\[\]]+=\s*([\w.]+)")


class Imports(Guard):
    """Rescues the modules that kept code imports."""

    name = "imports"

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        python, text = self.scene.facts.python, self.scene.facts.text
        for path in batch:
            facts = python.get(path)
            if facts is not None:
                if facts.imports and not path.endswith(".pyi"):
                    for edge in facts.imports:
                        if announced(path, edge.text):
                            continue
                        because = f"{self._shown(path)}:{edge.line} {edge.text}"
                        for target in edge.targets:
                            yield Veto(target, because, path)
            elif path in text:
                if path.endswith(".pth"):
                    yield from self._pth(path)
                elif path.endswith("entry_points.txt"):
                    yield from self._entry_points(path)

    def notes(self) -> Iterator[str]:
        """How many files were judged without a parse."""
        count = sum(not facts.parsed for facts in self.scene.facts.python.values())
        if count:
            yield (
                f"{count} Python file{'s' if count > 1 else ''} could not be parsed: all that "
                "looks like an import there was taken for one"
            )

    def _shown(self, path: str) -> str:
        """A path without the folder that modules are found in."""
        for root in self.scene.inventory.layout.site:
            if path.startswith(root + "/"):
                return path[len(root) + 1 :]
        return path

    def _entry_points(self, path: str) -> Iterator[Veto]:
        for number, line in self.scene.facts.lines(path):
            match = _TARGET.match(line)
            if match:
                yield from self._needs(path, number, match[1], "names")

    def _pth(self, path: str) -> Iterator[Veto]:
        for number, line in self.scene.facts.lines(path):
            line = line.rstrip()
            if line.startswith(("import ", "import\t")):
                for name in import_line(line):
                    yield from self._needs(path, number, name, "imports")
            elif line and not line.startswith("#"):
                yield from self._folder(path, number, line)

    def _folder(self, path: str, number: int, line: str) -> Iterator[Veto]:
        """A folder that is put on the search path: who imports from it cannot be told."""
        tree = self.scene.tree
        folder = tree.inside(line) if line.startswith("/") else join(parent(path), line)
        if not folder or any(r == folder or r.startswith(folder + "/") for r in self._roots()):
            return
        because = f"{self._shown(path)}:{number} puts {folder} on the import path"
        for target in self.scene.below(folder):
            if target.endswith((".py", ".so", ".pyd")):
                yield Veto(target, because, path)

    def _roots(self) -> frozenset[str]:
        return self.scene.modules.roots

    def _needs(self, path: str, number: int, name: str, verb: str) -> Iterator[Veto]:
        for target, _ in self.scene.modules.needed_for(name):
            yield Veto(target, f"{self._shown(path)}:{number} {verb} {name}", path)
