"""The protocol that every check fulfils, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from condaprune.live.verify.removals import Removals
from condaprune.live.verify.results import Outcome, Unchecked
from condaprune.live.verify.subject import Subject
from condaprune.model import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Pair:
    """The two environments and how to check them: `jobs` processes, `timeout` seconds each."""

    before: Subject
    after: Subject
    removals: Removals
    jobs: int = 2
    timeout: float = 60.0
    progress: Progress = no_progress


class Check(Protocol):
    """One kind of proof. It compares what worked before with after, never with zero.

    `runs_code` tells whether it runs anything of the environments; where no check does, not even
    their Python is asked to describe itself.
    """

    name: str
    runs_code: bool

    def run(self, pair: Pair) -> Outcome:
        """What was lost and what could not be checked; it writes into neither environment."""
        ...


def cannot_run(check: str, pair: Pair) -> Outcome | None:
    """The outcome of a check that needs Python where the environment before has none that runs.

    None where it can run. That Python itself was lost is for the check to say.
    """
    if pair.before.interpreter is not None:
        return None
    if not pair.before.why_not:
        return Outcome()
    return Outcome(unchecked=(Unchecked(check, "", pair.before.why_not),))
