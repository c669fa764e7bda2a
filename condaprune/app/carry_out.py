"""Carries a plan out: begin, apply, verify, heal by a new plan, then commit or undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from condaprune.model import Outcome, Plan, Progress, no_progress
from condaprune.sinks.base import Run
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.live.heal.units import Keep

R = TypeVar("R", bound=Run)
R_co = TypeVar("R_co", bound=Run, covariant=True)
R_contra = TypeVar("R_contra", bound=Run, contravariant=True)

Replan = Callable[[Sequence[str]], tuple[Plan, Source]]
"""Makes the plan for the original environment with these patterns kept as well."""


class SinkOf(Protocol[R_co]):
    """A `condaprune.sinks.base.Sink` whose runs are of one type."""

    def begin(self, plan: Plan, source: Source) -> R_co: ...
    def close(self) -> None: ...


class VerifierOf(Protocol[R_contra]):
    """Looks at a run before it is final."""

    def prepare(self, plan: Plan, progress: Progress) -> None:
        """Learn what the environment does before anything goes. Errors: `CondapruneError`."""

    def verify(self, run: R_contra, plan: Plan, progress: Progress) -> Sequence[Keep]:
        """Nothing where all is well, else what to keep so that it is.

        Errors: `VerificationFailed` where it is not well and no way was found to heal it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Carried:
    """The plan that was carried out in the end, its outcome, and what healing keeps in it."""

    plan: Plan
    outcome: Outcome
    keeps: tuple[Keep, ...] = ()


def carry_out(
    plan: Plan,
    source: Source,
    sink: SinkOf[R],
    *,
    verifier: VerifierOf[R] | None = None,
    replan: Replan | None = None,
    progress: Progress = no_progress,
) -> Carried:
    """Carry *plan* out on *sink*, whole or not at all.

    With a *verifier* it is undone unless the result is well; where the verifier finds what to
    keep, the plan is made anew by *replan* and carried out in its place.
    Errors: `SinkError`, `VerificationFailed`; those of *replan*.
    """
    keeps: list[Keep] = []
    if verifier is not None:
        verifier.prepare(plan, progress)
    try:
        while True:
            run = sink.begin(plan, source)
            try:
                run.apply(progress)
                more = verifier.verify(run, plan, progress) if verifier is not None else ()
            except BaseException:
                run.undo()
                raise
            if not more:
                return Carried(plan, run.commit(), tuple(keeps))
            run.undo()
            keeps += more
            assert replan is not None, "a verifier that heals needs a new plan"
            plan, source = replan([keep.pattern for keep in keeps])
    finally:
        sink.close()
