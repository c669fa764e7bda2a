"""``condaprune why``: who needs a package, and can it go?"""

from __future__ import annotations

import click

from condaprune.cli.command import Command
from condaprune.cli.completion import packages
from condaprune.cli.conda import environment
from condaprune.cli.outputs import form_option, make_show
from condaprune.cli.terminal import put
from condaprune.report.forms import WHY, render


@click.command(cls=Command)
@environment
@click.argument("package", metavar="PACKAGE", shell_complete=packages)
@click.option("--unused", metavar="TRACE", help="Say too whether a run of this trace touched it.")
@form_option(WHY)
def why(env: str, package: str, unused: str | None, form: str) -> None:
    """Show who needs PACKAGE in ENV, by which chain, what would go with it, and whether it can go.

    PACKAGE is a conda package or a Python distribution. What counts is what packages declare:
    `--trace` and the guards of a prune see what the code does.

    \b
    condaprune why /env icu
    condaprune why /env pypi:numpy --unused app.trace
    """
    from condaprune.app.audit import readable_environment
    from condaprune.report.audit.make import Wanted, make_audit
    from condaprune.report.audit.needs import explain_package

    subject = readable_environment(env, "why")
    made = make_audit(subject, Wanted(trace=unused or ""))
    reasons = explain_package(made, subject.inventory(), package)
    put(render(form, WHY, reasons, make_show()))
