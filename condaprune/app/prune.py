"""A prune: open, recover, plan, begin, apply, verify, heal, commit, account."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from condaprune.errors import UsageProblem
from condaprune.model import Outcome, Plan, Progress, no_progress
from condaprune.planning.account import Account, make_account
from condaprune.planning.planner import make_plan
from condaprune.request.request import NO_VERIFICATION, Request
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.app.carry_out import Carried
    from condaprune.live.heal.units import Keep
    from condaprune.live.heal.verifier import Verifier
    from condaprune.sinks.inplace.sink import InPlaceSink
    from condaprune.sinks.outputs.options import OutputOptions


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
    output: OutputOptions | None = None,
    in_place: InPlace | None = None,
    allow_self: bool = False,
    say: Callable[[str], None] = lambda _text: None,
    progress: Progress = no_progress,
) -> Pruned:
    """Prune an environment in place, or into *output*.

    A refusal comes before anything is touched. *say* is called with what happened to a run that
    was interrupted before. Errors: those of `make_plan`, `SinkError`, `VerificationFailed`.
    """
    from condaprune.app.carry_out import carry_out

    def replan(patterns: Sequence[str]) -> tuple[Plan, Source]:
        again = reopen()
        return make_plan(again, request.kept_too(patterns), progress=progress), again

    carry_out_plan: Callable[..., Carried]
    verifier = None
    if output is None:
        in_place = in_place or InPlace()
        verifier = _verifier(request, in_place)
        place = _in_place_sink(
            source,
            allow_self=allow_self,
            verified=verifier is not None,
            undoable=in_place.undoable,
        )
        carry_out_plan = partial(carry_out, sink=place, verifier=verifier, replan=replan)
    else:
        from condaprune.sinks.outputs.sink import OutputSink

        sink = OutputSink(output, source.prefix)
        carry_out_plan = partial(carry_out, sink=sink)
    recover_run(source, say, progress)
    plan = make_plan(source, request, progress=progress)
    carried = carry_out_plan(plan, source, progress=progress)
    account = make_account(carried.plan, carried.outcome)
    spent = verifier.spent if verifier else 0
    return Pruned(carried.plan, account, carried.outcome, carried.keeps, spent)


def recover_run(source: Source, say: Callable[[str], None], progress: Progress) -> None:
    """End a run in this environment that was interrupted, and say so. Errors: `SinkError`."""
    pending = pending_run(source)
    if not pending:
        return
    from condaprune.sinks.inplace.run import recover

    done = recover(pending, source.label, progress=progress)
    if done:
        say(f"{source.label}: {done}")


def pending_run(source: Source) -> str:
    """The prefix where it holds an interrupted run, else nothing."""
    from condaprune.sources.prefix import STATE_FOLDER

    prefix = source.prefix
    if not prefix or not os.path.lexists(os.path.join(prefix, STATE_FOLDER)):
        return ""  # the usual case, without importing all that recovers
    from condaprune.sinks.inplace.run import is_pending

    return prefix if is_pending(prefix) else ""


def _in_place_sink(
    source: Source, *, allow_self: bool, verified: bool, undoable: bool
) -> InPlaceSink:
    """The prefix of *source* as sink. Errors: `UsageProblem`, `ProtectedPathError`."""
    from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
    from condaprune.sources.prefix import check_not_own

    if not source.prefix:
        raise UsageProblem(
            "an archive cannot be pruned in place",
            where=source.label,
            remedy="Name the archive or folder to write with -o",
        )
    if not allow_self:
        check_not_own(source.prefix)
    return InPlaceSink(InPlaceOptions(verified=verified, undoable=undoable))


def _verifier(request: Request, in_place: InPlace) -> Verifier | None:
    """What verifies a run in place, if anything does. Errors: `UsageProblem`."""
    verify = () if request.verify == (NO_VERIFICATION,) else request.verify
    if not (verify or in_place.heal):
        return None  # the usual case, without importing all that verifies
    from condaprune.live.heal.verifier import Tries, Verifier
    from condaprune.live.trials import make_trials
    from condaprune.request.trust import check_commands

    check_commands(request.origin, request.unaccepted)
    trials = make_trials(verify)
    if in_place.heal and not trials:
        raise UsageProblem(
            "there is no verification to heal by",
            where="--heal",
            remedy="Say what must work with --verify",
        )
    tries = Tries(in_place.heal_tries, in_place.heal_time) if in_place.heal else None
    return Verifier(trials, tries) if trials else None
