"""A prune: open, recover, plan, begin, apply, verify, heal, commit, account."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from condaprune.errors import SinkError, UsageProblem
from condaprune.model import Outcome, Plan, Progress, no_progress
from condaprune.paths import printable
from condaprune.planning.account import Account, make_account
from condaprune.planning.planner import make_plan
from condaprune.request.request import NO_VERIFICATION, Request
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.app.carry_out import Carried
    from condaprune.live.heal.units import Keep
    from condaprune.live.heal.verifier import Verifier
    from condaprune.sinks.inplace.leftover import Accept
    from condaprune.sinks.inplace.sink import InPlaceSink
    from condaprune.sinks.outputs.options import OutputOptions


@dataclass(frozen=True, slots=True)
class InPlace:
    """How a run in place is carried out.

    `undoable` keeps what goes set aside afterwards. `heal` takes removals back where a verification
    fails, within `heal_tries` verifications and `heal_time` seconds. `accept` says which journals
    of interrupted runs are carried out first: ``own``, ``any``, or ``none``, which discards them.
    """

    undoable: bool = False
    accept: Accept = "own"
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
    confirm: Callable[[Plan], None] = lambda _plan: None,
    say: Callable[[str], None] = lambda _text: None,
    progress: Progress = no_progress,
) -> Pruned:
    """Prune an environment in place, or into *output*.

    A refusal comes before anything is touched. *confirm* is called with the plan before it is
    carried out, and raises where that is not to be. *say* is called with what happened to a run
    that was interrupted before. Errors: those of `make_plan`, `SinkError`, `VerificationFailed`.
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
            in_place=in_place,
        )
        recover_run(source, in_place.accept, say, progress)
        carry_out_plan = partial(carry_out, sink=place, verifier=verifier, replan=replan)
    else:
        from condaprune.sinks.outputs.sink import OutputSink

        _refuse_pending(source)
        sink = OutputSink(output, source.prefix)
        carry_out_plan = partial(carry_out, sink=sink)
    plan = make_plan(source, request, progress=progress)
    confirm(plan)
    carried = carry_out_plan(plan, source, progress=progress)
    account = make_account(carried.plan, carried.outcome)
    spent = verifier.spent if verifier else 0
    return Pruned(carried.plan, account, carried.outcome, carried.keeps, spent)


def recover_run(
    source: Source, accept: Accept, say: Callable[[str], None], progress: Progress
) -> None:
    """End a run in this environment that was interrupted, and say so. Errors: `SinkError`."""
    if not _has_state(source.prefix):
        return
    from condaprune.sinks.inplace.run import recover

    done = recover(source.prefix, source.label, accept=accept, progress=progress)
    if done:
        say(f"{source.label}: {done}")


def note_on_pending(source: Source) -> str:
    """What is left undone in an environment of which only a plan or a count is made, so that it
    may not be what it seems; empty where nothing is."""
    if not _has_state(source.prefix):
        return ""
    from condaprune.sinks.inplace.status import pending_run

    try:
        _, pending = pending_run(source.prefix, source.label)
    except SinkError as error:
        return str(error)
    return f"{printable(source.label)}: {pending}" if pending else ""


def _refuse_pending(source: Source) -> None:
    """Refuse an environment in which a run in place has not ended. Errors: `SinkError`."""
    if not _has_state(source.prefix):
        return
    from condaprune.sinks.inplace.journal import Phase
    from condaprune.sinks.inplace.status import pending_run

    phase, pending = pending_run(source.prefix, source.label)
    if phase not in (None, Phase.KEPT):
        raise SinkError(
            "a run in place has not ended here, and -o leaves the environment as it is",
            where=printable(source.label),
            remedy=pending[0].upper() + pending[1:],
        )


def _has_state(prefix: str) -> bool:
    """Whether there is a state folder, found out without importing all that recovers."""
    from condaprune.sources.prefix import STATE_FOLDER

    return bool(prefix) and os.path.lexists(os.path.join(prefix, STATE_FOLDER))


def _in_place_sink(
    source: Source, *, allow_self: bool, verified: bool, in_place: InPlace
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
    # What was to be discarded is gone before the sink looks.
    accept: Accept = "own" if in_place.accept == "none" else in_place.accept
    return InPlaceSink(InPlaceOptions(verified, in_place.undoable, accept))


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
