"""``condaprune explain``: why an entry goes or stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from condaprune.cli.options import reading_options, request_options

if TYPE_CHECKING:
    from condaprune.request.request import Request
    from condaprune.sources.members import Limits


@click.command()
@click.argument("env")
@click.argument("what", nargs=-1, required=True, metavar="PATH|MODULE|PACKAGE...")
@request_options
@reading_options
@click.option(
    "--format",
    "shown",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer.",
)
def explain(
    env: str, what: tuple[str, ...], shown: str, request: Request, limits: Limits | None
) -> None:
    """Why PATH, a folder, a MODULE or a PACKAGE of ENV goes or stays; "." is all of ENV.

    \b
    condaprune explain /env pandas._testing
    condaprune explain /env lib/libssl.so.3 numpy
    """
    from condaprune.planning.account import make_account
    from condaprune.planning.planner import make_plan
    from condaprune.report import explain as report
    from condaprune.sources.find import find_source

    plan = make_plan(find_source(env, limits), request)
    count = make_account(plan).count
    answers = [report.find(plan, question) for question in what]
    render = report.render if shown == "text" else report.render_json
    click.echo(render(plan, count, answers), nl=False)
