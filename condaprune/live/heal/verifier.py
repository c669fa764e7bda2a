"""Verifies a run by trials, and finds what to keep where they fail."""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.live.heal.evidence import (
    Clue,
    Removed,
    read_misses,
    read_output,
    verification_failed,
)
from condaprune.live.heal.search import OutOfTries, Search, Tries
from condaprune.live.heal.units import Keep, make_keeps
from condaprune.live.trials import Failure, Trial
from condaprune.model import Plan, Progress
from condaprune.sinks.inplace.sink import InPlaceRun


class Verifier:
    """The *trials* that a run must pass. With *tries* it is healed where one fails.

    `spent` counts the verifications.
    """

    def __init__(self, trials: Sequence[Trial], tries: Tries | None = None) -> None:
        self._trials = trials
        self._tries = tries
        self._patterns: set[str] = set()

    @property
    def spent(self) -> int:
        """How many verifications the healing took."""
        return self._tries.spent if self._tries else 0

    def prepare(self, plan: Plan, progress: Progress) -> None:
        """Learn what the environment does before anything goes. Errors: `CondapruneError`."""
        for trial in self._trials:
            trial.prepare(plan.inventory.prefix, progress)

    def verify(self, run: InPlaceRun, plan: Plan, progress: Progress) -> tuple[Keep, ...]:
        """Nothing where all trials pass, else what to keep so that they do.

        The run must be carried out, and may be in any state after it was healed.
        Errors: `VerificationFailed` where a trial fails and no way was found to heal the run.
        """
        if run.changes is None:
            return ()
        failure = self._first_failure(plan, progress)
        if self._tries is not None:
            self._tries.count()
        if failure is None:
            return ()
        if self._tries is None:
            clues = self._clues(plan, failure)
            raise verification_failed(plan, failure, clues, "the run was undone")
        self._tries.start()
        search = Search(run.changes, plan, self._trials, failure, self._tries, progress)
        outcome = "healing found no way in {}, and the run was undone"
        try:
            units = search.find()
        except OutOfTries as error:
            outcome = outcome.format(self._tries)
            raise verification_failed(plan, search.failure, search.clues, outcome) from error
        keeps = make_keeps(plan, units, search.evidence)
        keeps = [keep for keep in keeps if keep.pattern not in self._patterns]
        if not keeps:  # what helped in the search does not help the plan made from it
            outcome = outcome.format(self._tries)
            raise verification_failed(plan, failure, search.clues, outcome)
        self._patterns |= {keep.pattern for keep in keeps}
        return tuple(keeps)

    def _first_failure(self, plan: Plan, progress: Progress) -> Failure | None:
        for number, trial in enumerate(self._trials):
            progress("verify", number, len(self._trials))
            failure = trial.run(plan)
            if failure is not None:
                return failure
        return None

    def _clues(self, plan: Plan, failure: Failure) -> list[Clue]:
        """What a failed trial looked for, by its output and by one more run of it."""
        removed = Removed(plan.inventory, (entry.path for entry in plan.removed()))
        clues = {clue.path: clue for clue in read_output(failure.output, removed)}
        for clue in read_misses(self._trials, failure, plan, removed):
            clues.setdefault(clue.path, clue)
        return list(clues.values())
