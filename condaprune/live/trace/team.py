"""The recorders of one run together: chosen, started in order, stopped in the reverse one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from condaprune.errors import TraceError, UsageProblem
from condaprune.live.trace.command import Notice
from condaprune.live.trace.recorders import ORDER, make_recorder
from condaprune.live.trace.recorders.base import Launch, Recorder, Recording, names

AUTO = "auto"
_FALLBACKS = ("inotify", "strace", "atime")
"""What ``auto`` takes: the first of these that works here."""


class Team:
    """The recorders called *asked* for the real path *prefix*.

    With *attach*, only those that see processes they did not start. *scratch* is a folder of
    their own; *tell* hears why ``auto`` took another recorder than its first.
    """

    def __init__(
        self, asked: Sequence[str], prefix: str, scratch: str, *, attach: bool, tell: Notice
    ) -> None:
        self._prefix = prefix
        self._scratch = scratch
        self._attach = attach
        self._tell = tell
        self._started: list[Recorder] = []
        self._before: frozenset[str] | None = None
        self.notes: tuple[str, ...] = ()
        wanted = dict.fromkeys(asked or (AUTO,))
        self._auto = AUTO in wanted and not wanted.keys() & {*_FALLBACKS}
        wanted.pop(AUTO, None)
        self._named = [self._make(name) for name in sorted(wanted, key=_place)]

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
            if not any(recorder.tells_changes for recorder in self._started):
                self._before = names(self._prefix)
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
            _give_up(pending)
            raise
        return recordings

    def abandon(self) -> None:
        """Stop whatever runs and forget what it saw."""
        _give_up(reversed(self._started))

    def changes(self, recordings: Iterable[Recording]) -> tuple[str, ...]:
        """The entries created, deleted or (as far as it was seen) written during the run."""
        found: dict[str, None] = {}
        for recording in recordings:
            found.update(dict.fromkeys(recording.changed or ()))
        if self._before is not None:
            found.update(dict.fromkeys(self._before ^ names(self._prefix)))
        return tuple(sorted(found))

    def _make(self, name: str) -> Recorder:
        recorder = make_recorder(name, self._prefix, self._scratch)
        if self._attach and not recorder.attaches:
            raise UsageProblem(
                f"the recorder {name} sees only a command that it starts itself",
                where="--attach",
                remedy="Use `--recorder inotify`",
            )
        return recorder

    def _start_first(self) -> None:
        problems: list[TraceError] = []
        for name in _FALLBACKS:
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
                self._tell(note)
            return
        first = problems[0]
        raise TraceError(
            f"{first.what}; no other recorder works here either",
            where=first.where,
            remedy=first.remedy,
        )


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _give_up(recorders: Iterable[Recorder]) -> None:
    for recorder in recorders:
        with contextlib.suppress(TraceError, OSError):
            recorder.stop()
