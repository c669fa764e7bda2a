"""The protocol that every sink fulfils."""

from __future__ import annotations

from typing import Protocol

from condaprune.model import Outcome, Plan, Progress
from condaprune.sources.base import Source


class Sink(Protocol):
    """Where a plan is carried out."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Make the plan true, whole or not at all.

        Errors: `SinkError`; nothing is left half done then.
        """
        ...
