"""What a healed run prints: patterns to keep, with the evidence, for condaprune.toml."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from condaprune.live.heal.units import Unit
from condaprune.model import Plan
from condaprune.paths import parent, printable

_WHOLE = 3
_REASON = 160


@dataclass(frozen=True, slots=True)
class Keep:
    """A pattern to keep, the rule that it holds against, and the evidence."""

    pattern: str
    rule: str
    because: str


def make_keeps(plan: Plan, units: Iterable[Unit], evidence: Mapping[str, str]) -> list[Keep]:
    """The keeps that take *units* back; *evidence* maps paths to what was seen.

    A folder whose removed files are all taken back, and more than a few, becomes one pattern.
    """
    wanted: dict[str, Unit] = {}
    for unit in units:
        for path in _worth(plan, unit):
            wanted[path] = unit
    covered = dict(_whole_folders(plan, wanted))
    keeps: dict[str, Keep] = {}
    for path in sorted(wanted):
        unit = wanted[path]
        folder = next((f for f in _above(path) if f in covered), "")
        pattern = pattern_of(folder) + "/" if folder else pattern_of(path)
        because = evidence.get(unit.path) or evidence.get(path, "the verification fails without it")
        keeps.setdefault(pattern, Keep(pattern, unit.rule, because))
    return list(keeps.values())


def _worth(plan: Plan, unit: Unit) -> Iterator[str]:
    """The paths of a unit to keep: bytecode that another rule takes may go."""
    for path in unit.paths:
        same = plan.decision(path).name == unit.rule
        if path == unit.path or unit.path not in unit.paths or same:
            yield path


def _whole_folders(plan: Plan, wanted: Mapping[str, Unit]) -> Iterator[tuple[str, bool]]:
    held: dict[str, int] = {}
    gone: dict[str, int] = {}
    for path in wanted:
        for folder in _above(path):
            held[folder] = held.get(folder, 0) + 1
    for entry in plan.removed():
        if entry.kind != "folder":
            for folder in _above(entry.path):
                if folder in held:
                    gone[folder] = gone.get(folder, 0) + 1
    for folder, count in held.items():
        if count > _WHOLE and count == gone[folder] and plan.removes(folder):
            yield folder, True


def _above(path: str) -> list[str]:
    """The folders that a path lies in, the outermost first."""
    found = []
    while path := parent(path):
        found.append(path)
    return found[::-1]


def pattern_of(path: str) -> str:
    """The pattern (gitignore's syntax) that matches one path and nothing else, as far as can be:
    bytes that are no UTF-8 and control characters cannot be written and become ``?``.

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
