"""``condaprune prune``: the main job."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from condaprune.cli.in_place import (
    healed_text,
    in_place_options,
    settle,
    take_in_place,
    tell,
)
from condaprune.cli.packing import packing_options, take_packing
from condaprune.cli.reading import reading_options, take_source
from condaprune.cli.selection import plan_for, read_config, selection_options

_SHOWN = click.Choice(["text", "json"])


@click.command()
@click.argument("env")
@click.option(
    "-o",
    "--output",
    metavar="FILE|DIR|-",
    help="Write a relocatable archive or a folder instead of pruning in place.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan, touch nothing.")
@selection_options
@in_place_options
@packing_options
@reading_options
@click.option("--force", is_flag=True, help="Overwrite an output that exists.")
@click.option(
    "--allow-self", is_flag=True, help="Allow pruning the environment that condaprune runs from."
)
@click.option(
    "--format",
    "shown",
    type=_SHOWN,
    default="text",
    show_default=True,
    help="The form of the report.",
)
@click.option("--manifest", metavar="FILE", help="Write the plan as carried out, as JSON.")
@click.option("--sbom", metavar="FILE", help="Also write the bill of materials there.")
@click.option("-q", "--quiet", is_flag=True, help="No report, errors only.")
@click.option("-v", "--verbose", count=True, help="More reasons; twice: every removed path.")
@click.option("--no-progress", is_flag=True, help="No bars on a terminal.")
def prune(
    env: str,
    output: str | None,
    dry_run: bool,
    force: bool,
    allow_self: bool,
    shown: str,
    manifest: str | None,
    sbom: str | None,
    quiet: bool,
    verbose: int,
    no_progress: bool,
    **options: Any,
) -> None:
    """Prune ENV: a prefix in place, or any ENV into an archive or folder with -o.

    \b
    condaprune /env                          in place, in a builder stage
    condaprune /env -o env.tar.zst           a relocatable archive, /env untouched
    condaprune env.tar.gz -o slim.tar.zst    from a conda-pack archive
    """
    from condaprune import api
    from condaprune.cli.progress import Reporter
    from condaprune.plan.account import make_account

    packing = take_packing(options)
    in_place, healer = take_in_place(
        options,
        configured=lambda: _configured_trials(options),
        output=output,
        replan=lambda keep, progress: plan_for(
            api.open_source(env), {**options, "keep": (*options["keep"], *keep)}, progress
        ),
    )
    source = take_source(env, options)
    sink = None
    for target in filter(None, (manifest, sbom)):
        _check_writable(target)
    if not dry_run:
        # Refusals come before the work.
        from condaprune.sinks.outputs.choose import choose_sink

        sink = choose_sink(
            source, output, force=force, allow_self=allow_self, in_place=in_place, **packing
        )
    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        settle(source, dry_run=dry_run, progress=progress)
        plan = plan_for(source, options, progress)
        outcome = sink.carry_out(plan, source, progress) if sink else None
    if not quiet:
        tell(outcome)
    plan = getattr(sink, "plan", None) or plan  # healing takes removals back
    account = make_account(plan, outcome)
    if manifest:
        from condaprune.report.manifest import render_json

        _write(manifest, render_json(plan, account, outcome))
    if sbom:
        from condaprune.plan.edits.sbom import make_sbom

        _write(sbom, make_sbom(plan.inventory).decode())
    healed = healed_text(healer)
    if quiet or shown == "json":
        sys.stderr.write(healed)
        healed = ""
    if quiet:
        return
    if shown == "json":
        from condaprune.report.manifest import render_json

        text = render_json(plan, account, outcome)
    else:
        from condaprune.report.text import render

        text = render(plan, account, outcome, verbose=verbose)
    # With -o - the archive has stdout, and the report goes where people still see it.
    stream = sys.stderr if output == "-" else sys.stdout
    stream.write(text + healed)


def _configured_trials(options: dict[str, Any]) -> tuple[str, ...]:
    config = read_config(options["config_file"], options["isolated"])
    return config.values.verify if config else ()


def _check_writable(path: str) -> None:
    """Refuse a file that could not be written before the work begins. Errors: `SinkError`."""
    from condaprune.errors import SinkError

    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.access(folder, os.W_OK | os.X_OK):
        raise SinkError(
            "this file cannot be written there",
            where=path,
            remedy="Name a file in a folder that exists and may be written to",
        )


def _write(path: str, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = f"{path}.part"
    with open(temporary, "w", encoding="utf-8") as handle:
        handle.write(text)
    os.replace(temporary, path)
