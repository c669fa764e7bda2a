"""Activation scripts stay, and with them the files that they point variables at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto
from condaprune.sources.kinds import ACTIVATION

FOLDERS = ("etc/conda/activate.d", "etc/conda/deactivate.d", "etc/conda/env_vars.d")
_NAMED = re.compile(r"\$(?:\{CONDA_PREFIX\}|CONDA_PREFIX\b|\{PREFIX\}|PREFIX\b)/([\w.+@/-]+)")
_NAMED_FOREIGN = re.compile(r"%CONDA_PREFIX%[\\/]([\w.+@\\/-]+)")
_BROAD = frozenset({"bin", "etc", "include", "lib", "lib64", "share", "ssl", "Library", "Scripts"})


class Activation(Guard):
    """Rescues activation scripts and what they name."""

    reads = (ACTIVATION,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._named: set[str] = set()

    def begin(self) -> Iterator[Veto]:
        for folder in FOLDERS:
            yield from self.rescue(
                self.scene.below(folder), "conda runs it to activate the environment"
            )
        yield Veto("conda-meta/state", "conda sets its variables on activation")

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        for path in batch:
            if path.startswith("etc/conda/") and path in self.scene.facts.text:
                for number, line in self.scene.facts.lines(path):
                    yield from self._line(path, number, line)

    def _line(self, script: str, number: int, line: str) -> Iterator[Veto]:
        named = [match[1] for match in _NAMED.finditer(line)]
        named += [m[1].replace("\\", "/") for m in _NAMED_FOREIGN.finditer(line)]
        home = self.scene.inventory.prefix
        if home and home in line:
            named += re.findall(re.escape(home) + r"/([\w.+@/-]+)", line)
        for name in named:
            name = name.rstrip("/.")
            if not name or name in _BROAD:
                continue
            because = f"{script}:{number} names {name}"
            trail = self.scene.tree.follow(name)
            yield from self.rescue((name, *trail.links, trail.end), because, script)
            for folder in {name, trail.end} - {""} - self._named:
                self._named.add(folder)
                yield from self.rescue(self.scene.below(folder), because, script, general=True)
