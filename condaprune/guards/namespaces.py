"""A folder of modules keeps its ``__init__``: without, it turns silently into a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto
from condaprune.paths import parent


class Namespaces(Guard):
    """Rescues the ``__init__`` of every package of which a module is kept."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._inits: dict[str, list[str]] = {}
        for path in scene.candidates:
            folder, _, name = path.rpartition("/")
            if name.startswith("__init__.") and scene.modules.is_needed(path):
                self._inits.setdefault(folder, []).append(path)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._inits:
            return
        locate = self.scene.modules.locate
        seen: set[str] = set()
        for path in batch:
            folder = parent(path)
            if folder in seen or locate(path) is None:
                continue
            while folder and folder not in seen:
                seen.add(folder)
                because = f"{path} stays, and its package would become a namespace"
                yield from self.rescue(self._inits.get(folder, ()), because, path)
                folder = parent(folder)
