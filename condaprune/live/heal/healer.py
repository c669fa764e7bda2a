"""Heals a run whose verification failed: evidence, then what was used before, then bisection.

The run stays carried out meanwhile; a try puts entries back, or takes them away again, by renames.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from condaprune.errors import VerificationFailed
from condaprune.live.heal.evidence import Clue
from condaprune.live.heal.failure import error_of, find_clues
from condaprune.live.heal.keeps import Keep, make_keeps
from condaprune.live.heal.observe import touched
from condaprune.live.heal.search import OutOfTries, smallest, smallest_in_steps
from condaprune.live.heal.units import Unit, Units
from condaprune.live.trials.base import Failure, Trial
from condaprune.model import Plan, Progress
from condaprune.sinks.inplace.run import Run

TRIES = 25
SECONDS = 900.0
_BEFORE = "used by the verification before anything was removed"

Replan = Callable[[Sequence[str], Progress], Plan]
"""Makes the plan for the original environment with these patterns kept as well."""


class TrialHealer:
    """Takes removals back until the trials pass.

    *tries* bounds the verifications of the whole run, the first (failed) and the last included;
    *seconds* the time from the first failure on. `keeps` is what was found so far, `spent` the
    number of verifications.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        replan: Replan,
        *,
        tries: int = TRIES,
        seconds: float = SECONDS,
    ) -> None:
        self.trials = trials
        self._replan = replan
        self._tries = tries
        self._seconds = seconds
        self._began = 0.0
        self.keeps: list[Keep] = []
        self.spent = 0

    def replan(self, progress: Progress) -> Plan:
        """The plan for the original environment with what was found so far."""
        return self._replan([keep.pattern for keep in self.keeps], progress)

    def heal(self, run: Run, plan: Plan, failure: Failure, progress: Progress) -> None:
        """Find the removals to take back, see `keeps`. Errors: `VerificationFailed`."""
        self._began = self._began or time.monotonic()
        self.spent += 1
        search = _Search(self, run, plan, failure, progress)
        try:
            units = search.find()
        except OutOfTries as error:
            raise error_of(
                plan, search.failure, search.clues, f"{self._spent()}, and the run was undone"
            ) from error
        known = {keep.pattern for keep in self.keeps}
        found = [k for k in make_keeps(plan, units, search.evidence) if k.pattern not in known]
        if not found:  # what helped in the search does not help the plan made from it
            raise error_of(plan, failure, search.clues, f"{self._spent()}, and the run was undone")
        self.keeps += found

    def _spent(self) -> str:
        seconds = time.monotonic() - self._began
        return f"healing found no way in {self.spent} verifications and {seconds:.0f} s"

    def left(self) -> float:
        """The seconds that are left. Errors: `OutOfTries` where the bounds are reached."""
        left = self._began + self._seconds - time.monotonic()
        if self.spent >= self._tries - 1 or left <= 0:  # one is for the run that is to last
            raise OutOfTries
        return left

    def verify(self, run: Run, plan: Plan, progress: Progress) -> Failure | None:
        """One verification of the environment as it lies there. Errors: `OutOfTries`."""
        for trial in self.trials:
            failure = trial.run(run.prefix, plan, seconds=self.left())
            if failure is not None:
                break
        else:
            failure = None
        self.count(progress)
        return failure

    def count(self, progress: Progress) -> None:
        """Count one verification."""
        self.spent += 1
        progress("heal", self.spent, self._tries)


class _Search:
    """One search on one run that is carried out."""

    def __init__(
        self, healer: TrialHealer, run: Run, plan: Plan, failure: Failure, progress: Progress
    ) -> None:
        self._healer = healer
        self._run = run
        self._plan = plan
        self._progress = progress
        self._units = Units(plan, run.journal)
        self._back: set[Unit] = set()
        self._known: dict[frozenset[Unit], bool] = {frozenset(): False}
        self.failure = failure
        self.clues = find_clues(run, plan, failure, ())
        self.evidence: dict[str, str] = {}

    def find(self) -> list[Unit]:
        """The units to take back. Errors: `OutOfTries`, `VerificationFailed`."""
        direct = self._by_evidence()
        if direct is not None:
            return direct
        used = self._by_use()
        if used is not None:
            return used
        levels: list[Callable[[Unit], str]] = [
            lambda unit: unit.rule,
            lambda unit: f"{unit.rule} {unit.owner}",
            lambda unit: f"{unit.rule} {unit.folder}",
        ]
        return smallest_in_steps(self._units.all, self._passes, levels)

    def _by_evidence(self) -> list[Unit] | None:
        """Take back what the output names, as long as each failure names something new."""
        groups: list[list[Unit]] = []
        asked = False
        while True:
            new = [unit for unit in self._learn(self.clues) if unit not in self._back]
            if not new and not asked:
                asked = True
                self._ask()
                new = [unit for unit in self._learn(self.clues) if unit not in self._back]
            if not new:
                return None
            # What the output names goes by folders; not all that is looked for is needed.
            groups += [[unit] for unit in new] if asked else _by_folder(new)
            asked = False
            if self._passes(frozenset(self._back | {*new})):
                break
            self.clues = find_clues(self._run, self._plan, self.failure, ())
        return self._fewest(groups)

    def _ask(self) -> None:
        """Ask the system what the failed command looks for: one more run of it."""
        before = self._healer.left()
        self.clues = find_clues(
            self._run, self._plan, self.failure, self._healer.trials, seconds=before
        )
        self._healer.count(self._progress)

    def _by_use(self) -> list[Unit] | None:
        """Take back what a command uses when nothing is removed.

        Errors: `VerificationFailed` where the command fails even then.
        """
        used: dict[str, str] = {}
        seen_all = True
        self._take(frozenset(self._units.all))
        for trial in self._healer.trials:
            seen = touched(trial, self._run.prefix, self._plan, seconds=self._healer.left())
            if seen is None:
                seen_all = False
                continue
            self._healer.count(self._progress)
            paths, failure = seen
            if failure is not None:
                raise self._hopeless(failure)
            used.update(paths)
        if not seen_all and not self._passes(frozenset(self._units.all)):
            raise self._hopeless(self.failure)
        units = self._units.of(used)
        if not units or not self._passes(frozenset(units)):
            return None
        for unit in units:
            self.evidence.setdefault(unit.path, _BEFORE)
        return smallest_in_steps(units, self._passes, [lambda unit: unit.folder])

    def _hopeless(self, failure: Failure) -> VerificationFailed:
        what = "it fails on the environment before pruning too, and the run was undone"
        return error_of(self._plan, failure, (), what)

    def _learn(self, clues: Iterable[Clue]) -> list[Unit]:
        found: list[Unit] = []
        for clue in clues:
            for unit in self._units.of([clue.path]):
                self.evidence.setdefault(unit.path, clue.because)
                found.append(unit)
        return found

    def _fewest(self, groups: list[list[Unit]]) -> list[Unit]:
        """Of groups that pass together, those that are needed."""
        if len(groups) > 1:
            chosen = smallest(
                list(range(len(groups))),
                lambda kept: self._passes(frozenset(u for n in kept for u in groups[n])),
            )
            groups = [groups[number] for number in chosen]
        return [unit for group in groups for unit in group]

    def _passes(self, units: frozenset[Unit]) -> bool:
        """Whether the trials pass with these units taken back, and no others."""
        known = self._known.get(units)
        if known is None:
            self._healer.left()
            self._take(units)
            failure = self._healer.verify(self._run, self._plan, self._progress)
            self.failure = failure or self.failure
            known = self._known[units] = failure is None
        return known

    def _take(self, units: frozenset[Unit]) -> None:
        self._run.restore(n for unit in units - self._back for n in unit.numbers)
        gone = self._back - units
        if gone:
            self._run.take(n for unit in gone for n in unit.numbers)
        self._back = set(units)


def _by_folder(units: Iterable[Unit]) -> list[list[Unit]]:
    """Units in groups by their folder: what belongs together comes back together."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(unit.folder, []).append(unit)
    return list(groups.values())
