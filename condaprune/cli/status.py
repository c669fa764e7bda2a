"""``condaprune status``: what was done to an environment, and whether anything is left undone."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from condaprune.sinks.inplace.status import PrefixStatus


@click.command()
@click.argument("env")
@click.option(
    "--format",
    "shown",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer.",
)
def status(env: str, shown: str) -> int:
    """Tell when ENV was pruned, by which version, profile and rules, and what that saved.

    Exit status: 0 nothing is left undone, 1 a run was interrupted, 2 could not run.
    """
    from condaprune import api
    from condaprune.errors import UsageProblem
    from condaprune.sinks.inplace.status import read_prefix
    from condaprune.sources.prefix import PrefixSource

    source = api.open_source(env)
    if not isinstance(source, PrefixSource):
        raise UsageProblem("an archive has no status", where=env, remedy="Name a prefix")
    told = read_prefix(source.prefix)
    if shown == "json":
        click.echo(json.dumps(told.to_json(), indent=1))
    else:
        click.echo(_render(env, told), nl=False)
    return 1 if told.pending else 0


def _render(label: str, told: PrefixStatus) -> str:
    """The answer as text."""
    from condaprune.paths import printable
    from condaprune.report.units import share, size

    lines = []
    if not told.runs:
        lines.append(f"{printable(label)} has not been pruned in place")
    else:
        lines.append(f"{printable(label)} was pruned in place")
    for number, run in enumerate(told.runs, 1):
        saved = run.bytes_before - run.bytes_after
        last = number == len(told.runs) and told.when is not None
        when = time.strftime(" on %Y-%m-%d %H:%M UTC", time.gmtime(told.when)) if last else ""
        lines.append(f"  by condaprune {run.version} with profile {run.profile}{when}")
        lines.append(
            f"    {size(run.bytes_before)} to {size(run.bytes_after)}, "
            f"saved {size(saved)} ({share(saved, run.bytes_before).strip()}), "
            f"{run.files_before - run.files_after:,} of {run.files_before:,} files"
        )
        lines.append(f"    rules: {', '.join(run.rules) or 'none'}")
    if told.undoable:
        lines.append("  the last run can be undone: `condaprune undo`")
    lines.append(f"  left undone: {told.pending}" if told.pending else "  nothing is left undone")
    return "\n".join(lines) + "\n"
