"""The protocol that every sink fulfils: begin, apply, then commit or undo.

A sink calls nothing above it: whether what it did still works, and what to do where it does not,
is for the composition in `condaprune.app` to say.
"""

from __future__ import annotations

from typing import Protocol

from condaprune.model import Outcome, Plan, Progress
from condaprune.sources.base import Source


class Run(Protocol):
    """One plan on its way: applied once, then committed or undone."""

    def apply(self, progress: Progress) -> None:
        """Make the plan true, so far that it can be looked at and still be undone.

        Errors: `SinkError`; `undo` is called then.
        """
        ...

    def commit(self) -> Outcome:
        """Make it final, and measure it. Errors: `SinkError`."""
        ...

    def undo(self) -> None:
        """Leave everything as it was before. Errors: `SinkError`."""
        ...


class Sink(Protocol):
    """Where a plan is carried out."""

    def begin(self, plan: Plan, source: Source) -> Run:
        """Check that the plan can be carried out here, and take what it needs (locks, files).

        May be called again after an `undo`, with another plan. Errors: `SinkError`.
        """
        ...

    def close(self) -> None:
        """Let go of what `begin` took. Called once at the end, whatever happened."""
        ...
