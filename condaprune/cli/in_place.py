"""The options of a run in place, and what is told after it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from condaprune.live.heal.healer import Replan, TrialHealer
    from condaprune.model import Outcome, Progress
    from condaprune.sinks.inplace.sink import InPlaceOptions
    from condaprune.sources.base import Source

_OPTIONS = (
    click.option("--verify", "verifications", multiple=True, metavar="CMD|imports|none",
                 help="Undo the run unless this shell command succeeds in the pruned environment, "
                 "or every import that worked still does; repeatable. none: not even what the "
                 "configuration asks for."),
    click.option("--heal", is_flag=True,
                 help="Where --verify fails, take back the fewest removals that mend it."),
    click.option("--heal-tries", type=click.IntRange(3), default=25, show_default=True,
                 metavar="N", help="How often --heal may run the verification."),
    click.option("--heal-time", type=click.FloatRange(0, min_open=True), default=900.0,
                 show_default=True, metavar="SECONDS", help="How long --heal may take."),
    click.option("--undoable", is_flag=True,
                 help="Set aside what goes, so that `condaprune undo` can put it back."),
)  # fmt: skip
NONE = "none"
_NAMES = ("verifications", "heal", "heal_tries", "heal_time", "undoable")


def in_place_options(command: Any) -> Any:
    """Add the options; the command passes what they collect to `take_in_place`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_in_place(
    options: dict[str, Any],
    *,
    configured: Callable[[], tuple[str, ...]],
    output: str | None,
    replan: Replan,
) -> tuple[InPlaceOptions | None, TrialHealer | None]:
    """Take the options of a run in place out of all *options*; None where none is set.

    *configured* tells the verifications of the configuration; they apply to runs in place only.
    Errors: `UsageProblem` for options that do not fit together.
    """
    from condaprune.errors import UsageProblem

    given = {name: options.pop(name) for name in _NAMES}
    values: tuple[str, ...] = given["verifications"]
    if output is not None:
        for name, option in (("verifications", "--verify"), ("heal", "--heal"),
                             ("undoable", "--undoable")):  # fmt: skip
            if given[name]:
                raise UsageProblem(
                    "this is for a run in place, and -o leaves the environment as it is",
                    where=option,
                    remedy="Leave it out, and verify the output with `condaprune verify`",
                )
        return None, None
    if NONE not in values:
        values = (*configured(), *values)
    if not (values or given["heal"] or given["undoable"]):
        return None, None  # the usual case, without the import of all that tries and journals
    from condaprune.live.trials.choose import make_trials
    from condaprune.sinks.inplace.sink import InPlaceOptions

    trials = make_trials(values)
    if not given["heal"]:
        return InPlaceOptions(trials, given["undoable"]), None
    if not trials:
        raise UsageProblem(
            "there is no verification to heal by",
            where="--heal",
            remedy="Say what must work with --verify",
        )
    from condaprune.live.heal.healer import TrialHealer

    healer = TrialHealer(trials, replan, tries=given["heal_tries"], seconds=given["heal_time"])
    return InPlaceOptions(trials, given["undoable"], healer), healer


def settle(source: Source, *, dry_run: bool, progress: Progress) -> None:
    """End a run that was interrupted before anything else is done, and say so on stderr.

    A dry run touches nothing and only says that there is one. Errors: `SinkError`.
    """
    from condaprune.sources.prefix import PrefixSource
    from condaprune.sources.walk import STATE_FOLDER

    if not isinstance(source, PrefixSource):
        return
    if not os.path.lexists(os.path.join(source.prefix, STATE_FOLDER)):
        return  # the usual case, without the import of all that recovers
    from condaprune.sinks.inplace.recovery import is_pending, recover

    if dry_run:
        if is_pending(source.prefix):
            _say(f"{source.label}: an interrupted run is to be finished or undone first")
        return
    done = recover(source.prefix, source.label, progress=progress)
    if done:
        _say(f"{source.label}: {done}")


def tell(outcome: Outcome | None) -> None:
    """Show the notes of a run on stderr: those of one in place, those on an output's members."""
    if outcome is None:
        return
    for note in outcome.notes:
        _say(f"note: {note}")


def healed_text(healer: TrialHealer | None) -> str:
    """What was healed, to paste into condaprune.toml; empty where nothing had to be."""
    if healer is None or not healer.keeps:
        return ""
    from condaprune.live.heal.keeps import advice

    count = healer.spent + 1
    return f"\nhealed in {count} verifications; for condaprune.toml:\n\n{advice(healer.keeps)}"


def _say(text: str) -> None:
    click.echo(f"condaprune: {text}", err=True)
