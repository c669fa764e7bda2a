"""The protocol that every check fulfils, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from condaprune.live.verify.removals import Removals
from condaprune.live.verify.results import Finding, Outcome
from condaprune.live.verify.subject import Effort, Subject


@dataclass(frozen=True, slots=True)
class Pair:
    """The two environments, the files that went between them, and how to check them."""

    before: Subject
    after: Subject
    removals: Removals
    effort: Effort

    @property
    def timeout(self) -> float:
        """The seconds that one command or script may take."""
        return self.effort.timeout

    def loss(
        self, check: str, kind: str, name: str, before: str, after: str, evidence: str, *paths: str
    ) -> Finding:
        """A finding that is explained by those of *paths* that are gone."""
        return Finding(check, kind, name, before, after, evidence, self.removals.culprits(*paths))


class Check(Protocol):
    """One kind of proof: it compares after with what worked before, never with zero.

    `runs_code` says whether it runs anything of the environments; if no check does, not even
    their Python is asked to describe itself.
    """

    name: str
    runs_code: bool

    def run(self, pair: Pair) -> Outcome:
        """The losses, and what could not be checked; it writes into neither environment."""
        ...
