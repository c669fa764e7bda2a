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

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._always: list[tuple[str, PlacedData]] = []
        self._waiting: list[tuple[PlacedData, re.Pattern[str], dict[str, list[str]]]] = []
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
            for match in filter(None, map(re.compile(row.data).fullmatch, files)):
                wanted.setdefault(_place(match), []).append(match[0])
            if wanted and row.user:
                self._waiting.append((row, re.compile(row.user), wanted))
            self._always += [(path, row) for path in wanted.get("", ()) if not row.user]

    def begin(self) -> Iterator[Veto]:
        for path, row in self._always:
            yield Veto(path, row.reason)
        yield from self.rescue(self._only_zones(), "the only copy of the time zones")

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        for row, users, wanted in self._waiting:
            for path in batch if wanted else ():
                if match := users.fullmatch(path):
                    yield from self.rescue(wanted.pop(_place(match), ()), row.reason, path)
        yield from (veto for veto in self.names_in_code(batch) if not is_library(veto.path))

    def _only_zones(self) -> list[str]:
        """The time zones to keep, if no copy is left whole."""
        zones = [
            path
            for path, entry in self.entries.items()
            if entry.kind != "folder" and "zoneinfo/" in path and _ZONES.fullmatch(path)
        ]
        going = [path for path in zones if path in self.candidates]
        if any(path.endswith("/UTC") and path not in self.candidates for path in zones):
            return []
        # The copy of the Python package is the smaller, and the one Python falls back to.
        python = [path for path in going if not path.startswith("share/")]
        return [path for path in python or going if not path.endswith((".py", ".pyc"))]
