"""``condaprune explain``: why an entry goes or stays."""

from __future__ import annotations

import json
from typing import Any

import click

from condaprune.cli.reading import reading_options, take_source
from condaprune.cli.selection import plan_for, selection_options


@click.command()
@click.argument("env")
@click.argument("what", nargs=-1, required=True, metavar="PATH|MODULE|PACKAGE...")
@selection_options
@reading_options
@click.option(
    "--format",
    "shown",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer.",
)
def explain(env: str, what: tuple[str, ...], shown: str, **selection: Any) -> None:
    """Why PATH, a folder, a MODULE or a PACKAGE of ENV goes or stays.

    \b
    condaprune explain /env pandas._testing
    condaprune explain /env lib/libssl.so.3 numpy
    """
    from condaprune.model import no_progress
    from condaprune.report.explain import chain, find, render

    source = take_source(env, selection)
    plan = plan_for(source, selection, no_progress)
    found = [find(plan, question) for question in what]
    if shown == "text":
        click.echo("\n".join(render(plan, explanation) for explanation in found), nl=False)
        return
    answer = [
        {
            "question": explanation.question,
            "reading": explanation.reading,
            "entries": [
                {
                    "path": entry.path,
                    "kind": entry.kind,
                    "bytes": entry.size,
                    "owners": [o.label for o in plan.inventory.owners_of(entry.path)],
                    "remove": (decision := plan.decision(entry.path)).remove,
                    "basis": decision.basis,
                    "name": decision.name,
                    "wanted": decision.wanted,
                    "chain": chain(plan, entry.path),
                }
                for entry in explanation.entries
            ],
        }
        for explanation in found
    ]
    click.echo(json.dumps(answer, indent=1))
