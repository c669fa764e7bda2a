"""``condaprune check``: is ENV within its budget?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.conda import environment
from condaprune.cli.options import asks_for_plan, request_options
from condaprune.cli.outputs import (
    make_show,
    open_outputs,
    output_options,
    parse_outputs,
    write_all,
)
from condaprune.cli.terminal import say

if TYPE_CHECKING:
    from condaprune.request.request import Request


@click.command(cls=Command)
@environment
@click.option(
    "--budget",
    metavar="FILE",
    help="The file with the [budget] tables [default: the nearest condaprune.toml].",
)
@click.option(
    "--pruned",
    is_flag=True,
    help="Count only what `condaprune ENV` would leave with the same options and configuration; "
    "nothing is changed.",
)
@request_options
@click.option("--baseline", metavar="FILE", help="The saved audit to compare with.")
@click.option(
    "--save",
    metavar="FILE",
    help="Save a baseline of ENV as it is now, with the "
    "excludes and folders of the budget; without limits to check if there is none.",
)
@click.option(
    "--audit",
    "exports",
    multiple=True,
    metavar="FORM=FILE",
    help="Export the audit of the same run too; repeatable.",
)
@output_options
def check(
    env: str,
    budget: str | None,
    pruned: bool,
    request: Request,
    baseline: str | None,
    save: str | None,
    exports: tuple[str, ...],
    outputs: tuple[str, ...],
    form: str | None,
    top: int,
    quiet: bool,
    no_progress: bool,
) -> int:
    """Hold ENV to the budgets in condaprune.toml. Exit status: 0 within, 1 over, 2 could not run.

    \b
    condaprune check /env --save base.json       the baseline to commit
    condaprune check /env --baseline base.json   in CI, with --format github
    condaprune check /env --pruned               what a prune would leave
    """
    from condaprune.app.audit import audit as make_audit
    from condaprune.cli.progress import Reporter
    from condaprune.errors import ConfigError
    from condaprune.report.audit.budget import load_budget
    from condaprune.report.audit.check import check as hold
    from condaprune.report.audit.make import Wanted
    from condaprune.report.audit.model import Audit
    from condaprune.report.audit.saved import to_json
    from condaprune.report.audit.subject import open_subject
    from condaprune.report.forms import AUDIT, VERDICT
    from condaprune.request.find import find_config

    wanted_outputs = parse_outputs(outputs, form, VERDICT)
    wanted_exports = parse_outputs(exports, None, AUDIT) if exports else []
    if asks_for_plan() and not pruned:
        from condaprune.errors import UsageProblem

        raise UsageProblem(
            "an option that says what may go has no effect on an environment as it is",
            where="check",
            remedy="Add --pruned to count what a prune with these options would leave",
        )
    if not pruned:
        effects.warn_idle(("config_file", "isolated"), "without --pruned")
    if not {output.form for output in (*wanted_outputs, *wanted_exports)} & {
        "text",
        "md",
        "github",
    }:
        effects.warn_idle(("top",), "but on the forms text, md and github")
    exported = (("--audit", export.path) for export in wanted_exports if export.path != "-")
    files = open_outputs(wanted_outputs, ("--save", save), *exported)
    config = find_config(os.getcwd(), (env,))
    path = budget or config.path
    if not path:
        raise ConfigError(
            "there is no condaprune.toml here or in the project above",
            remedy="Write one with a [budget.environment] table, or name it with --budget",
        )
    limits = load_budget(path, named=bool(budget) or config.named)
    base_path = baseline or limits.baseline
    if save and base_path and not os.path.exists(base_path):
        base_path = ""  # the first run makes it
    base = open_subject(base_path) if base_path else None
    if base is not None and not isinstance(base, Audit):
        base = make_audit(base, Wanted(exclude=limits.exclude, depth=limits.depth))
    subject = open_subject(env)
    if pruned and not isinstance(subject, Audit):
        effects.check_matches(request, subject.inventory())
    measures = {limit.measure for limit in limits.limits}
    wanted = Wanted(
        depth=limits.depth if not isinstance(subject, Audit) else subject.depth,
        # A gate on an estimate would fail by chance.
        compressed="exact" if "compressed" in measures else "no",
        strippable="strippable" in measures,
        exclude=limits.exclude,
    )
    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        overlay = request if pruned else None
        made = make_audit(subject, wanted, overlay, pruned=pruned, progress=progress)
    if save:
        files.write(save, to_json(made, baseline=True))
        if not quiet:
            say(f"saved the baseline {save}")
        if base is None and any(limit.needs_baseline for limit in limits.limits):
            return 0
    found = hold(made, limits, base)
    show = make_show(top=top)
    write_all(wanted_exports, AUDIT, made, show, files, quiet=quiet)
    write_all(wanted_outputs, VERDICT, found, show, files, quiet=quiet)
    return 1 if found.failed else 0
