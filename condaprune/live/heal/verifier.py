"""Verifies a run by trials, and heals one that fails: by evidence, by use, then by bisection.

Healing finds the fewest removals whose return makes the trials pass. The run stays carried out
meanwhile; each try restores entries, or removes them again, by renames.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import TypeVar

from condaprune.errors import VerificationFailed
from condaprune.live.heal.evidence import (
    Clue,
    Removed,
    read_misses,
    read_output,
    read_use,
    verification_failed,
)
from condaprune.live.heal.units import Keep, Unit, Units, make_keeps
from condaprune.live.trials import Failure, Trial
from condaprune.model import Plan, Progress, no_progress
from condaprune.sinks.inplace.run import JournalRun
from condaprune.sinks.inplace.sink import InPlaceRun

T = TypeVar("T", bound=Hashable)
Passes = Callable[[frozenset[T]], bool]


class OutOfTries(Exception):
    """The bounds of the search are reached."""


def smallest(items: Sequence[T], passes: Passes[T]) -> list[T]:
    """A smallest set of *items* that passes: none of them can be left out.

    All *items* together are known to pass, none of them is known to fail, and more never hurts.
    Each item found takes about log2(len(items)) + 1 checks. When the tries run out, the smallest
    set known to pass so far is returned.

    >>> smallest(range(100), lambda kept: {7, 60} <= kept)
    [60, 7]
    """
    needed: list[T] = []
    left = list(items)
    try:
        while left:
            low, high = 0, len(left)  # left[:low] fails, left[:high] passes
            while high - low > 1:
                middle = (low + high) // 2
                if passes(frozenset([*needed, *left[:middle]])):
                    high = middle
                else:
                    low = middle
                left = left[:high]
            needed.append(left[high - 1])
            left = left[: high - 1]
            if not left or passes(frozenset(needed)):
                break
    except OutOfTries:
        return needed + left
    return needed


def smallest_of_groups(groups: Sequence[tuple[T, ...]], passes: Passes[T]) -> list[T]:
    """`smallest` among whole groups: the items of those that are needed."""
    if len(groups) > 1:
        groups = smallest(groups, lambda some: passes(frozenset(chain.from_iterable(some))))
    return list(chain.from_iterable(groups))


def smallest_in_steps(
    items: Sequence[T], passes: Passes[T], levels: Sequence[Callable[[T], Hashable]]
) -> list[T]:
    """`smallest`, first among groups of items, then among ever smaller ones, then single items.

    Each of *levels* gives an item's group, the widest first. Items that belong together are so
    found together, and their order within a level does not matter.
    """
    left = list(items)
    for level in levels:
        left = smallest_of_groups(grouped(left, level), passes)
    return smallest(left, passes) if len(left) > 1 else left


def grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[tuple[T, ...]]:
    """Items with the same *key* in one group, in the order in which the keys occur first."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(map(tuple, groups.values()))


class Tries:
    """The bounds of healing: *limit* verifications, the first (failed) and the last included, and
    *seconds* from the first failure on. `spent` counts the verifications."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._began = 0.0
        self.spent = 0

    def start(self) -> None:
        """Start the clock, if it is not running yet."""
        self._began = self._began or time.monotonic()

    def left(self) -> float:
        """The seconds that are left. Errors: `OutOfTries` where the bounds are reached."""
        left = self._began + self._seconds - time.monotonic()
        if self.spent >= self._limit - 1 or left <= 0:  # one is for the run that is to last
            raise OutOfTries
        return left

    def count(self, progress: Progress = no_progress) -> None:
        """Count one verification."""
        self.spent += 1
        progress("heal", self.spent, self._limit)

    def __str__(self) -> str:
        return f"{self.spent} verifications and {time.monotonic() - self._began:.0f} s"


class Search:
    """One search on one run that is carried out, after *failure*.

    `evidence` maps the paths of units to why they are needed, `clues` are those of the last
    failure.
    """

    def __init__(
        self,
        run: JournalRun,
        plan: Plan,
        trials: Sequence[Trial],
        failure: Failure,
        tries: Tries,
        progress: Progress,
    ) -> None:
        self._run = run
        self._plan = plan
        self._trials = trials
        self._tries = tries
        self._progress = progress
        self._units = Units(plan, run.journal.removals)
        self._removed = Removed(plan.inventory, (removal.path for removal in run.journal.removals))
        self._restored: frozenset[Unit] = frozenset()
        self._results: dict[frozenset[Unit], bool] = {frozenset(): False}
        self.failure = failure
        self.clues = read_output(failure.output, self._removed)
        self.evidence: dict[str, str] = {}

    def find(self) -> list[Unit]:
        """The units to keep. Errors: `OutOfTries`, `VerificationFailed`."""
        units = self._by_evidence() or self._by_use()
        if units is not None:
            return units
        levels: list[Callable[[Unit], str]] = [
            lambda unit: unit.rule,
            lambda unit: f"{unit.rule} {unit.owner}",
            lambda unit: f"{unit.rule} {unit.folder}",
        ]
        return smallest_in_steps(self._units.all, self._passes, levels)

    def _by_evidence(self) -> list[Unit] | None:
        """Restore what the output names, as long as each failure names something new."""
        groups: list[tuple[Unit, ...]] = []
        while True:
            new = self._learn()
            # What the output names goes by folders; not all that is looked for is needed.
            new_groups = grouped(new, lambda unit: unit.folder)
            if not new:
                self._ask_the_system()
                new = self._learn()
                new_groups = [(unit,) for unit in new]
            if not new:
                return None
            groups += new_groups
            if self._passes(self._restored | {*new}):
                return smallest_of_groups(groups, self._passes)
            self.clues = read_output(self.failure.output, self._removed)

    def _learn(self) -> list[Unit]:
        """The units of the clues that are not restored yet."""
        units: dict[Unit, None] = {}
        for clue in self.clues:
            for unit in self._units.of([clue.path]):
                self.evidence.setdefault(unit.path, clue.because)
                units[unit] = None
        return [unit for unit in units if unit not in self._restored]

    def _ask_the_system(self) -> None:
        """Add what the failed command looks for in vain: one more run of it."""
        seconds = self._tries.left()
        self.clues += read_misses(self._trials, self.failure, self._plan, self._removed, seconds)
        self._tries.count(self._progress)

    def _by_use(self) -> list[Unit] | None:
        """Restore what the trials use when nothing is removed.

        Errors: `VerificationFailed` where one fails even then.
        """
        everything = frozenset(self._units.all)
        paths: list[str] = []
        complete = True
        self._restore(everything)
        for trial in self._trials:
            use = read_use(trial, self._plan, self._tries.left())
            if use is None:
                complete = False
                continue
            self._tries.count(self._progress)
            if use[1] is not None:
                raise self._hopeless(use[1])
            paths += use[0]
        if not complete and not self._passes(everything):
            raise self._hopeless(self.failure)
        units = self._units.of(paths)
        if not units or not self._passes(frozenset(units)):
            return None
        for unit in units:
            self.evidence.setdefault(
                unit.path, "used by the verification before anything was removed"
            )
        return smallest_in_steps(units, self._passes, [lambda unit: unit.folder])

    def _hopeless(self, failure: Failure) -> VerificationFailed:
        outcome = "it fails on the environment before pruning too, and the run was undone"
        return verification_failed(self._plan, failure, (), outcome)

    def _passes(self, units: frozenset[Unit]) -> bool:
        """Whether the trials pass with these units restored, and no others."""
        if units not in self._results:
            self._tries.left()
            self._restore(units)
            failure = None
            for trial in self._trials:
                failure = trial.run(self._plan, seconds=self._tries.left())
                if failure is not None:
                    self.failure = failure
                    break
            self._tries.count(self._progress)
            self._results[units] = failure is None
        return self._results[units]

    def _restore(self, units: frozenset[Unit]) -> None:
        self._run.restore(n for unit in units - self._restored for n in unit.numbers)
        self._run.remove(n for unit in self._restored - units for n in unit.numbers)
        self._restored = units


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
        try:
            units = search.find()
        except OutOfTries:
            units = []
        keeps = make_keeps(plan, units, search.evidence)
        keeps = [keep for keep in keeps if keep.pattern not in self._patterns]
        if not keeps:  # or what helped in the search did not help the plan made from it
            outcome = f"healing found no way in {self._tries}, and the run was undone"
            raise verification_failed(plan, search.failure, search.clues, outcome)
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
