"""``condaprune explain``: why an entry goes or stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.conda import environment
from condaprune.cli.options import filtered_request_options, quiet_option, reading_options
from condaprune.cli.outputs import form_option, make_show
from condaprune.cli.terminal import put, say
from condaprune.report.forms import EXPLANATION, render

if TYPE_CHECKING:
    from condaprune.request.request import Request
    from condaprune.sources.base import Limits


@click.command(cls=Command)
@environment
@click.argument("what", nargs=-1, required=True, metavar="PATH|MODULE|PACKAGE...")
@filtered_request_options
@quiet_option
@reading_options
@form_option(EXPLANATION, "shown")
def explain(
    env: str,
    what: tuple[str, ...],
    shown: str,
    request: Request,
    limits: Limits | None,
    quiet: bool,
) -> None:
    """Why PATH, a folder, a MODULE or a PACKAGE of ENV goes or stays; "." is all of ENV.

    \b
    condaprune explain /env pandas._testing
    condaprune explain /env lib/libssl.so.3 numpy
    """
    from condaprune.app.prune import note_on_pending
    from condaprune.planning.account import make_account
    from condaprune.planning.planner import make_plan
    from condaprune.report.explain import Answers, find
    from condaprune.sources.find import find_source

    source = find_source(env, limits)
    effects.warn_of_limits(source.prefix)
    if (note := note_on_pending(source)) and not quiet:
        say(note)
    plan = make_plan(source, request)
    effects.check_matches(request, plan.inventory)
    explanations = tuple(find(plan, question) for question in what)
    answers = Answers(plan, make_account(plan).count, explanations)
    put(render(shown, EXPLANATION, answers, make_show()))
