"""The recorders of one run: chosen, started in order, stopped in the reverse one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from condaprune.errors import TraceError, UsageProblem
from condaprune.live.trace.command import Notice
from condaprune.live.trace.recorders import FALLBACKS, NAMES, make_recorder
from condaprune.live.trace.recorders.base import Launch, Recorder, Recording, walk
from condaprune.paths import from_bytes, to_bytes

AUTO = "auto"


class Team:
    """The recorders called *asked* for the real path *prefix*.

    With *attach*, only those that see processes they did not start. *scratch* is a folder for
    their files; *notice* is called with the reason why ``auto`` took another recorder than its
    first.
    """

    def __init__(
        self, asked: Sequence[str], prefix: str, scratch: str, *, attach: bool, notice: Notice
    ) -> None:
        self._prefix = prefix
        self._scratch = scratch
        self._attach = attach
        self._notice = notice
        self._started: list[Recorder] = []
        self._before: frozenset[str] | None = None
        self.notes: tuple[str, ...] = ()
        self._auto = AUTO in asked and not {*asked} & {*FALLBACKS}
        named = sorted({*asked} - {AUTO}, key=lambda n: NAMES.index(n) if n in NAMES else -1)
        self._named = [make_recorder(name, prefix, scratch) for name in named]
        for recorder in self._named:
            if attach and not recorder.attaches:
                raise UsageProblem(
                    f"the recorder {recorder.name} sees only a command that it starts itself",
                    where="--attach",
                    remedy="Use `--recorder inotify`",
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The recorders that were started."""
        return tuple(recorder.name for recorder in self._started)

    def start(self) -> None:
        """Start all of them, or none. Errors: `TraceError` where one asked for cannot work."""
        for recorder in self._named:
            recorder.check()
        try:
            if self._auto:
                self._start_first()
            for recorder in self._named:
                recorder.start()
                self._started.append(recorder)
            if not any(recorder.sees_changes for recorder in self._started):
                self._before = _names(self._prefix)
        except BaseException:
            self.abandon()
            raise

    def launch(self, launch: Launch) -> Launch:
        """The command as all of them need it."""
        for recorder in self._started:
            launch = recorder.launch(launch)
        return launch

    def stop(self) -> list[Recording]:
        """What each of them saw, the one started last first. Errors: `TraceError`."""
        recordings: list[Recording] = []
        pending = list(reversed(self._started))
        try:
            while pending:
                recordings.append(pending.pop(0).stop())
        except BaseException:
            _stop(pending)
            raise
        return recordings

    def abandon(self) -> None:
        """Stop all recorders and drop what they saw."""
        _stop(reversed(self._started))

    def changes(self, recordings: Iterable[Recording]) -> tuple[str, ...]:
        """The entries created, deleted or (as far as it was seen) written during the run."""
        changed: set[str] = set()
        for recording in recordings:
            changed.update(recording.changed or ())
        if self._before is not None:
            changed.update(self._before ^ _names(self._prefix))
        return tuple(sorted(changed))

    def _start_first(self) -> None:
        problems: list[TraceError] = []
        for name in FALLBACKS:
            recorder = make_recorder(name, self._prefix, self._scratch)
            if self._attach and not recorder.attaches:
                continue
            try:
                recorder.check()
                recorder.start()
            except TraceError as problem:
                problems.append(problem)
                continue
            self._started.append(recorder)
            self.notes = tuple(f"{p} {name} records instead." for p in problems)
            for note in self.notes:
                self._notice(note)
            return
        first = problems[0]
        raise TraceError(
            f"{first.what}; no other recorder works here either",
            where=first.where,
            remedy=first.remedy,
        )


def _names(prefix: str) -> frozenset[str]:
    """The paths of everything in a prefix, to compare with later."""
    root = to_bytes(prefix)
    return frozenset(from_bytes(entry.path[len(root) + 1 :]) for entry in walk(root))


def _stop(recorders: Iterable[Recorder]) -> None:
    for recorder in recorders:
        with contextlib.suppress(TraceError, OSError):
            recorder.stop()
