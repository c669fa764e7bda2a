"""A prune: open, recover, plan, begin, apply, verify, heal, commit, account."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from condaprune.errors import UsageProblem
from condaprune.model import Outcome, Plan, Progress, no_progress
from condaprune.planning.account import Account, make_account
from condaprune.planning.planner import make_plan
from condaprune.request.request import NO_VERIFICATION, Request
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.live.heal.healer import TrialHealer
    from condaprune.live.heal.keeps import Keep
    from condaprune.sinks.inplace.sink import InPlaceOptions


@dataclass(frozen=True, slots=True)
class InPlace:
    """How a run in place is carried out.

    `undoable` keeps what goes set aside afterwards. `heal` takes removals back where a verification
    fails, within `heal_tries` verifications and `heal_time` seconds.
    """

    undoable: bool = False
    heal: bool = False
    heal_tries: int = 25
    heal_time: float = 900.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """What came of a prune; `outcome` is None for a dry run.

    `keeps` are the removals that healing took back, after `verifications` runs of what was to be
    verified.
    """

    plan: Plan
    account: Account
    outcome: Outcome | None
    keeps: tuple[Keep, ...] = ()
    verifications: int = 0


def dry_run(source: Source, request: Request, *, progress: Progress = no_progress) -> Pruned:
    """What a prune would do; nothing is touched. Errors: those of `make_plan`."""
    plan = make_plan(source, request, progress=progress)
    return Pruned(plan, make_account(plan), None)


def prune(
    source: Source,
    request: Request,
    *,
    reopen: Callable[[], Source],
    output: str | None = None,
    packing: Mapping[str, Any] | None = None,
    in_place: InPlace | None = None,
    force: bool = False,
    allow_self: bool = False,
    say: Callable[[str], None] = lambda _text: None,
    progress: Progress = no_progress,
) -> Pruned:
    """Prune an environment in place, or into *output*.

    A refusal comes before anything is touched. *say* is called with what happened to a run that
    was interrupted before. Errors: those of `make_plan`, `SinkError`, `VerificationFailed`.
    """
    from condaprune.sinks.outputs.choose import choose_sink

    options, healer = None, None
    if output is None:
        options, healer = _in_place(request, in_place or InPlace(), reopen)
    sink = choose_sink(
        source, output, force=force, allow_self=allow_self, in_place=options, **(packing or {})
    )
    recover_run(source, say, progress)
    plan = make_plan(source, request, progress=progress)
    outcome = sink.carry_out(plan, source, progress)
    plan = getattr(sink, "plan", None) or plan
    keeps, spent = (tuple(healer.keeps), healer.spent + 1) if healer else ((), 0)
    return Pruned(plan, make_account(plan, outcome), outcome, keeps, spent)


def recover_run(source: Source, say: Callable[[str], None], progress: Progress) -> None:
    """End a run in this environment that was interrupted, and say so. Errors: `SinkError`."""
    pending = pending_run(source)
    if not pending:
        return
    from condaprune.sinks.inplace.recovery import recover

    done = recover(pending, source.label, progress=progress)
    if done:
        say(f"{source.label}: {done}")


def pending_run(source: Source) -> str:
    """The prefix where it may hold an interrupted run, else nothing."""
    from condaprune.sources.walk import STATE_FOLDER

    prefix = str(getattr(source, "prefix", ""))
    return prefix if prefix and os.path.lexists(os.path.join(prefix, STATE_FOLDER)) else ""


def _in_place(
    request: Request, wanted: InPlace, reopen: Callable[[], Source]
) -> tuple[InPlaceOptions | None, TrialHealer | None]:
    verify = () if request.verify == (NO_VERIFICATION,) else request.verify
    if not (verify or wanted.heal or wanted.undoable):
        return None, None  # the usual case, without importing all that verifies
    from condaprune.live.trials.choose import make_trials
    from condaprune.sinks.inplace.sink import InPlaceOptions

    trials = make_trials(verify)
    if not wanted.heal:
        return InPlaceOptions(trials, wanted.undoable), None
    if not trials:
        raise UsageProblem(
            "there is no verification to heal by",
            where="--heal",
            remedy="Say what must work with --verify",
        )
    from condaprune.live.heal.healer import TrialHealer

    healer = TrialHealer(
        trials,
        lambda keep, progress: make_plan(reopen(), request.kept_too(keep), progress=progress),
        tries=wanted.heal_tries,
        seconds=wanted.heal_time,
    )
    return InPlaceOptions(trials, wanted.undoable, healer), healer
