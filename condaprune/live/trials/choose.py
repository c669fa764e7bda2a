"""Makes trials of what ``--verify`` says."""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.errors import UsageProblem
from condaprune.live.trials.base import Trial
from condaprune.live.trials.command import CommandTrial

NONE = "none"
IMPORTS = "imports"


def make_trials(values: Sequence[str]) -> tuple[Trial, ...]:
    """The trials for the values of ``--verify``: commands, ``imports``, or ``none`` alone.

    Errors: `UsageProblem` for an empty command, and ``none`` beside others.
    """
    if NONE in values:
        if set(values) != {NONE}:
            raise UsageProblem(
                "none cannot be combined with other verifications",
                where="--verify",
                remedy="Leave out one of them",
            )
        return ()
    found: list[Trial] = []
    for value in dict.fromkeys(values):
        if not value.strip():
            raise UsageProblem(
                "an empty command", where="--verify", remedy="Give a command, imports or none"
            )
        if value == IMPORTS:
            from condaprune.live.trials.imports import ImportsTrial

            found.append(ImportsTrial())
        else:
            found.append(CommandTrial(value))
    return tuple(found)
