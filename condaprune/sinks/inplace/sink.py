"""The prefix itself as sink: journalled, verified, and undone where the verification fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from condaprune.errors import SinkError
from condaprune.live.trials.base import Failure, Trial
from condaprune.model import Outcome, Plan, Progress, unique_bytes
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.format import Journal
from condaprune.sinks.inplace.measure import foresee
from condaprune.sinks.inplace.notes import note_on_layers, notes_after, notes_before
from condaprune.sinks.inplace.prepare import make_journal
from condaprune.sinks.inplace.recovery import recover_locked
from condaprune.sinks.inplace.run import Run
from condaprune.sinks.inplace.state import Phase, State
from condaprune.sources.base import Source


class Healer(Protocol):
    """Finds what a failed verification misses."""

    def heal(self, run: Run, plan: Plan, failure: Failure, progress: Progress) -> None:
        """Find the removals to take back; `replan` makes the plan without them afterwards.

        The run is carried out when this is called, and may be in any state afterwards.
        Errors: `VerificationFailed` where nothing helps within the bounds.
        """
        ...

    def replan(self, progress: Progress) -> Plan:
        """The plan for the original environment with what was found so far."""
        ...


@dataclass(frozen=True, slots=True)
class InPlaceOptions:
    """How a run in place is carried out.

    `trials` must pass before it is final; `undoable` keeps what goes set aside afterwards;
    `healer` takes removals back where a trial fails.
    """

    trials: tuple[Trial, ...] = ()
    undoable: bool = False
    healer: Healer | None = None
    filesystem: Filesystem = field(default_factory=Filesystem)


class InPlaceSink:
    """Carries a plan out in the prefix it was made for, whole or not at all.

    Without trials files are unlinked in an order that keeps the prefix usable; with trials, or
    `undoable`, they are set aside by renames first. `plan` is the plan that was carried out in
    the end: not the one given where a healer took something back.
    """

    def __init__(self, options: InPlaceOptions | None = None) -> None:
        self._options = options or InPlaceOptions()
        self.plan: Plan | None = None

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Remove, rewrite, verify, and measure what is left.

        Errors: `SinkError`; `VerificationFailed` where a trial failed and the run was undone.
        """
        prefix, label = plan.inventory.prefix, plan.inventory.label
        for trial in self._options.trials:
            trial.prepare(prefix, progress)
        with State(self._options.filesystem, prefix, label) as state:
            recovered = recover_locked(state)
            notes = [recovered, *notes_before(prefix), *note_on_layers(prefix, plan)]
            return self._carry_out(state, plan, notes, progress, stale=bool(recovered))

    def _carry_out(
        self, state: State, plan: Plan, notes: list[str], progress: Progress, *, stale: bool
    ) -> Outcome:
        """*stale* is true where something was changed after the inventory was taken."""
        options = self._options
        move = bool(options.trials) or options.undoable
        while True:
            self.plan = plan
            journal, kept = make_journal(
                plan,
                state.prefix,
                mode="move" if move else "unlink",
                verified=bool(options.trials),
            )
            if journal is None:
                size = unique_bytes(plan.inventory.entries.values())
                return Outcome(size, size, notes=tuple(notes_after(notes, kept)))
            _refuse_kept(state)
            state.begin(journal)
            run = Run(state, journal, foreseen=None if stale else foresee(plan, journal))
            if not move:
                run.apply(progress)
                run.finish(Phase.APPLY)
                break
            healed = self._try(run, plan, progress)
            if healed is None:
                break
            plan = healed
        kept = {**kept, **run.tally.kept}
        aside = options.undoable
        return _outcome(run, journal, notes_after(notes, kept, run, aside=aside))

    def _try(self, run: Run, plan: Plan, progress: Progress) -> Plan | None:
        """Carry out what can be undone, and undo it unless it is verified.

        Returns the plan to try next where something is to be taken back, else None.
        """
        options = self._options
        try:
            run.apply(progress)
            failure = self._verify(run, plan, progress)
            if failure is not None:
                if options.healer is None:
                    from condaprune.live.heal.failure import failed

                    raise failed(run, plan, failure, options.trials)
                options.healer.heal(run, plan, failure, progress)
        except BaseException:
            run.undo(Phase.APPLY)
            raise
        if failure is not None and options.healer is not None:
            run.undo(Phase.APPLY)
            return options.healer.replan(progress)
        if options.undoable:
            run.settle()
        else:
            run.finish(Phase.APPLY)
        return None

    def _verify(self, run: Run, plan: Plan, progress: Progress) -> Failure | None:
        """The first trial that fails."""
        trials = self._options.trials
        for done, trial in enumerate(trials):
            progress("verify", done, len(trials))
            failure = trial.run(run.prefix, plan)
            if failure is not None:
                return failure
        return None


def _refuse_kept(state: State) -> None:
    found = state.find()
    if found is not None:
        raise SinkError(
            "an earlier run with --undoable still holds what it removed, nothing was touched",
            where=state.label,
            remedy="Take it back with `condaprune undo`, or let go of it with "
            "`condaprune undo --forget`, then run condaprune again",
        )


def _outcome(run: Run, journal: Journal, notes: list[str]) -> Outcome:
    return Outcome(
        bytes_before=journal.facts.bytes_before,
        bytes_after=run.measured.bytes,
        notes=tuple(notes),
        own_files=run.own.files,
        own_bytes=run.own.bytes,
    )
