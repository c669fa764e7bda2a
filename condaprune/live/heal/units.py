"""Removals that are restored together, and the patterns that keep them for good."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from condaprune.model import Plan
from condaprune.paths import ancestors, parent, printable
from condaprune.sinks.inplace.journal import Fingerprint
from condaprune.sources.owners import source_of_bytecode

_WHOLE = 3
_REASON = 160


@dataclass(frozen=True, slots=True)
class Unit:
    """Removals that are restored together, such as a source and its bytecode: their numbers in the
    journal and their paths. `rule` removed them, `owner` is their package (empty for none).
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

    def __init__(self, plan: Plan, removals: Sequence[Fingerprint]) -> None:
        self._entries = plan.inventory.entries
        numbers: dict[str, list[int]] = {}
        for number, removal in enumerate(removals):
            path = removal.path
            if removal.kind != "folder":
                key = source_of_bytecode(path) if path.endswith(".pyc") else ""
                numbers.setdefault(key or path, []).append(number)
        self._by_path: dict[str, Unit] = {}
        self.all: list[Unit] = []
        for key in sorted(numbers):
            paths = tuple(removals[number].path for number in numbers[key])
            owners = plan.inventory.owners_of(paths[0])
            unit = Unit(
                key,
                paths,
                tuple(numbers[key]),
                plan.decision(key if key in paths else paths[0]).name,
                owners[0].label if owners else "",
            )
            self.all.append(unit)
            self._by_path |= dict.fromkeys(paths, unit)

    def of(self, paths: Iterable[str]) -> list[Unit]:
        """The units of removed paths, each once, with the units that their links point at."""
        units: dict[Unit, None] = {}
        pending = list(paths)
        while pending:
            unit = self._by_path.get(pending.pop(0))
            if unit is not None and unit not in units:
                units[unit] = None
                for member in unit.paths:
                    target = self._entries[member].target
                    if target and not target.startswith("/"):
                        pending.append(posixpath.normpath(f"{parent(member)}/{target}"))
        return list(units)


@dataclass(frozen=True, slots=True)
class Keep:
    """A pattern to keep, the rule that it overrides, and the evidence."""

    pattern: str
    rule: str
    because: str


def make_keeps(plan: Plan, units: Iterable[Unit], evidence: Mapping[str, str]) -> list[Keep]:
    """The keeps that restore *units*; *evidence* maps paths to why they are needed.

    A folder whose removed files are all restored, and more than a few, becomes one pattern.
    """
    unit_of = {path: unit for unit in units for path in _paths_to_keep(plan, unit)}
    whole = set(_whole_folders(plan, unit_of))
    keeps: dict[str, Keep] = {}
    for path in sorted(unit_of):
        unit = unit_of[path]
        folder = next((f for f in ancestors(path) if f in whole), "")
        pattern = pattern_of(folder) + "/" if folder else pattern_of(path)
        because = evidence.get(unit.path) or evidence.get(path, "the verification fails without it")
        keeps.setdefault(pattern, Keep(pattern, unit.rule, because))
    return list(keeps.values())


def _paths_to_keep(plan: Plan, unit: Unit) -> Iterator[str]:
    """The paths of a unit without bytecode that another rule removes: that may go."""
    for path in unit.paths:
        same = plan.decision(path).name == unit.rule
        if path == unit.path or unit.path not in unit.paths or same:
            yield path


def _whole_folders(plan: Plan, paths: Iterable[str]) -> Iterator[str]:
    """The removed folders of which all removed files, and more than a few, are among *paths*."""
    kept = Counter(folder for path in paths for folder in ancestors(path))
    removed = Counter(
        folder
        for entry in plan.removed()
        if entry.kind != "folder"
        for folder in ancestors(entry.path)
    )
    for folder, count in kept.items():
        if count > _WHOLE and count == removed[folder] and plan.removes(folder):
            yield folder


def pattern_of(path: str) -> str:
    """The pattern (gitignore's syntax) that matches one path and, if possible, nothing else:
    bytes that are not UTF-8 and control characters cannot be written and become ``?``.

    >>> pattern_of("lib/a[1].txt")
    '/lib/a\\\\[1].txt'
    """
    text = "".join("\\" + c if c in "\\*?[" else c if c.isprintable() else "?" for c in path)
    return "/" + (text[:-1] + "\\ " if text.endswith(" ") else text)


def advice(keeps: Iterable[Keep]) -> str:
    """The keeps as lines for condaprune.toml."""
    lines = ["keep = ["]
    for keep in keeps:
        because = " ".join(printable(keep.because).split())[:_REASON]
        rule = f"{keep.rule}: " if keep.rule else ""
        lines.append(f"  # {rule}{because}")
        lines.append(f"  {json.dumps(keep.pattern, ensure_ascii=False)},")
    return "\n".join([*lines, "]"]) + "\n"
