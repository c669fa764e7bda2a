"""Trials: what a pruned environment must still do before a run in place is final (``--verify``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from condaprune.errors import UsageProblem
from condaprune.live.activation import Wrap, run_command
from condaprune.model import Plan, Progress

if TYPE_CHECKING:
    from condaprune.live.verify.importer import ImportResults

NONE = "none"
IMPORTS = "imports"
_TIMEOUT = 60.0
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that failed: its name, how it ended in words, and the end of its output."""

    trial: str
    ending: str
    output: str


class Trial(Protocol):
    """Something that the pruned environment must still do. `name` is how messages call it;
    a `recordable` one runs a command that a recorder can wrap."""

    name: str
    recordable: bool

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Learn what the environment does before it is pruned. Errors: `CondapruneError`."""
        ...

    def run(self, plan: Plan, *, seconds: float = 0.0, wrap: Wrap | None = None) -> Failure | None:
        """Try the environment of *plan*, which was carried out; None where the trial passes.

        After *seconds* (0: never) it has failed. *wrap* records a recordable trial.
        """
        ...


class CommandTrial:
    """``--verify CMD``: a shell command of the user's that must end with 0."""

    recordable = True

    def __init__(self, command: str) -> None:
        self.name = command

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Nothing to learn: the command itself says what is right."""

    def run(self, plan: Plan, *, seconds: float = 0.0, wrap: Wrap | None = None) -> Failure | None:
        """Run the command; see `condaprune.live.activation.run_command`."""
        result = run_command(self.name, plan.inventory.prefix, seconds=seconds, wrap=wrap)
        return None if result.code == 0 else Failure(self.name, result.ending, result.output)


class ImportsTrial:
    """``--verify imports``: every module that could be imported before still can be."""

    name = IMPORTS
    recordable = False

    def __init__(self) -> None:
        self._baseline: ImportResults | None = None

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Import everything once before anything goes. Errors: `SourceError`."""
        from condaprune.live.verify.proof import sweep

        self._baseline = sweep(prefix, progress=progress)

    def run(self, plan: Plan, *, seconds: float = 0.0, wrap: Wrap | None = None) -> Failure | None:
        """Import everything again and compare; *seconds* bounds a single import."""
        from condaprune.live.verify.proof import compare_imports

        assert self._baseline is not None
        limit = min(seconds, _TIMEOUT) if seconds else _TIMEOUT
        prefix = plan.inventory.prefix
        verification = compare_imports(self._baseline, prefix, removed=plan, timeout=limit)
        if verification.ok:
            return None
        lost = verification.lost
        lines = [f"{finding.name}: {finding.evidence}" for finding in lost[:_SHOWN]]
        ending = f"{len(lost)} module{'s' * (len(lost) != 1)} can no longer be imported"
        return Failure(self.name, ending, "\n".join(lines))


def make_trials(values: Sequence[str]) -> tuple[Trial, ...]:
    """The trials for the values of ``--verify``: commands, ``imports``, or ``none`` alone.

    Errors: `UsageProblem` for an empty command, and for ``none`` together with others.
    """
    if NONE in values:
        if set(values) != {NONE}:
            raise UsageProblem(
                "none cannot be combined with other verifications",
                where="--verify",
                remedy="Leave out one of them",
            )
        return ()
    if not all(value.strip() for value in values):
        raise UsageProblem(
            "an empty command", where="--verify", remedy="Give a command, imports or none"
        )
    return tuple(
        ImportsTrial() if value == IMPORTS else CommandTrial(value)
        for value in dict.fromkeys(values)
    )
