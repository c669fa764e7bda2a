"""The commands of a distribution stay with the entry points that declare them.

A pattern such as ``*-config`` means the scripts that give a build its flags; it takes commands of
Python programs too. Rules about the package, the user's own options and ``--only-traced`` mean
what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto
from condaprune.sources.kinds import ENTRY_POINTS

_SECTIONS = ("[console_scripts]", "[gui_scripts]")


class Commands(Guard):
    """Rescues commands that general rules take."""

    reads = (ENTRY_POINTS,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._commands: dict[str, str] = {}
        for folder in scene.inventory.layout.roots.get("bin", ()):
            for path in scene.below(folder):
                removal = scene.candidates[path]
                if removal.category and not removal.packages:
                    self._commands[path[len(folder) + 1 :].removesuffix(".exe")] = path

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._commands:
            return
        for path in batch:
            if path.endswith("/entry_points.txt"):
                yield from self._declared(path)

    def _declared(self, path: str) -> Iterator[Veto]:
        inside = False
        for line, text in self.scene.facts.lines(path):
            text = text.strip()
            if text.startswith("["):
                inside = text in _SECTIONS
            elif inside and "=" in text:
                target = self._commands.get(text.partition("=")[0].strip())
                if target is not None:
                    yield Veto(target, f"{path}:{line} declares this command", path)
