"""What a removal cost: what no longer works, and why it took more or less than condaprune."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import source_from_cache
from pathlib import Path

from benchmarks import workloads
from condaprune import api
from condaprune.live.verify.importer import ImportResults
from condaprune.live.verify.proof import compare, compare_imports, sweep
from condaprune.live.verify.removals import Ledger
from condaprune.model import Plan
from condaprune.request.request import Request

_LONGEST = 160
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
        return {
            name: api.plan(self.prefix, Request(profile=name)) for name in ("runtime", "minimal")
        }

    def losses(self, after: Path) -> Losses:
        """What worked here and does not in *after*, a copy of which things were removed.

        All removals are held against the same measure: what was announced counts as a loss, a
        module or command whose own file was removed does not. Before imports and workloads are
        tried, bytecode is put back into *after*.
        """
        gone = Ledger(dict.fromkeys(set(self.listing) - set(files(after)), ""))
        starts = self.baseline is None or workloads.starts(after)
        checks = _WITHOUT_IMPORTS if starts else _WITHOUT_CODE
        results = [compare(self.prefix, after, checks=checks)]
        self.warm(after)
        if self.baseline is not None and starts:
            results.append(compare_imports(self.baseline, after, removed=gone))
        counts: Counter[str] = Counter()
        examples = []
        for finding in (f for found in results for f in (*found.lost, *found.announced)):
            if counts[finding.check] == 0:
                examples.append(f"{finding.check}: {finding.name}: {finding.evidence}")
            counts[finding.check] += 1
        return Losses(
            starts,
            {check: counts[check] for check in _WORDS if counts[check]},
            tuple(self.told(text, after) for text in examples),
            self._failures(after, self.work.second),
            self._failures(after, self.work.checks),
        )

    def _failures(self, after: Path, checks: Mapping[str, str]) -> dict[str, str]:
        found = workloads.failures(after, checks)
        return {name: self.told(said, after) for name, said in found.items()}

    def told(self, text: str, after: Path) -> str:
        """A message without the folders of this machine, and not too long for a table."""
        for root in (after, self.prefix):
            text = text.replace(f"{root}/", "")
        text = re.sub(r"(?<![\w./])/(?:[\w.+@-]+/)+(?=[\w.+-])", "", text)
        return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

    def warm(self, after: Path) -> None:
        """Put back the bytecode of the sources that are left, as first starts would write it.

        It is the same, and compiling it for each trial anew would take most of the time.
        """
        for path in self.listing:
            if path.endswith(".pyc") and "/__pycache__/" in path:
                source = after / source_from_cache(path)
                target = after / path
                if source.exists() and not target.exists():
                    target.parent.mkdir(exist_ok=True)
                    shutil.copy2(self.prefix / path, target)

    def beyond(self, after: Mapping[str, File]) -> list[str]:
        """Why a removal took bytes that `runtime` keeps: a phrase each, the most bytes first.

        Bytes of edited files, such as stripped libraries, are one of them.
        """
        kept = self.plans["runtime"]
        sums: Counter[str] = Counter()
        names: dict[str, Counter[str]] = {}
        counted: set[tuple[int, int]] = set()
        for path, file in self.listing.items():
            if kept.removes(path) or path in _EDITED:
                continue
            if path in after:
                if after[path].size < file.size:
                    sums[_BY_EDITING] += file.size - after[path].size
            elif file.identity not in counted:
                counted.add(file.identity)
                why, name = self._why(path)
                sums[why] += file.size
                names.setdefault(why, Counter())[name] += file.size
        return [
            f"{count / 1e6:.1f} MB {why}{_shown(why, names.get(why, Counter()))}"
            for why, count in sums.most_common()
            if count >= 50_000
        ]

    def _why(self, path: str) -> tuple[str, str]:
        """Why `runtime` keeps a path, and what to name as an example: the path, or a rule."""
        decision = self.plans["runtime"].decision(path)
        if decision.basis == "guard":
            return f"that the guard `{decision.name}` keeps{_PATH}", path
        if decision.basis == "rule-keep":
            return "that rules keep, by", decision.name
        later = self.plans["minimal"].decision(path)
        if later.remove:
            return "that only `minimal` removes, by", later.name
        if later.basis == "guard":
            return f"that `minimal` would take and the guard `{later.name}` keeps{_PATH}", path
        return f"that no rule takes{_PATH}", path


_PATH = ", such as"
_BY_EDITING = "by editing files (stripping libraries)"


def _shown(why: str, names: Counter[str]) -> str:
    """The largest path or the three largest rules."""
    most = 1 if why.endswith(_PATH) else 3
    return " " + ", ".join(f"`{name}`" for name, _ in names.most_common(most)) if names else ""
