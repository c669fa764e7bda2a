"""``condaprune status``: what was done to an environment, and whether anything is left undone."""

from __future__ import annotations

import click

from condaprune.cli.command import Command
from condaprune.cli.conda import environment
from condaprune.cli.outputs import form_option, make_show
from condaprune.cli.terminal import put
from condaprune.report.forms import STATUS, render


@click.command(cls=Command)
@environment
@form_option(STATUS, "shown")
def status(env: str, shown: str) -> int:
    """Say when ENV was pruned, by which version, profile and rules, and what that saved.

    Exit status: 0 nothing is left undone, 1 a run was interrupted, 2 could not run.
    """
    from condaprune import api
    from condaprune.errors import UsageProblem
    from condaprune.report.forms.answers import Status
    from condaprune.sinks.inplace.status import read_prefix

    source = api.open_source(env)
    if not source.prefix:
        raise UsageProblem("an archive has no status", where=env, remedy="Name a prefix")
    prefix = read_prefix(source.prefix)
    put(render(shown, STATUS, Status(env, prefix), make_show()))
    return 1 if prefix.pending else 0
