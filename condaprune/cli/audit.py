"""``condaprune audit``: where the bytes go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.conda import environment
from condaprune.cli.options import asks_for_plan, request_options
from condaprune.cli.outputs import (
    Output,
    make_show,
    open_outputs,
    output_options,
    parse_outputs,
    write_all,
)
from condaprune.cli.terminal import say
from condaprune.report.audit.model import VIEWS

if TYPE_CHECKING:
    from condaprune.request.request import Request


_COUNTING = (
    "by", "depth", "exclude", "exact", "quick", "duplicates", "exclusive", "unused", "save",
    "all_files", "top",
)  # fmt: skip


@click.command(cls=Command)
@environment
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(VIEWS),
    help="Only these views (text, Markdown, CSV); repeatable. `rule` lays the plan over.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=1, max=64),
    default=1,
    show_default=True,
    metavar="N",
    help="Levels of folders.",
)
@request_options
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out what matches.")
@click.option("--exact", is_flag=True, help="Compress everything instead of a sample.")
@click.option("--quick", is_flag=True, help="Read no contents: no compressed sizes, no symbols.")
@click.option("--duplicates", is_flag=True, help="Find files of equal content.")
@click.option("--exclusive", is_flag=True, help="What would go with each package.")
@click.option("--unused", metavar="TRACE", help="What no run of this trace touched.")
@click.option("--runtime", is_flag=True, help="What a runtime image has to bring, instead.")
@click.option(
    "--run-activation", is_flag=True, help="With --runtime: run the activation scripts in a shell."
)
@click.option("--dockerfile", is_flag=True, help="Print a final stage for a Dockerfile, instead.")
@click.option("--save", metavar="FILE", help="Save a baseline, small enough to commit.")
@click.option("--all-files", is_flag=True, help="List every file in JSON and CSV.")
@output_options
def audit(
    env: str,
    by: tuple[str, ...],
    depth: int,
    request: Request,
    exclude: tuple[str, ...],
    exact: bool,
    quick: bool,
    duplicates: bool,
    exclusive: bool,
    unused: str | None,
    runtime: bool,
    run_activation: bool,
    dockerfile: bool,
    save: str | None,
    all_files: bool,
    outputs: tuple[str, ...],
    form: str | None,
    top: int,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Show where the bytes of ENV go; nothing is changed.

    With an option that says what may go (--profile, --keep, --strip, ...) the plan of a prune with
    the same options and configuration is laid over: what would go, and from where.

    ENV is a prefix, an archive, the name of an environment, the manifest of a prune, a path list,
    or a saved audit.

    \b
    condaprune audit /env                      packages, categories, folders
    condaprune audit /env --strip -o a.html    with what a prune would take
    condaprune audit /env --save base.json     a baseline for `condaprune check`
    """
    from condaprune.report.forms import AUDIT, NEEDS

    needs = runtime or dockerfile or run_activation
    wanted_outputs = parse_outputs(outputs, form, NEEDS if needs else AUDIT)
    files = open_outputs(wanted_outputs, ("--save", save))
    laid_over = request if asks_for_plan() or "rule" in by else None
    _warn_of_idle(wanted_outputs, needs=needs)
    if laid_over is None:
        effects.warn_idle(("config_file", "isolated"), "without an option that says what may go")
    if needs:
        from condaprune.cli.runtime import show_runtime

        show_runtime(
            env,
            wanted_outputs,
            files,
            dockerfile=dockerfile,
            run=run_activation,
            quiet=quiet,
            request=laid_over,
        )
        return
    from condaprune.app.audit import audit as make_audit
    from condaprune.app.prune import note_on_pending
    from condaprune.cli.progress import Reporter
    from condaprune.report.audit.make import Wanted
    from condaprune.report.audit.model import Audit
    from condaprune.report.audit.saved import to_json
    from condaprune.report.audit.subject import open_subject

    wanted = Wanted(
        depth=depth,
        compressed="exact" if exact else "no" if quick else "sample",
        strippable=not quick,
        duplicates=duplicates,
        exclusive=exclusive,
        exclude=exclude,
        trace=unused or "",
    )
    subject = open_subject(env)
    if not isinstance(subject, Audit) and (note := note_on_pending(subject)):
        say(note)
    if laid_over is not None and not isinstance(subject, Audit):
        effects.check_matches(laid_over, subject.inventory())
    if isinstance(subject, Audit):
        effects.warn_idle(("quick",), "on a document: nothing is read")
    elif exclude:
        effects.warn_of_excludes(exclude, subject.inventory())
    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        audit = make_audit(subject, wanted, laid_over, progress=progress)
    show = make_show(by, top, files=all_files)
    write_all(wanted_outputs, AUDIT, audit, show, files, quiet=quiet)
    if save:
        files.write(save, to_json(audit, baseline=True))
        if not quiet:
            say(f"saved the baseline {save}")


def _warn_of_idle(outputs: Sequence[Output], *, needs: bool) -> None:
    """Warn of options without an effect on these outputs."""
    if needs:
        effects.warn_idle(_COUNTING, "with --runtime or --dockerfile")
        return
    forms = {output.form for output in outputs}
    if not forms & {"json", "csv"}:
        effects.warn_idle(("all_files",), "but on the forms json and csv")
    if not forms & {"text", "md", "github"}:
        effects.warn_idle(("top",), "but on the forms text, md and github")
    by = click.get_current_context().params["by"]
    if "rule" not in by and not forms & {"text", "md", "csv", "github"}:
        effects.warn_idle(("by",), "but on the forms text, md, github and csv")
