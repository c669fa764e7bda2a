"""What a removal cost: what no longer works, and why it took more or less than condaprune."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks import workloads
from condaprune import api
from condaprune.model import Plan
from condaprune.verify import ImportResults, compare, compare_imports, sweep
from condaprune.verify.removals import Ledger

_EDITED = frozenset({"conda-meta/history"})
_WITHOUT_IMPORTS = ("links", "elf", "metadata", "environment", "commands")
_WITHOUT_CODE = ("links", "elf")
_WORDS = {
    "links": "links",
    "elf": "ELF links",
    "metadata": "metadata",
    "environment": "variables",
    "commands": "commands",
    "imports": "imports",
    "unpack": "unpacking",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file or link: its size, and what makes two names one file."""

    size: int
    identity: tuple[int, int]


def files(prefix: Path) -> dict[str, File]:
    """The files and links of a folder by their path relative to it."""
    found: dict[str, File] = {}
    root = os.fspath(prefix)
    for folder, folders, names in os.walk(root):
        for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            size = info.st_size if stat.S_ISREG(info.st_mode) else len(os.readlink(path))
            found[path[len(root) + 1 :]] = File(size, (info.st_dev, info.st_ino))
    return found


def size(listing: Mapping[str, File]) -> int:
    """Apparent bytes, each hard-linked file once."""
    return sum({file.identity: file.size for file in listing.values()}.values())


@dataclass(frozen=True, slots=True)
class Losses:
    """What stopped working: counts by check, and the failures of the workloads by name."""

    starts: bool
    verified: Mapping[str, int]
    examples: tuple[str, ...]
    second: Mapping[str, str]
    checks: Mapping[str, str]

    @property
    def nothing(self) -> bool:
        """Whether everything that worked still works."""
        return self.starts and not (self.verified or self.second or self.checks)

    def text(self) -> str:
        """What ``condaprune verify`` found, in one cell."""
        found = [f"{n:,} {_WORDS[k]}" for k, n in self.verified.items()]
        if not self.starts:
            found = ["**Python does not start**", *found]
        return ", ".join(found) or "nothing"


@dataclass
class Reference:
    """An untouched environment, with what it can do: asked once, held against every removal."""

    prefix: Path
    work: workloads.Work = field(init=False)
    listing: dict[str, File] = field(init=False)

    def __post_init__(self) -> None:
        """List it, and try the workloads."""
        self.listing = files(self.prefix)
        self.work = workloads.choose(self.prefix)

    @cached_property
    def baseline(self) -> ImportResults | None:
        """Which modules it can import; None where it has no Python that runs here."""
        return sweep(self.prefix) if workloads.starts(self.prefix) else None

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """What condaprune would do, by profile."""
        return {name: api.plan(self.prefix, profile=name) for name in ("runtime", "minimal")}

    def losses(self, after: Path) -> Losses:
        """What worked here and does not in *after*, a copy of which things were removed.

        All removals are held against the same measure: what was announced counts as a loss, a
        module or command whose own file was removed does not.
        """
        gone = Ledger(dict.fromkeys(set(self.listing) - set(files(after)), ""))
        starts = self.baseline is None or workloads.starts(after)
        checks = _WITHOUT_IMPORTS if starts else _WITHOUT_CODE
        results = [compare(self.prefix, after, checks=checks)]
        if self.baseline is not None and starts:
            results.append(compare_imports(self.baseline, after, removed=gone))
        counts: Counter[str] = Counter()
        examples = []
        for finding in (f for found in results for f in (*found.lost, *found.announced)):
            if counts[finding.check] == 0:
                examples.append(f"{finding.check}: {finding.name}: {finding.evidence}"[:200])
            counts[finding.check] += 1
        return Losses(
            starts,
            {check: counts[check] for check in _WORDS if counts[check]},
            tuple(examples),
            workloads.failures(after, self.work.second),
            workloads.failures(after, self.work.checks),
        )

    def beyond(self, after: Mapping[str, File]) -> list[str]:
        """Why a removal took bytes that `runtime` keeps: a phrase each, the most bytes first.

        Bytes of edited files, such as stripped libraries, are one of them.
        """
        kept = self.plans["runtime"]
        bytes_by: Counter[str] = Counter()
        shown: dict[str, tuple[int, str]] = {}
        counted: set[tuple[int, int]] = set()
        for path, file in self.listing.items():
            if path in after:
                left = after[path].size
                if left < file.size and not kept.removes(path) and path not in _EDITED:
                    bytes_by["by editing files, such as stripping libraries"] += file.size - left
                continue
            if kept.removes(path) or file.identity in counted:
                continue
            counted.add(file.identity)
            why = self._why(path)
            bytes_by[why] += file.size
            shown[why] = max(shown.get(why, (0, "")), (file.size, path))
        return [
            f"{count / 1e6:.1f} MB {why}" + (f" (`{shown[why][1]}`)" if why in shown else "")
            for why, count in bytes_by.most_common()
            if count >= 50_000
        ]

    def _why(self, path: str) -> str:
        decision = self.plans["runtime"].decision(path)
        if decision.basis == "guard":
            return f"that the guard `{decision.name}` keeps"
        if decision.basis == "rule-keep":
            return f"that the rule `{decision.name}` keeps"
        if path.startswith("conda-meta/"):
            return "of conda's records"
        later = self.plans["minimal"].decision(path)
        if later.remove:
            return f"that only `minimal` removes, by the rule `{later.name}`"
        return "that no rule takes"
