"""The nouns of tracing: what was touched, in which runs, and whether that may be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from condaprune.errors import TraceError

FORMAT = 1
"""The version of the file format that this module's nouns are written as."""

TraceKind = Literal["open", "exec", "stat", "enoent", "readlink", "list"]
KINDS: tuple[TraceKind, ...] = get_args(TraceKind)

Ended = Literal["exit", "signal", "time", "attached", "imported"]
ENDINGS: tuple[Ended, ...] = get_args(Ended)


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

    def beside(self, other: TracedEntry) -> TracedEntry:
        """Both as seen by two recorders of the same run: the higher count holds."""
        return self._joined(other, max(self.count, other.count))

    def after(self, other: TracedEntry) -> TracedEntry:
        """Both as seen in two runs: counts add up."""
        return self._joined(other, self.count + other.count)

    def _joined(self, other: TracedEntry, count: int) -> TracedEntry:
        return TracedEntry(
            self.kinds | other.kinds,
            count,
            self.recorders | other.recorders,
            self.askers | other.askers,
            self.computed | other.computed,
        )


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
    ended: Ended = "exit"
    started: str = ""
    duration: float = 0.0
    filesystem: str = ""
    overflow: bool = False
    canary: str = ""
    changed: tuple[str, ...] = ()
    changes: int = 0
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the command said that it failed. One that was asked to end did not fail."""
        return self.ended == "exit" and bool(self.exit_code)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known about a trace as a whole: the runs that it is the union of."""

    runs: tuple[Run, ...]
    format: int = FORMAT

    @property
    def exit_code(self) -> int:
        """The exit code of the first run that failed, else 0."""
        return next((run.exit_code or 0 for run in self.runs if run.failed), 0)

    @property
    def failed(self) -> bool:
        """Whether any run's command failed."""
        return any(run.failed for run in self.runs)

    @property
    def overflow(self) -> bool:
        """Whether events of any run were lost, which makes the trace invalid."""
        return any(run.overflow for run in self.runs)

    @property
    def recorders(self) -> tuple[str, ...]:
        """The recorders of all runs, each once, in order."""
        return tuple(dict.fromkeys(name for run in self.runs for name in run.recorders))

    @property
    def prefix(self) -> str:
        """The prefix of the last run."""
        return self.runs[-1].prefix if self.runs else ""


@dataclass(frozen=True, slots=True)
class Trace:
    """What was touched of a prefix: entries by their path relative to it.

    `label` is how messages name the trace: the file it was read from.
    """

    header: Header
    entries: Mapping[str, TracedEntry]
    label: str = "trace"


def merge(traces: Sequence[Trace], label: str = "merged trace") -> Trace:
    """The union of traces: all their runs, and each entry with all its kinds, counts added up."""
    entries: dict[str, TracedEntry] = {}
    for trace in traces:
        for path, entry in trace.entries.items():
            known = entries.get(path)
            entries[path] = entry if known is None else known.after(entry)
    runs = tuple(run for trace in traces for run in trace.header.runs)
    return Trace(Header(runs), entries, label)


def beside(parts: Iterable[Mapping[str, TracedEntry]]) -> dict[str, TracedEntry]:
    """What several recorders saw of one and the same run."""
    entries: dict[str, TracedEntry] = {}
    for part in parts:
        for path, entry in part.items():
            known = entries.get(path)
            entries[path] = entry if known is None else known.beside(entry)
    return entries


def named(trace: Trace, label: str) -> Trace:
    """The same trace under another label."""
    return replace(trace, label=label)


def check_usable(trace: Trace, *, accept_failed: bool = False) -> None:
    """Refuse a trace that must not be relied on.

    Errors: `TraceError` where events were lost, where nothing was touched, and, unless
    *accept_failed*, where the recorded command failed.
    """
    if trace.header.overflow:
        raise TraceError(
            "the trace is incomplete: the kernel's queue overflowed and events were lost",
            where=trace.label,
            remedy="Record it again, with `--recorder strace` or with a larger "
            "`sysctl fs.inotify.max_queued_events`",
        )
    if not trace.entries:
        raise TraceError(
            "the trace is empty: the workload touched nothing of the prefix",
            where=trace.label,
            remedy="Record the command that uses the environment, with `--prefix ENV`",
        )
    for run in trace.header.runs:
        if run.failed and not accept_failed:
            raise TraceError(
                f"the recorded command ({shown(run.command)}) failed with exit code "
                f"{run.exit_code}, so its trace is that of half a workload",
                where=trace.label,
                remedy="Record a run that succeeds, or use it as it is with `--accept-failed`",
            )


def shown(command: Sequence[str], limit: int = 80) -> str:
    """A command on one line, as messages quote it."""
    import shlex

    from condaprune.paths import printable

    text = printable(shlex.join(command))
    return text if len(text) <= limit else text[: limit - 3] + "..."
