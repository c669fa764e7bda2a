"""No kept binary may lose a library that the loader found for it in the environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.evidence.tree import Resolver
from condaprune.model import Veto
from condaprune.paths import is_library
from condaprune.sources.kinds import LIBRARY, PROGRAM


class Elf(Guard):
    """Rescues the libraries that kept binaries need."""

    reads = (LIBRARY, PROGRAM)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._active = self.concerned(scene)
        self._readable = scene.inventory.layout.platform != "win"

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self.scene.inventory, self.scene.tree)

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        return any(is_library(path) or "/ld" in path for path in prospect.candidates)

    def begin(self) -> Iterator[Veto]:
        """PE is not read: every library stays that no rule names."""
        if not self._readable:
            for path, removal in self.candidates.items():
                if is_library(path) and not removal.names_library(path):
                    yield Veto(path, "on Windows nothing shows which programs need it")

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not (self._active and self._readable):
            return
        elf = self.scene.facts.elf
        for path, facts in ((path, elf[path]) for path in batch if path in elf):
            for name in facts.needed:
                targets = self._resolver.resolve(path, facts, name)
                yield from self.needed(targets, f"{path} needs {name}", path)
            if facts.interpreter:
                inside = self.scene.tree.inside(facts.interpreter)
                if inside is not None:
                    yield Veto(inside, f"{path} is run by {facts.interpreter}", path)
