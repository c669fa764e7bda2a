"""Sources that bytecode needs stay, and bytecode that is itself the module.

Python loads ``__pycache__/x.pyc`` only beside ``x.py``, so a source stays with its bytecode. A lone
``x.pyc`` beside no source is the module itself. A rule that is about sources (category
``source``) may leave modules as lone bytecode, except in packages that read their own source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from condaprune.evidence.prefilter import Word
from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.model import Veto
from condaprune.sources.owners import source_of_bytecode

_READS = {
    "getsource": b"getsource",
    "linecache": b"linecache",
    "numba cache=True": b"cache=True",
    "torch.jit": b"torch.jit",
    "findsource": b"findsource",
}


class Source(Guard):
    """Rescues the sources that bytecode or programs need, and bytecode that has no source."""

    words = tuple(Word(key, text) for key, text in _READS.items())

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._readers: dict[str, list[str]] = defaultdict(list)
        for path, removal in scene.candidates.items():
            if path.endswith(".py") and removal.sources:
                self._readers[scene.modules.top_folder(path)].append(path)

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        return any(removal.sources for removal in set(prospect.candidates.values()))

    def begin(self) -> Iterator[Veto]:
        yield from self._lone()
        # A module that stays as bytecode still reads its source: sources that go count here.
        self.scene.facts.load(p for group in self._readers.values() for p in group)
        for group in list(self._readers.values()):
            yield from self._reading(group)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        for path in batch:
            source = source_of_bytecode(path) if "__pycache__/" in path else ""
            removal = self.candidates.get(source)
            if removal is not None and not removal.sources:
                yield Veto(source, f"{path} is kept, and is loaded only beside its source", path)
        if self._readers:
            yield from self._reading(batch)

    def _reading(self, paths: Sequence[str]) -> Iterator[Veto]:
        """The sources in the packages of files that read sources."""
        for path, facts in self.scene.code(paths):
            words = facts.words & _READS.keys()
            if words:
                because = f"{path} uses {min(words)}, which reads source files"
                targets = self._readers.pop(self.scene.modules.top_folder(path), ())
                yield from self.rescue(targets, because, "" if path in self.candidates else path)

    def _lone(self) -> Iterator[Veto]:
        """Modules that are bytecode only, where a rule about bytecode would take them."""
        lone = [
            path
            for path in self.candidates
            if path.endswith(".pyc")
            and "__pycache__/" not in path
            and path[:-1] not in self.entries
            and self.scene.modules.locate(path) is not None
        ]
        others = {
            removal
            for path, removal in (self.candidates.items() if lone else ())
            if not path.endswith((".pyc", ".pyo")) and self.entries[path].kind != "folder"
        }
        targets = (path for path in lone if self.candidates[path] not in others)
        yield from self.rescue(targets, "it has no source: it is the module itself")
