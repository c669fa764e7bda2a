"""``condaprune undo``: put back what a run set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.conda import environment
from condaprune.cli.options import journal_options, quiet_option

if TYPE_CHECKING:
    from condaprune.sinks.inplace.leftover import Accept


@click.command(cls=Command)
@environment
@click.option(
    "--forget", is_flag=True, help="Delete what was set aside instead: the run is final then."
)
@journal_options
@click.option("-y", "--yes", is_flag=True, help="Ask nothing before --forget.")
@quiet_option
def undo(env: str, forget: bool, yes: bool, quiet: bool, accept: Accept) -> None:
    """Restore ENV to what it was before `condaprune ENV --undoable`, or an interrupted --verify.

    Exit status: 0 restored, 1 there is nothing to restore (nothing is touched then), 2 could not
    run.
    """
    from condaprune import api
    from condaprune.cli.failure import name_what_is_left
    from condaprune.cli.question import confirm, is_asked
    from condaprune.cli.terminal import put
    from condaprune.errors import UsageProblem
    from condaprune.report.rendering import as_text
    from condaprune.sinks.inplace.run import undo as undo_run

    source = api.open_source(env)
    if not source.prefix:
        raise UsageProblem("an archive is never pruned in place", where=env, remedy="Name a prefix")
    if forget and not yes and is_asked():
        confirm(f"What was set aside of {source.label} goes for good.", "Delete it?")
    if not forget:
        effects.warn_idle(("yes",), "without --forget")
    with name_what_is_left(source):
        done = undo_run(source.prefix, source.label, forget=forget, accept=accept)
    if not quiet:
        put(as_text([f"{env}: {done}"]))
