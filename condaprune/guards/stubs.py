"""Stub files that are read at run time stay.

``lazy_loader.attach_stub`` takes imports from the stubs of its own package; type checkers and
Sphinx read those of every package. Stubs that code opens by name (jedi) are for the data guard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from condaprune.evidence.prefilter import Word
from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.model import Veto
from condaprune.sources.kinds import STUB

_READERS = frozenset(
    {"mypy", "pyright", "basedpyright", "pytype", "pyre", "pyrefly", "ty", "zuban", "sphinx-build"}
)
"""Commands that read the stubs of whatever is installed."""


class Stubs(Guard):
    """Rescues the ``.pyi`` files of packages that load themselves by them."""

    words = (Word("attach_stub", b"attach_stub"),)
    reads = (STUB,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._stubs: dict[str, list[str]] = defaultdict(list)
        for path in scene.candidates:
            if path.endswith(".pyi"):
                self._stubs[scene.modules.top_folder(path)].append(path)
        folders = scene.inventory.layout.roots.get("bin", ())
        readers = (f"{folder}/{name}" for folder in folders for name in _READERS)
        self._readers = frozenset(readers) if self._stubs else frozenset()

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        stubs = any(path.endswith(".pyi") for path in prospect.candidates)
        return stubs or bool(prospect.modules.candidates)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        python, modules = self.scene.facts.python, self.scene.modules
        for path in batch:
            if path in self._readers:
                yield from self._all(path)
            facts = python.get(path)
            if facts is None or "attach_stub" not in facts.words:
                continue
            top = modules.top_folder(path)
            because = f"{path} calls attach_stub: the stubs of its package are read at run time"
            yield from self.rescue(self._stubs.get(top, ()), because, path)
            yield from self._imported(path[: -len(".py")] + ".pyi")

    def _all(self, reader: str) -> Iterator[Veto]:
        """The stubs that a general rule takes; one about a package knows who reads its stubs."""
        because = f"{reader.rpartition('/')[2]} reads the stubs of every package"
        yield from self.rescue(chain(*self._stubs.values()), because, reader, general=True)

    def _imported(self, stub: str) -> Iterator[Veto]:
        """The modules that the stub beside a file names are what it loads when asked."""
        if stub in self.entries:
            self.scene.facts.load([stub])
            for _, facts in self.scene.code([stub]):
                for edge in facts.imports:
                    yield from self.needed(edge.targets, f"{stub}:{edge.line} {edge.text}", stub)
