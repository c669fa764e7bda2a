"""A package that imports in ways that cannot be read keeps the modules beside the importer.

Imports made by extension modules leave no trace in their bytes, and computed names have none
before they run. So the modules directly in a package that holds a kept extension module, or a
kept file with a computed import, stay; its sub-packages and what looks like tests do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto
from condaprune.paths import parent

_TESTS = re.compile(r"conftest|tests?|test_.*|.*_tests?|setup")
"""Modules that are run by name, by people and tools, and imported by no package."""


class Siblings(Guard):
    """Rescues the modules beside extension modules and computed imports."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._done: set[str] = set()

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        modules, python = self.scene.modules, self.scene.facts.python
        if not modules.children:
            return
        for path in batch:
            facts = python.get(path)
            if facts is not None:
                because = f"{path}:{facts.computed_line} imports modules by computed names"
                for package in facts.computed:
                    yield from self._keep(package, path, because)
            elif path.endswith((".so", ".pyd")) and self._extension(path):
                package = modules.package_of(parent(path)) or ""
                yield from self._keep(package, path, f"the extension module {path} may import it")

    def _extension(self, path: str) -> bool:
        module = self.scene.modules.locate(path)
        named_library = path.rpartition("/")[2].startswith("lib")
        return module is not None and not module.package and not named_library

    def _keep(self, package: str, needs: str, because: str) -> Iterator[Veto]:
        if not package or package in self._done:
            return
        self._done.add(package)
        for name in self.scene.modules.children.get(package, ()):
            if _TESTS.fullmatch(name.rpartition(".")[2]):
                continue
            for target in self.scene.modules.candidates[name]:
                if target.rpartition("/")[2].startswith("__init__."):
                    continue  # a sub-package
                removal = self.candidates[target]
                # A rule about the package knows what its modules import, as long as nothing of
                # what it takes had to be rescued.
                if not removal.packages or self.candidates.get(needs) is removal:
                    yield Veto(target, because, needs)
