"""What an archive needs after it is unpacked: conda-unpack, the activation scripts."""

from __future__ import annotations

from collections.abc import Iterator

from condaprune.evidence.knowledge import UnpackFile, table
from condaprune.evidence.scene import Guard
from condaprune.model import Veto


class Unpack(Guard):
    """Rescues the scripts of conda-pack; what they import is left to the imports guard."""

    def begin(self) -> Iterator[Veto]:
        for folder in self.scene.inventory.layout.roots.get("bin", ()):
            if not any(f"{folder}/conda-unpack{end}" in self.entries for end in ("", ".exe")):
                continue
            for row in table(UnpackFile):
                yield from self.rescue((f"{folder}/{name}" for name in row.paths), row.reason)
