"""A run by its journal: carried out, finished, undone, or recovered after an interruption."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from condaprune.errors import SinkError
from condaprune.model import Progress, no_progress
from condaprune.paths import ancestors, printable, to_bytes
from condaprune.sinks.inplace.conflicts import check_aside, conflicts, refuse_conflicts
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.journal import Journal, Phase
from condaprune.sinks.inplace.leftover import DISCARD, Accept, Leftover
from condaprune.sinks.inplace.state import MOVED_PATH, State
from condaprune.sinks.inplace.status import Measured, add_pruning, measure
from condaprune.sinks.inplace.steps import Steps
from condaprune.sinks.inplace.walls import tamed
from condaprune.sources.prefix import walk

_STEP = 1000


class CannotUndo(SinkError):
    """There is nothing to put back: the answer is no."""

    exit_code = 1


class JournalRun:
    """A journal that is being carried out; *state* must hold it.

    *foreseen* is the result where all goes by the plan; without, a walk measures the result.
    `tally` has the entries that could not be removed so far.
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
        self._resumed = resumed
        self._steps = Steps(state, journal, resumed=resumed)
        self.tally = self._steps.tally
        self._foreseen = foreseen
        self.bytes_after = 0
        self.status_added = Measured(0, 0)

    def apply(self, progress: Progress = no_progress) -> None:
        """Carry the journal out; whatever was done of it before stays done.

        An entry that the system refuses to remove is an error at once in a run that can be undone;
        otherwise it stays, and `finish` says so.
        """
        steps, journal = self._steps, self.journal
        with self._typed_errors(undoes=not self._resumed):
            steps.make_folders()
            for number, rewrite in enumerate(journal.rewrites):
                steps.write(number, rewrite)
            self._remove(range(len(journal.removals)), progress)
            self._write_status()
            steps.set_times()

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove entries again that were restored, with the folders that they leave empty."""
        with self._typed_errors():
            self._remove(sorted(self._with_folders(numbers)), no_progress)

    def _remove(self, numbers: Iterable[int], progress: Progress) -> None:
        total = len(self.journal.removals)
        for number in numbers:
            self._steps.remove(number)
            if not number % _STEP:
                progress("remove", number, total)
            if self.tally.stuck and self.journal.mode == "move":
                undo = "`condaprune undo` puts everything back"
                raise self._stuck(undo if self._resumed else "nothing was changed")
        progress("remove", total, total)

    def restore(self, numbers: Iterable[int]) -> None:
        """Put the entries of these removals back, with the folders they lie in."""
        with self._typed_errors():
            self._steps.put_back(sorted(self._with_folders(numbers), reverse=True))

    def _with_folders(self, numbers: Iterable[int]) -> set[int]:
        removals = self.journal.removals
        chosen = set(numbers)
        folders = {folder for number in chosen for folder in ancestors(removals[number].path)}
        return chosen | {n for n, removal in enumerate(removals) if removal.path in folders}

    def _write_status(self) -> None:
        after = self._foreseen if self.tally.as_planned else None
        if after is None:
            after = measure(walk(to_bytes(self._state.prefix)).values())
        old = self.journal.status.data
        pruning = replace(self.journal.facts, files_after=after.files, bytes_after=after.bytes)
        data = add_pruning(old, pruning)
        self._steps.write(len(self.journal.rewrites), replace(self.journal.status, data=data))
        self.bytes_after = after.bytes + len(data)
        self.status_added = Measured(0 if old else 1, len(data) - len(old))

    def keep(self) -> None:
        """End a run that can still be undone: the removed entries stay set aside."""
        with self._typed_errors():
            self._steps.set_times()
        self._state.turn(Phase.APPLY, Phase.KEPT)

    def finish(self, phase: Phase = Phase.APPLY) -> None:
        """End a run for good: the entries set aside are deleted, then the journal.

        Errors: `SinkError` too where entries could not be removed; all else is done then.
        """
        move = self.journal.mode == "move"
        if move and phase is not Phase.DROP:
            self._state.turn(phase, Phase.DROP)
        with self._typed_errors():
            if move:  # otherwise all of this was right before
                self._steps.drop()
                self._steps.set_times()
            self._state.conclude(Phase.DROP if move else phase)
            self._state.clear(self.journal)
        if self.tally.stuck:
            raise self._stuck("all else is done")

    def undo(self, phase: Phase = Phase.APPLY) -> None:
        """Undo the run: everything is as it was, times included."""
        if phase is not Phase.UNDO:
            self._state.turn(phase, Phase.UNDO)
        steps, journal = self._steps, self.journal
        rewrites = (*journal.rewrites, journal.status)
        with self._typed_errors():
            steps.put_back(range(len(journal.removals) - 1, -1, -1))
            for number, rewrite in reversed([*enumerate(rewrites)]):
                steps.unwrite(number, rewrite)
            steps.unmake_folders()
            steps.clear_aside()
            steps.set_times()
            self._state.clear(journal)

    def _stuck(self, outcome: str) -> SinkError:
        """The error about the entries that could not be removed."""
        path, error = next(iter(self.tally.stuck.items()))
        more = len(self.tally.stuck) - 1
        others = f", and {more} more" if more else ""
        return self._state.error(f"cannot be removed{others} ({outcome})", error, path)

    @contextmanager
    def _typed_errors(self, *, undoes: bool = False) -> Iterator[None]:
        """Errors of the system as typed ones; the journal stays, so that the run can go on.

        *undoes* says that the caller undoes what can be undone. The handles of folders are closed
        at the end.
        """
        try:
            yield
            self._steps.release()
        except OSError as error:
            path = error.filename if isinstance(error.filename, str) else ""
            undone = undoes and self.journal.mode == "move"
            raise SinkError(
                f"the run was stopped: {error.strerror}" + "; it is undone" * undone,
                where=f"{self._state.label}/{printable(path)}".rstrip("/"),
                remedy="Remove the cause and run condaprune again"
                if undone
                else "Remove the cause and run condaprune again: it goes on by its journal; "
                "--discard-journal gives up the run instead, as far as it has come",
            ) from error


def recover(
    prefix: str,
    label: str = "",
    *,
    accept: Accept = "own",
    filesystem: Filesystem | None = None,
    progress: Progress = no_progress,
) -> str:
    """End an interrupted run by its journal, where *accept* takes it.

    *prefix* is the real path. Returns one sentence on what was done, empty where there was
    nothing to do. Errors: `SinkError`.
    """
    with State(filesystem or Filesystem(), prefix, label, accept) as state:
        return state.discard() if accept == "none" else recover_locked(state, progress)


def recover_locked(state: State, progress: Progress = no_progress) -> str:
    """`recover` for a caller that has the lock."""
    leftover = state.find()
    if leftover is None:
        return _CLEARED[state.clear_up()]
    run = _resumed(state, leftover)
    if leftover.phase is Phase.KEPT:
        return ""
    if leftover.phase is Phase.DROP:
        run.finish(Phase.DROP)
        return "an earlier run was interrupted after its verification; it is finished now"
    if leftover.phase is Phase.UNDO:
        _undo(state, run, leftover, _RUN_AGAIN)
        return "an earlier run was interrupted while it was undone; it is undone now"
    if run.journal.verified:
        _undo(state, run, leftover, _RUN_AGAIN)
        return "an earlier run was interrupted before its verification had passed; it is undone"
    run.apply(progress)
    if run.journal.mode == "move":
        run.keep()
    else:
        run.finish()
    return "an earlier run was interrupted; it is finished now"


def undo(
    prefix: str,
    label: str = "",
    *,
    forget: bool = False,
    accept: Accept = "own",
    filesystem: Filesystem | None = None,
) -> str:
    """Put back all that the last run set aside; with *forget* delete it instead.

    Returns one sentence on what was done. Errors: `CannotUndo` where nothing is set aside (and
    nothing is touched then), `SinkError`, also where something was made or changed since that
    would be overwritten.
    """
    with State(filesystem or Filesystem(), prefix, label, accept) as state:
        if accept == "none":
            return state.discard() or _nothing_to_undo(state)
        leftover = state.find()
        if leftover is None:
            if state.clear_up() == "begun":
                return "the interrupted run had not begun to remove; its traces are gone"
            return _nothing_to_undo(state)
        run = _resumed(state, leftover)
        _refuse(state, leftover.phase, run.journal)
        if forget and leftover.phase is Phase.KEPT:
            run.finish(leftover.phase)
            return "the removed files are deleted; the run cannot be undone any more"
        _undo(state, run, leftover, _UNDO_AGAIN)
        return "the environment is as it was before the run"


def _resumed(state: State, leftover: Leftover) -> JournalRun:
    """The run of a journal that was left here. Errors: `SinkError` for one that does not fit what
    is in the prefix."""
    journal = leftover.journal()
    try:
        info = state.filesystem.fstat(state.root)
        journal = tamed(journal, (info.st_uid, info.st_gid))
        if journal.mode == "move":
            check_aside(journal, state.names_aside(), state.filesystem, state.moved)
        if not leftover.ours:
            from condaprune.sinks.inplace.contents import check_contents

            check_contents(journal, state.folders, MOVED_PATH)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise SinkError(
            f"this journal does not fit the environment: {said}; it is not carried out",
            where=leftover.where,
            remedy=DISCARD,
        ) from error
    return JournalRun(state, journal, resumed=True)


def _undo(state: State, run: JournalRun, leftover: Leftover, again: str) -> None:
    """Undo a run unless something that was made since is in the way. Errors: `SinkError`."""
    with state.typed_errors("cannot be undone"):
        found = conflicts(run.journal, state.names_aside(), state.filesystem, state.folders)
    refuse_conflicts(found, state.label, f"Move away or bring back what is named, then {again}")
    run.undo(leftover.phase)


def _nothing_to_undo(state: State) -> NoReturn:
    raise CannotUndo(
        "there is no run to undo",
        where=state.label,
        remedy="Only a run with --undoable keeps what it removes; install the environment anew",
    )


def _refuse(state: State, phase: Phase, journal: Journal) -> None:
    if journal.mode == "unlink":
        raise CannotUndo(
            "the interrupted run deletes for good and cannot be undone, nothing was touched",
            where=state.label,
            remedy="Run condaprune on it to finish the run, or install the environment anew",
        )
    if phase is Phase.DROP:
        raise CannotUndo(
            "the run is verified and its removed files are partly deleted, nothing was touched",
            where=state.label,
            remedy="Run condaprune on it to finish the run",
        )


_RUN_AGAIN = "run condaprune again; --discard-journal leaves all as it is"
_UNDO_AGAIN = "run `condaprune undo` again; --discard-journal leaves all as it is"
_CLEARED = {
    "nothing": "",
    "begun": "an earlier run was interrupted before it began to remove; its traces are gone",
    "finished": "an earlier run was interrupted at its very end; it is finished now",
}
