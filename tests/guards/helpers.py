"""Lets tests say in a few lines: these files, those doomed, who is rescued?"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from condaprune.guards import GuardReport, examine
from condaprune.model import Inventory, no_progress
from condaprune.rule import Rule
from condaprune.sources.prefix import PrefixSource
from tests.trees import SITE, Content, make_prefix

STDLIB = "lib/python3.11"
RULE = "test-rule"


@dataclass(slots=True)
class Counted:
    """Contents that note every read."""

    source: PrefixSource
    reads: list[str]

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        return self.source.read(path)

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            yield path, self.read(path)


def matching(inventory: Inventory, patterns: Sequence[str], rule: str = RULE) -> dict[str, str]:
    """The candidates that *patterns* (of fnmatch; ``*`` crosses folders) choose."""
    return {
        path: rule
        for path, entry in inventory.entries.items()
        if entry.kind != "folder"
        and any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)
    }


def shell(pattern: str) -> str:
    """A pattern with ``{site}`` and ``{std}`` filled in."""
    return pattern.replace("{site}", SITE).replace("{std}", STDLIB)


def guarded(
    folder: Path,
    files: Mapping[str, Content],
    doomed: Sequence[str],
    *,
    packages: Mapping[str, Sequence[str]] | None = None,
    rules: Mapping[str, Rule] | None = None,
    off: frozenset[str] = frozenset(),
    rule: str = RULE,
) -> GuardReport:
    """Build a prefix of *files*, doom those that match, and examine.

    Names without a leading folder of the prefix may start with ``{site}`` or ``{std}``.
    """
    tree = {shell(path): data for path, data in files.items()}
    listed = {name: [shell(p) for p in owned] for name, owned in (packages or {}).items()}
    root = make_prefix(folder / "env", tree, packages=listed)
    for script in (root / "bin").iterdir():
        if not script.is_symlink():
            script.chmod(0o755)
    source = PrefixSource(str(root))
    inventory = source.inventory()
    candidates = matching(inventory, [shell(pattern) for pattern in doomed], rule)
    return examine(inventory, source, candidates, rules=rules, off=off, progress=no_progress)


def rescued(report: GuardReport) -> dict[str, str]:
    """Rescued paths (site-packages cut off) and the guard that rescued each."""
    return {
        path.removeprefix(SITE + "/").removeprefix(STDLIB + "/"): veto.guard
        for path, veto in report.vetoes.items()
    }


def make_rule(
    rule_id: str = RULE,
    *,
    package: tuple[str, ...] = (),
    category: str = "test",
    remove: tuple[str, ...] = ("**/x",),
    whole: bool = False,
) -> Rule:
    """A rule of which only a few things matter."""
    return Rule(
        id=rule_id,
        why="",
        breaks=(),
        risk="low",
        category=category,
        references=(),
        remove=remove,
        keep=(),
        removed_examples=(),
        kept_examples=(),
        package=package,
        whole=whole,
    )


@dataclass(frozen=True, slots=True)
class Case:
    """Files, what is doomed, and who is to be rescued by the guard."""

    id: str
    guard: str
    files: dict[str, Content]
    doomed: Sequence[str]
    stays: set[str] = field(default_factory=set)
    rule: Rule = field(default_factory=make_rule)
    packages: dict[str, Sequence[str]] = field(default_factory=dict)
