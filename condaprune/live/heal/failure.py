"""The error about a failed verification: the command, its output, what it looked for."""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.errors import VerificationFailed
from condaprune.live.heal.evidence import Clue, Removed, read_misses, read_output
from condaprune.live.heal.observe import looked_for
from condaprune.live.trials.base import Failure, Trial
from condaprune.model import Plan
from condaprune.paths import printable
from condaprune.sinks.inplace.run import Run

_LINES = 30
_PATHS = 20


def failed(run: Run, plan: Plan, failure: Failure, trials: Sequence[Trial]) -> VerificationFailed:
    """The error for a trial that failed; the run must still be carried out.

    A command is run once more under strace, where that works, to learn what it looked for.
    """
    clues = find_clues(run, plan, failure, trials)
    return error_of(plan, failure, clues, "the run was undone")


def find_clues(
    run: Run, plan: Plan, failure: Failure, trials: Sequence[Trial], *, seconds: float = 0.0
) -> list[Clue]:
    """The removed entries that a failed trial looked for: by its output, and by what it asked
    the system for in vain."""
    removed = Removed(plan.inventory, (known.path for known in run.journal.removals))
    clues = read_output(failure.output, removed)
    trial = next((trial for trial in trials if trial.name == failure.trial), None)
    if trial is not None:
        misses = looked_for(trial, run.prefix, plan, seconds=seconds)
        known = {clue.path for clue in clues}
        clues += [clue for clue in read_misses(misses, removed) if clue.path not in known]
    return clues


def error_of(
    plan: Plan, failure: Failure, clues: Sequence[Clue], outcome: str
) -> VerificationFailed:
    """The error with the command's output and the clues in its text."""
    lines = [f"the verification {failure.trial!r} {failure.ended}; {outcome}"]
    tail = failure.output.strip().splitlines()[-_LINES:]
    lines += [f"    {line}" for line in tail]
    if clues:
        lines.append("  It looked for these files, which were removed:")
    for clue in clues[:_PATHS]:
        name = plan.decision(clue.path).name
        rule = f" (rule {name})" if name else ""
        lines.append(f"    {printable(clue.path)}{rule}")
    if len(clues) > _PATHS:
        lines.append(f"    and {len(clues) - _PATHS} more")
    return VerificationFailed(
        "\n".join(lines),
        where=plan.inventory.label,
        remedy="Keep what it needs with --keep, leave the rule out with --ignore, "
        "or let --heal find it",
    )
