"""A run in a prefix from its journal to its end: carried out, taken back, finished, recovered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from condaprune.errors import SinkError
from condaprune.model import Progress, no_progress
from condaprune.paths import parent, printable, to_bytes
from condaprune.sinks.inplace.format import Journal
from condaprune.sinks.inplace.measure import Measured, measure
from condaprune.sinks.inplace.state import Phase, State
from condaprune.sinks.inplace.status import add_pruning
from condaprune.sinks.inplace.steps import Steps, Tally
from condaprune.sources.walk import walk

_STEP = 1000
_T = TypeVar("_T")


class Run:
    """A journal that is being carried out; the state must be locked and hold that journal.

    *foreseen* is what is left where all goes by the plan; without, that is measured by a walk.
    Errors of all methods: `SinkError`.
    """

    def __init__(
        self,
        state: State,
        journal: Journal,
        *,
        resumed: bool = False,
        foreseen: Measured | None = None,
    ) -> None:
        self._state = state
        self.journal = journal
        self._steps = Steps(state, journal, resumed=resumed)
        self._foreseen = foreseen
        self.measured = Measured(0, 0)
        self.own = Measured(0, 0)

    @property
    def prefix(self) -> str:
        """The real path of the prefix."""
        return self._state.prefix

    @property
    def label(self) -> str:
        """How the user named the environment."""
        return self._state.label

    @property
    def tally(self) -> Tally:
        """What could not be done so far."""
        return self._steps.tally

    def apply(self, progress: Progress = no_progress) -> None:
        """Carry the journal out; whatever was done of it before stays done.

        An entry that the system does not let go of stays: in a run that can be taken back this
        is an error at once, in another one it is left to `finish` to tell.
        """
        self._guarded(lambda: self._apply(progress))

    def _apply(self, progress: Progress) -> None:
        steps, journal = self._steps, self.journal
        steps.make_folders()
        for number, rewrite in enumerate(journal.rewrites):
            steps.write(number, rewrite)
        self.remove(range(len(journal.removals)), progress)
        self._write_status()
        steps.set_times()
        steps.release()

    def remove(self, numbers: Iterable[int], progress: Progress = no_progress) -> None:
        """Take these removals' entries away, in the order of the journal."""
        removals = self.journal.removals
        for number in sorted(numbers):
            self._steps.remove(number)
            if not number % _STEP:
                progress("remove", number, len(removals))
            if self._steps.tally.stuck and self.journal.mode == "move":
                self.complain("nothing was changed")
        progress("remove", len(removals), len(removals))
        self._steps.release()

    def take(self, numbers: Iterable[int]) -> None:
        """Take entries away that were put back, with the folders that they leave empty."""
        self._guarded(lambda: self.remove(self._with_folders(numbers)))

    def restore(self, numbers: Iterable[int]) -> None:
        """Put these removals' entries back, with the folders they lie in."""
        wanted = sorted(self._with_folders(numbers), reverse=True)
        self._guarded(lambda: self._steps.put_back(wanted))
        self._steps.release()

    def _with_folders(self, numbers: Iterable[int]) -> set[int]:
        removals = self.journal.removals
        wanted = set(numbers)
        above = {path for number in wanted for path in _folders(removals[number].path)}
        return wanted | {n for n, known in enumerate(removals) if known.path in above}

    def _write_status(self) -> None:
        after = self._foreseen if self.tally.as_planned else None
        if after is None:
            after = measure(walk(to_bytes(self._state.prefix)).values())
        data = add_pruning(self.journal.status.data, self.journal.facts, after.files, after.bytes)
        self._steps.write(len(self.journal.rewrites), replace(self.journal.status, data=data))
        self.measured = Measured(after.files + 1, after.bytes + len(data))
        old = len(self.journal.status.data)
        self.own = Measured(0 if old else 1, len(data) - old)

    def settle(self) -> None:
        """End a run that can still be undone: what it took away stays set aside."""
        self._guarded(self._steps.set_times)
        self._state.turn(Phase.APPLY, Phase.KEPT)
        self._steps.release()

    def finish(self, phase: Phase) -> None:
        """End a run for good: what was set aside is deleted, then the journal.

        Errors: `SinkError` too where entries could not be removed; all else is done then.
        """
        if self.journal.mode == "move" and phase is not Phase.DROP:
            self._state.turn(phase, Phase.DROP)
        self._guarded(lambda: self._finish(Phase.DROP if self.journal.mode == "move" else phase))
        if self.tally.stuck:
            self.complain("all else is done")

    def _finish(self, phase: Phase) -> None:
        if self.journal.mode == "move":  # otherwise all of this was right before
            self._steps.drop()
            self._steps.set_times()
            self._steps.release()
        self._state.conclude(phase)
        self._state.clear(self.journal)

    def undo(self, phase: Phase) -> None:
        """Take the run back: everything as it was, times included."""
        if phase is not Phase.UNDO:
            self._state.turn(phase, Phase.UNDO)
        self._guarded(self._undo)

    def _undo(self) -> None:
        steps, journal = self._steps, self.journal
        steps.put_back(range(len(journal.removals) - 1, -1, -1))
        steps.unwrite(len(journal.rewrites), journal.status)
        for number in range(len(journal.rewrites) - 1, -1, -1):
            steps.unwrite(number, journal.rewrites[number])
        steps.unmake_folders()
        steps.clear_aside()
        steps.set_times()
        steps.release()
        self._state.clear(journal)

    def complain(self, outcome: str) -> None:
        """Raise the error about the entries that could not be removed."""
        path, error = next(iter(self.tally.stuck.items()))
        more = len(self.tally.stuck) - 1
        others = f", and {more} more" if more else ""
        raise self._state.error(f"cannot be removed{others} ({outcome})", error, path)

    def _guarded(self, work: Callable[[], _T]) -> _T:
        """Errors of the system as typed ones; the journal stays, so that the run can go on."""
        try:
            return work()
        except OSError as error:
            path = error.filename if isinstance(error.filename, str) else ""
            raise SinkError(
                f"the run was stopped: {error.strerror}",
                where=f"{self._state.label}/{printable(path)}".rstrip("/"),
                remedy="Remove the cause and run condaprune again: it goes on by its journal",
            ) from error


def _folders(path: str) -> list[str]:
    found = []
    while path := parent(path):
        found.append(path)
    return found
