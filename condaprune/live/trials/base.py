"""The protocol of a trial, and what a failed one tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from condaprune.model import Plan, Progress


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that failed: its name, how it ended in words, and what it printed (its tail)."""

    trial: str
    ended: str
    output: str


class Trial(Protocol):
    """Something that the pruned environment must still do. `name` is how messages call it."""

    name: str

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Learn what the environment does before it is pruned. Errors: `CondapruneError`."""
        ...

    def run(self, prefix: str, plan: Plan, *, seconds: float = 0.0) -> Failure | None:
        """Try the environment as it lies there; after *seconds* (0: never) it has failed.

        *plan* is the one that was carried out. Returns None where it did well.
        """
        ...
