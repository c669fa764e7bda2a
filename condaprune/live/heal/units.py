"""What is taken back together: a source with its bytecode, a link with what it points at."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from condaprune.model import Plan
from condaprune.paths import parent
from condaprune.sinks.inplace.format import Journal
from condaprune.sources.owners import source_of_bytecode


@dataclass(frozen=True, slots=True)
class Unit:
    """Removals that come back together: their numbers in the journal and their paths.

    `rule` is what removed them, `owner` the package they belong to (empty for none).
    """

    path: str
    paths: tuple[str, ...]
    numbers: tuple[int, ...]
    rule: str
    owner: str

    @property
    def folder(self) -> str:
        """The folder that they lie in."""
        return parent(self.path)


class Units:
    """All units of a run, in the order of their paths."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._entries = plan.inventory.entries
        numbers: dict[str, list[int]] = {}
        for number, known in enumerate(journal.removals):
            if known.kind != "folder":
                key = source_of_bytecode(known.path) if known.path.endswith(".pyc") else ""
                numbers.setdefault(key or known.path, []).append(number)
        self._of: dict[str, Unit] = {}
        self.all: list[Unit] = []
        for key in sorted(numbers):
            paths = tuple(journal.removals[number].path for number in numbers[key])
            owners = plan.inventory.owners_of(paths[0])
            unit = Unit(
                key,
                paths,
                tuple(numbers[key]),
                plan.decision(key if key in paths else paths[0]).name,
                owners[0].label if owners else "",
            )
            self.all.append(unit)
            for path in paths:
                self._of[path] = unit

    def of(self, paths: Iterable[str]) -> list[Unit]:
        """The units that removed paths belong to, each once, with what their links point at."""
        found: dict[Unit, None] = {}
        pending = list(paths)
        while pending:
            path = pending.pop(0)
            unit = self._of.get(path)
            if unit is not None and unit not in found:
                found[unit] = None
                for member in unit.paths:
                    target = self._entries[member].target
                    if target and not target.startswith("/"):
                        pending.append(posixpath.normpath(f"{parent(member)}/{target}"))
        return list(found)
