"""``condaprune prune``: the main job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.conda import ReportForm, environment, name_of
from condaprune.cli.options import (
    in_place_options,
    prune_request_options,
    quiet_option,
    reading_options,
)
from condaprune.cli.packing import output_group
from condaprune.cli.terminal import put, say
from condaprune.paths import printable

if TYPE_CHECKING:
    from condaprune.app.prune import InPlace, Pruned
    from condaprune.cli.files import Files
    from condaprune.cli.progress import Reporter
    from condaprune.model import Plan
    from condaprune.report.rendering import Rendering
    from condaprune.request.request import Request
    from condaprune.sinks.outputs.options import OutputOptions
    from condaprune.sources.base import Limits, Source

_NOTHING = "nothing was written: this was a dry run"


@click.command(cls=Command)
@environment
@click.option("--dry-run", is_flag=True, help="Show the plan, touch nothing.")
@prune_request_options
@in_place_options
@output_group
@reading_options
@click.option(
    "--allow-self", is_flag=True, help="Allow pruning the environment that condaprune runs from."
)
@click.option(
    "--format",
    "shown",
    type=ReportForm(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the report.",
)
@click.option("--manifest", metavar="FILE", help="Write the plan as carried out, as JSON.")
@click.option("--sbom", metavar="FILE", help="Also write the bill of materials there.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing before a run in place.")
@quiet_option
@click.option("-v", "--verbose", count=True, help="More reasons; twice: every removed path.")
@click.option("--no-progress", is_flag=True, help="No bars on a terminal.")
def prune(
    env: str,
    dry_run: bool,
    allow_self: bool,
    shown: str,
    manifest: str | None,
    sbom: str | None,
    yes: bool,
    quiet: bool,
    verbose: int,
    no_progress: bool,
    request: Request,
    in_place: InPlace,
    limits: Limits | None,
    output: OutputOptions | None,
) -> None:
    """Prune ENV: a prefix in place, or any ENV into an archive or folder with -o.

    \b
    condaprune /env                          in place, in a builder stage
    condaprune /env -o env.tar.zst           a relocatable archive, /env untouched
    condaprune env.tar.gz -o slim.tar.zst    from a conda-pack archive
    """
    from condaprune.app import prune as app
    from condaprune.cli.failure import name_what_is_left
    from condaprune.cli.progress import Reporter
    from condaprune.sources.find import find_source

    if output is not None:
        _refuse_in_place_options()
    effects.warn_of_output(output)
    if not in_place.heal:
        effects.warn_idle(("heal_tries", "heal_time"), "without --heal")
    if shown == "json" or quiet:
        effects.warn_idle(("verbose",), "with --quiet" if quiet else "on the form json")
    source = find_source(env, limits)
    effects.warn_of_limits(source.prefix)
    if output is None and not dry_run and not yes and source.prefix and (name := name_of(env)):
        from condaprune.cli.question import check_name

        check_name(name, source.prefix)
    files = _open_files(output, manifest, sbom) if manifest or sbom else None
    undoable = in_place.undoable
    with Reporter(quiet=quiet, bars=not no_progress) as progress:

        def confirm(plan: Plan) -> None:
            effects.check_matches(request, plan.inventory)
            if output is None and not yes:
                _ask(plan, request, progress, undoable=undoable)

        if dry_run:
            if note := app.note_on_pending(source):
                say(note)
            _check_output(output, source)
            pruned = app.dry_run(source, request, progress=progress)
            effects.check_matches(request, pruned.plan.inventory)
        else:
            with name_what_is_left(source):
                pruned = app.prune(
                    source,
                    request,
                    reopen=lambda: find_source(env, limits),
                    output=output,
                    in_place=in_place,
                    allow_self=allow_self,
                    confirm=confirm,
                    say=say,
                    progress=progress,
                )
    if pruned.outcome is not None and not quiet:
        for note in pruned.outcome.notes:
            say(f"note: {note}")
    if files is not None:
        _write_records(pruned, files, manifest, sbom)
    # Where the archive has stdout, the report goes where people still see it.
    stream = sys.stderr if output is not None and _is_stdout(output.output) else sys.stdout
    if not quiet:
        put(_report(pruned, shown, verbose), stream)
    if pruned.keeps:
        put(_healed(pruned), sys.stderr if quiet or shown == "json" else stream)
    if not quiet and shown != "json":
        put(_last_lines(pruned, output, undoable=undoable), stream)
    elif not quiet and dry_run and output is not None:
        say(_NOTHING)


def _report(pruned: Pruned, shown: str, verbose: int) -> Rendering:
    from condaprune.report.forms import PRUNE, render
    from condaprune.report.layout import Show
    from condaprune.report.prune import Prune

    report = Prune(pruned.plan, pruned.account, pruned.outcome)
    return render(shown, PRUNE, report, Show(verbose=verbose))


def _ask(plan: Plan, request: Request, progress: Reporter, *, undoable: bool) -> None:
    """Errors: `UsageProblem`, `Declined`."""
    from condaprune.cli.question import ask, is_asked

    if is_asked():
        progress.clear()
        verified = any(command != "none" for command in request.verify)
        ask(plan, undoable=undoable, verified=verified)


def _check_output(output: OutputOptions | None, source: Source) -> None:
    """Have a dry run refuse an output as the run itself would."""
    if output is not None:
        from condaprune.sinks.outputs.sink import OutputSink

        OutputSink(output, source.prefix)


def _last_lines(pruned: Pruned, output: OutputOptions | None, *, undoable: bool) -> Rendering:
    """What a report ends with: that nothing was written, or how to undo what was done."""
    from condaprune.cli.question import last_lines
    from condaprune.report.rendering import as_text

    lines: tuple[str, ...] = ()
    if pruned.outcome is None:
        lines = (_NOTHING,) if output is not None else ()
    elif output is None:
        lines = last_lines(pruned.plan, undoable=undoable)
    return as_text(("", *lines) if lines else ())


def _open_files(output: OutputOptions | None, manifest: str | None, sbom: str | None) -> Files:
    """Errors: `SinkError`, `UsageProblem`."""
    from condaprune.cli.files import STDOUT, Files

    path = output.output if output is not None else ""
    archive = [("-o", STDOUT if path == "-" else path)] if path else []
    return Files.open(("--manifest", manifest), ("--sbom", sbom), others=archive)


def _is_stdout(output: str) -> bool:
    from condaprune.cli.files import is_stdout

    return is_stdout(output)


def _write_records(pruned: Pruned, files: Files, manifest: str | None, sbom: str | None) -> None:
    """Errors: `SinkError`, which says so where the environment is pruned by now."""
    from condaprune.errors import SinkError

    try:
        if manifest:
            files.write(manifest, _report(pruned, "json", 0))
        if sbom:
            from condaprune.planning.edits.sbom import make_sbom

            files.write(sbom, make_sbom(pruned.plan.inventory).decode())
    except SinkError as error:
        if pruned.outcome is None:
            raise
        done = pruned.outcome.output or pruned.plan.inventory.label
        remedy = f"All else is done: {printable(done)} is pruned"
        raise SinkError(error.what, where=error.where, remedy=remedy) from error


def _healed(pruned: Pruned) -> Rendering:
    """What was healed, to paste into condaprune.toml."""
    from condaprune.live.heal.units import advice
    from condaprune.report.rendering import as_text

    title = f"healed in {pruned.verifications} verifications; for condaprune.toml:"
    return as_text(["", title, "", *advice(pruned.keeps).rstrip("\n").split("\n")])


def _refuse_in_place_options() -> None:
    """Refuse options of a run in place beside -o. Errors: `UsageProblem`."""
    from condaprune.errors import UsageProblem

    given = click.get_current_context().params
    for name in ("verify", "heal", "undoable", "trust_journal", "discard_journal"):
        if given[name]:
            raise UsageProblem(
                "this is for a run in place, and -o leaves the environment as it is",
                where="--" + name.replace("_", "-"),
                remedy="Leave it out; `condaprune verify` verifies the output",
            )
