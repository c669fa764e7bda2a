"""The prefix itself as sink: journalled, and undone by its journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from condaprune.errors import SinkError
from condaprune.model import Outcome, Plan, Progress, unique_bytes
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.leftover import Accept
from condaprune.sinks.inplace.notes import (
    NOT_NOTED,
    note_on_kept,
    note_on_layers,
    notes_after,
    notes_before,
)
from condaprune.sinks.inplace.obstacles import space_needed
from condaprune.sinks.inplace.prepare import foresee, make_journal
from condaprune.sinks.inplace.run import JournalRun, recover_locked
from condaprune.sinks.inplace.state import State
from condaprune.sources.base import Source


@dataclass(frozen=True, slots=True)
class InPlaceOptions:
    """How a run in place is carried out.

    `verified` is for a run that is looked at between `apply` and `commit`: interrupted in between,
    it is undone. `undoable` keeps the removed entries after the `commit`. With either, entries are
    set aside by renames; without, they are unlinked in an order that keeps the prefix usable.
    `accept` says which journals of an earlier run are carried out first.
    """

    verified: bool = False
    undoable: bool = False
    accept: Accept = "own"
    filesystem: Filesystem = field(default_factory=Filesystem)


class InPlaceSink:
    """Carries a plan out in the prefix it was made for, whole or not at all."""

    def __init__(self, options: InPlaceOptions | None = None) -> None:
        self._options = options or InPlaceOptions()
        self._state: State | None = None
        self._notes: list[str] = []
        self._stale = False

    def begin(self, plan: Plan, source: Source) -> InPlaceRun:
        """Lock the prefix, recover an interrupted run, and write the journal.

        Errors: `SinkError`; the prefix is as it was then.
        """
        state = self._state or self._open(plan)
        options = self._options
        journal, kept = make_journal(
            plan,
            mode="move" if options.verified or options.undoable else "unlink",
            verified=options.verified,
        )
        run = None
        if journal is not None:
            _refuse_undoable(state)
            state.begin(journal, space_needed(plan, journal))
            if options.undoable and not state.noted:
                self._notes.append(NOT_NOTED)
            foreseen = None if self._stale else foresee(plan, journal)
            run = JournalRun(state, journal, foreseen=foreseen)
        return InPlaceRun(plan, run, kept, self._notes, options.undoable)

    def _open(self, plan: Plan) -> State:
        prefix, label = plan.inventory.prefix, plan.inventory.label
        state = self._state = State(self._options.filesystem, prefix, label, self._options.accept)
        recovered = recover_locked(state)
        self._stale = bool(recovered)  # the inventory was taken before
        self._notes = [recovered] if recovered else []
        self._notes += [*notes_before(prefix), *note_on_layers(prefix, plan)]
        return state

    def close(self) -> None:
        """Release the lock."""
        if self._state is not None:
            self._state.close()
            self._state = None


@dataclass(frozen=True, slots=True)
class InPlaceRun:
    """A plan that is carried out in its prefix.

    `changes` is the run of its journal, of which single removals can be restored; None where there
    is nothing to do. `kept` are entries that stay although the plan removes them: path -> why.
    """

    plan: Plan
    changes: JournalRun | None
    kept: Mapping[str, str]
    notes: Sequence[str]
    undoable: bool

    def apply(self, progress: Progress) -> None:
        """Remove and rewrite. Errors: `SinkError`."""
        if self.changes:
            self.changes.apply(progress)

    def undo(self) -> None:
        """Put everything back. A run that unlinks is left as it is: the next one finishes it.

        Errors: `SinkError`.
        """
        if self.changes and self.changes.journal.mode == "move":
            self.changes.undo()

    def commit(self) -> Outcome:
        """Make the run final, or keep it undoable, and measure it. Errors: `SinkError`."""
        run = self.changes
        if run is None:
            size = unique_bytes(self.plan.inventory.entries.values())
            return Outcome(size, size, notes=(*self.notes, *note_on_kept(self.kept)))
        if self.undoable:
            run.keep()
        else:
            run.finish()
        return Outcome(
            bytes_before=run.journal.facts.bytes_before,
            bytes_after=run.bytes_after,
            notes=(
                *self.notes,
                *note_on_kept({**self.kept, **run.tally.kept}),
                *notes_after(
                    self.plan.inventory.prefix,
                    run.tally,
                    moved=run.journal.mode == "move",
                    undoable=self.undoable,
                ),
            ),
            own_files=run.status_added.files,
            own_bytes=run.status_added.bytes,
        )


def _refuse_undoable(state: State) -> None:
    """Refuse a prefix with an undoable run. Errors: `SinkError`."""
    if state.find() is not None:
        raise SinkError(
            "an earlier run with --undoable still holds the files it removed, nothing was touched",
            where=state.label,
            remedy="Undo it with `condaprune undo`, or delete them with "
            "`condaprune undo --forget`, then run condaprune again",
        )
