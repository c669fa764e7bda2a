"""The nouns of tracing: what was touched, in which runs, and whether that may be relied on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from condaprune.errors import TraceError
from condaprune.paths import printable

TraceKind = Literal["open", "exec", "stat", "enoent", "readlink", "list"]
KINDS: tuple[TraceKind, ...] = get_args(TraceKind)

Ending = Literal["exit", "signal", "time", "attached", "imported"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)


@dataclass(frozen=True, slots=True)
class TracedEntry:
    """How one path of the prefix was touched.

    `count` is the number of events that a recorder saw (the most that any one recorder saw of a
    run, added up over runs; 1 where a recorder cannot count). `askers` are the Python modules
    whose code asked for it, `computed` those among them whose import named it by an expression;
    both are empty unless the audit recorder ran.
    """

    kinds: frozenset[TraceKind]
    count: int = 1
    recorders: frozenset[str] = frozenset()
    askers: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()


_NOTHING = TracedEntry(frozenset(), 0)


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run.

    `exit_code` is as a shell reports it (128 + N after signal N), or None where there was no
    command. `duration` is in seconds. `changed` names (the first) entries of the prefix that were
    created, deleted or written while it was recorded. `fingerprint` maps a package's label to
    its version, see `ageing.fingerprint`. `canary` is the result of a recorder's self-test, empty
    where none was needed.
    """

    prefix: str
    recorders: tuple[str, ...]
    command: tuple[str, ...] = ()
    exit_code: int | None = None
    ended: Ending = "exit"
    started: str = ""
    duration: float = 0.0
    filesystem: str = ""
    overflow: bool = False
    canary: str = ""
    changed: tuple[str, ...] = ()
    changes: int = 0
    notes: tuple[str, ...] = ()
    fingerprint: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the command itself failed; one that was told to end did not."""
        return self.ended == "exit" and bool(self.exit_code)


@dataclass(frozen=True, slots=True)
class Trace:
    """What was touched in a prefix by one run, or by several together.

    `entries` have paths relative to the prefix. `label` is how messages name the trace: the file
    that it was read from.
    """

    runs: tuple[Run, ...]
    entries: Mapping[str, TracedEntry]
    label: str = "trace"

    @property
    def overflow(self) -> bool:
        """Whether events of any run were lost, which makes the trace invalid."""
        return any(run.overflow for run in self.runs)

    @property
    def prefix(self) -> str:
        """The prefix of the last run."""
        return self.runs[-1].prefix if self.runs else ""


class Tally:
    """Counts events by path and kind; paths are relative to the prefix."""

    def __init__(self, recorder: str) -> None:
        self._recorder = frozenset((recorder,))
        self._kinds: dict[str, set[TraceKind]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, path: str, kind: TraceKind, count: int = 1) -> None:
        """Count events of one kind on one path; an empty path (the prefix itself) is left out."""
        if path:
            self._kinds.setdefault(path, set()).add(kind)
            self._counts[path] += count

    def entries(self) -> dict[str, TracedEntry]:
        """All that was added."""
        return {
            path: TracedEntry(frozenset(kinds), self._counts[path], self._recorder)
            for path, kinds in self._kinds.items()
        }


class Prefix:
    """A prefix by its path and other spellings of it: says which absolute paths lie inside."""

    def __init__(self, path: str, *spellings: str) -> None:
        self._starts = [text.rstrip("/") + "/" for text in (path, *spellings) if text]

    def relative(self, path: str) -> str | None:
        """The path relative to the prefix, normalised as text; None outside the prefix.

        A ``..`` is taken as text: callers that hold paths of this machine resolve them first.
        """
        if "//" in path or "/." in path:
            path = os.path.normpath(path)
            path = path[1:] if path.startswith("//") else path
        for start in self._starts:
            if path.startswith(start):
                return path[len(start) :].rstrip("/")
            if path == start[:-1]:
                return ""
        return None


def merge(traces: Sequence[Trace]) -> Trace:
    """The union of traces: all their runs, and each entry with all its kinds, counts added up."""
    runs = tuple(run for trace in traces for run in trace.runs)
    return Trace(runs, union(trace.entries for trace in traces))


def union(
    parts: Iterable[Mapping[str, TracedEntry]], *, same_run: bool = False
) -> dict[str, TracedEntry]:
    """All entries; counts add up, unless several recorders saw the *same run*."""
    entries: dict[str, TracedEntry] = {}
    for part in parts:
        for path, entry in part.items():
            other = entries.get(path, _NOTHING)
            entries[path] = TracedEntry(
                entry.kinds | other.kinds,
                max(entry.count, other.count) if same_run else entry.count + other.count,
                entry.recorders | other.recorders,
                entry.askers | other.askers,
                entry.computed | other.computed,
            )
    return entries


def check_usable(trace: Trace, *, accept_failed: bool = False) -> None:
    """Refuse a trace that must not be relied on.

    Errors: `TraceError` where events were lost, where nothing was touched, and, unless
    *accept_failed*, where the recorded command failed.
    """
    if trace.overflow:
        raise TraceError(
            "the trace is incomplete: the kernel's queue overflowed and events were lost",
            where=trace.label,
            remedy="Record it again, with `--recorder strace` or with a larger "
            "`sysctl fs.inotify.max_queued_events`",
        )
    if not trace.entries:
        raise TraceError(
            "the trace is empty: the workload touched nothing in the prefix",
            where=trace.label,
            remedy="Record the command that uses the environment, with `--prefix ENV`",
        )
    for run in trace.runs:
        if run.failed and not accept_failed:
            raise TraceError(
                f"the recorded command ({command_text(run.command)}) failed with exit code "
                f"{run.exit_code}, so the trace may cover only part of the workload",
                where=trace.label,
                remedy="Record a run that succeeds, or accept this one with `--accept-failed`",
            )


def command_text(command: Sequence[str], limit: int = 80) -> str:
    """A command on one line, as messages quote it."""
    import shlex

    text = printable(shlex.join(command))
    return text if len(text) <= limit else text[: limit - 3] + "..."
