"""Evidence of what a failed trial misses: what its output says, and what it asks the system for."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from condaprune.errors import TraceError, VerificationFailed
from condaprune.live.messages import Kind, read_missing
from condaprune.live.trace.recorders import make_recorder
from condaprune.live.trace.recorders.base import Recording
from condaprune.live.trials import Failure, Trial
from condaprune.model import Inventory, Plan
from condaprune.names import canonical_name
from condaprune.paths import parent
from condaprune.sources.owners import source_of_bytecode

_LINES = 30
_PATHS = 20


@dataclass(frozen=True, slots=True)
class Clue:
    """A removed entry that was looked for, and the words that say so."""

    path: str
    because: str


class Removed:
    """The entries that a plan removed, found by the names that messages give them."""

    def __init__(self, inventory: Inventory, removed: Iterable[str]) -> None:
        self._inventory = inventory
        self._prefix = inventory.prefix.rstrip("/")
        self._removed = dict.fromkeys(removed)
        self._names: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        for path in self._removed:
            if inventory.entries[path].kind != "folder":
                self._names.setdefault(path.rpartition("/")[2], []).append(path)
                self._below.setdefault(parent(path), []).append(path)

    def by_path(self, text: str) -> list[str]:
        """Entries by a path in a message, where a folder means all that was in it."""
        path = posixpath.normpath(text).removeprefix(self._prefix + "/")
        if path in self._removed:
            return self._with_content(path)
        if text.startswith("/"):
            return []
        tail = path.lstrip("./")
        name = tail.rpartition("/")[2]
        return [p for p in self._names.get(name, ()) if p == tail or p.endswith("/" + tail)]

    def was_needed(self, path: str) -> bool:
        """Whether a path of the prefix that was looked for is a removed file or link, other than
        bytecode whose source is still there: that is looked for first, and not needed."""
        entries = self._inventory.entries
        if path not in self._removed or entries[path].kind == "folder":
            return False
        source = source_of_bytecode(path) if path.endswith(".pyc") else ""
        return not source or source not in entries or source in self._removed

    def by_library(self, text: str) -> list[str]:
        """Libraries by name or path."""
        name = text.rpartition("/")[2]
        return self.by_path(text) or self._names.get(name, [])

    def by_module(self, name: str) -> list[str]:
        """The files of a module, or all of a package's folder where that is gone with its
        ``__init__``; for a missing sub-module the outermost package that is gone."""
        parts = [part for part in name.split(".") if part]
        stems = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return next(filter(None, map(self._module, stems)), [])

    def _module(self, stem: str) -> list[str]:
        layout = self._inventory.layout
        paths: list[str] = []
        for home in (*layout.site, *layout.stdlib, *(f"{h}/lib-dynload" for h in layout.stdlib)):
            start = f"{home}/{stem}"
            paths += self._with_content(start if start in self._removed else f"{start}/__init__.py")
            paths += [
                path
                for path in self._below.get(parent(start), ())
                if path.startswith(start + ".") and path.endswith((".py", ".so", ".pyd", ".pyc"))
            ]
        return paths

    def by_distribution(self, name: str) -> list[str]:
        """The removed metadata of a Python distribution."""
        canonical = canonical_name(name)
        return [
            path
            for distribution in self._inventory.distributions
            if distribution.name == canonical
            for path in self._with_content(distribution.path)
        ]

    def _with_content(self, path: str) -> list[str]:
        """A removed file or link, or those in a folder."""
        entries = self._inventory.entries
        if path not in entries:
            return []
        if entries[path].kind != "folder":
            return [path] if path in self._removed else []
        return [
            p for p in self._removed if p.startswith(path + "/") and entries[p].kind != "folder"
        ]


def read_output(output: str, removed: Removed) -> list[Clue]:
    """The removed entries that the output of a command names, the most direct clue first."""
    by_kind: dict[Kind, Callable[[str], list[str]]] = {
        "module": removed.by_module,
        "attribute": removed.by_module,
        "distribution": removed.by_distribution,
        "library": removed.by_library,
        "file": removed.by_path,
    }
    clues: dict[str, Clue] = {}
    seen: set[tuple[Kind, str]] = set()
    for missing in read_missing(output):
        if (missing.kind, missing.name) in seen:
            continue
        seen.add((missing.kind, missing.name))
        for path in by_kind[missing.kind](missing.name):
            clues.setdefault(path, Clue(path, missing.line))
    return list(clues.values())


def read_misses(
    trials: Sequence[Trial], failure: Failure, plan: Plan, removed: Removed, seconds: float = 0.0
) -> list[Clue]:
    """The removed entries that the failed trial asks the system for in vain: one more run of it.

    None for a trial that is not a command, and where strace is missing or not allowed.
    """
    trial = next(trial for trial in trials if trial.name == failure.trial)
    record = _record("strace", trial, plan, seconds)
    if record is None:
        return []
    return [
        Clue(path, "looked for in vain")
        for path, entry in record[0].entries.items()
        if "enoent" in entry.kinds and removed.was_needed(path)
    ]


def read_use(
    trial: Trial, plan: Plan, seconds: float = 0.0
) -> tuple[list[str], Failure | None] | None:
    """The paths of the prefix that a trial uses, and whether it failed: one more run of it.

    None for a trial that is not a command, and where nothing can be recorded.
    """
    for name in ("strace", "inotify"):
        record = _record(name, trial, plan, seconds)
        if record is not None:
            recording, failure = record
            kinds = {"open", "exec", "readlink", "stat"}
            return [p for p, e in recording.entries.items() if kinds & e.kinds], failure
    return None


def _record(
    name: str, trial: Trial, plan: Plan, seconds: float
) -> tuple[Recording, Failure | None] | None:
    if not trial.recordable:
        return None
    with tempfile.TemporaryDirectory(prefix="condaprune-record-") as scratch:
        recorder = make_recorder(name, plan.inventory.prefix, scratch)
        try:
            recorder.check()
            recorder.start()
        except TraceError:
            return None
        try:
            failure = trial.run(plan, seconds=seconds, wrap=recorder.launch)
        finally:
            recording = recorder.stop()
    return recording, failure


def verification_failed(
    plan: Plan, failure: Failure, clues: Sequence[Clue], outcome: str
) -> VerificationFailed:
    """The error about a failed trial, with its output and the clues in the text."""
    lines = [f"    {line}" for line in failure.output.strip().splitlines()[-_LINES:]]
    if clues:
        lines.append("  It looked for these files, which were removed:")
    for clue in clues[:_PATHS]:
        name = plan.decision(clue.path).name
        rule = f" (rule {name})" if name else ""
        lines.append(f"    {clue.path}{rule}")
    if len(clues) > _PATHS:
        lines.append(f"    and {len(clues) - _PATHS} more")
    return VerificationFailed(
        f"the verification {failure.trial!r} {failure.ending}; {outcome}",
        where=plan.inventory.label,
        details=lines,
        remedy="Keep the files it needs with --keep, leave the rule out with --ignore, "
        "or let --heal find them",
    )
