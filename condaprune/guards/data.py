"""Data that programs find by place, and data that kept code names, stays.

The first kind is a table: a pattern, and the kept files that make it needed. The second is
evidence out of code, see `datanames`. docs/guards.md says what neither covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from condaprune.evidence.knowledge import PlacedData, table
from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto
from condaprune.paths import is_library

_NEVER = (".py", ".pyc", ".pyi", ".so", ".h", ".hpp", ".a", ".pyx", ".pxd")
_ZONES = re.compile(r"share/zoneinfo/.*|(?:.*/)?site-packages/tzdata/zoneinfo/.*")


def _place(match: re.Match[str]) -> str:
    """Where a package lies that data or its user belong to; empty where that does not matter."""
    return match.groupdict().get("at") or ""


class Data(Guard):
    """Rescues data that is found by place or by name."""

    name = "data"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._always: list[tuple[str, PlacedData]] = []
        self._waiting: list[tuple[PlacedData, dict[str, list[str]]]] = []
        files = [
            path
            for path in scene.candidates
            if not path.endswith(_NEVER) and self.entries[path].kind != "folder"
        ]
        rows = table(PlacedData) if files else ()
        if rows:
            texts = (f"(?:{row.data.replace('?P<at>', '?:')})" for row in rows)
            files = list(filter(re.compile("|".join(texts)).fullmatch, files))
        for row in rows if files else ():
            wanted: dict[str, list[str]] = {}
            for path in files:
                if match := row.pattern.fullmatch(path):
                    wanted.setdefault(_place(match), []).append(path)
            if wanted and row.user:
                self._waiting.append((row, wanted))
            self._always += [(path, row) for path in wanted.get("", ()) if not row.user]
        self._zones = self._only_zones()

    def begin(self) -> Iterator[Veto]:
        for path, row in self._always:
            yield Veto(path, row.reason)
        for path in self._zones:
            yield Veto(path, "the only copy of the time zones")

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        for row, wanted in self._waiting:
            for path in batch if wanted else ():
                if match := row.users.fullmatch(path):
                    for target in wanted.pop(_place(match), ()):
                        yield Veto(target, row.reason, path)
        for path, facts in self.scene.code(batch):
            for edge in facts.data:
                for target in edge.targets:
                    if not is_library(target):
                        yield Veto(target, f"{path}:{edge.line} {edge.text}", path)

    def _only_zones(self) -> list[str]:
        """The time zones to keep, if no copy is left whole."""
        going: dict[bool, list[str]] = {True: [], False: []}
        whole = {True: False, False: False}
        for path, entry in self.entries.items():
            if entry.kind != "folder" and "zoneinfo/" in path and _ZONES.fullmatch(path):
                system = path.startswith("share/")
                if path in self.candidates:
                    going[system].append(path)
                else:
                    whole[system] = whole[system] or path.endswith(("/UTC", "/Etc/UTC"))
        # The copy of the Python package is the smaller, and the one Python falls back to.
        if whole[True] or whole[False]:
            return []
        return [p for p in going[False] or going[True] if not p.endswith((".py", ".pyc"))]
