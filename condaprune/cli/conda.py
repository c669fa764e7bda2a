"""What fingers trained by conda and conda-pack type: ENV by name or prefix, and other words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from condaprune.cli import completion
from condaprune.errors import UsageProblem

BY_NAME = "condaprune.by-name"
"""Where a context's `meta` has the name by which ``-n`` names the environment."""
_DRY_RUN = "a dry run is --dry-run"

REFUSED = {
    "--no-zip-64": "a zip is ZIP64 only where it has to be: leave it out",
    "--ignore-missing-files": "what is on the disk is packed, missing or not: leave it out",
    "--parcel-root": "parcels are not written: write tar.gz with --dest-prefix DIR",
    "--parcel-name": "parcels are not written: write tar.gz with --arcroot NAME",
    "--parcel-version": "parcels are not written: write tar.gz with --arcroot NAME",
    "--parcel-distro": "parcels are not written: write tar.gz, or an image (-o env.oci)",
}
"""conda-pack's options that there are not, with what to do in their place."""

FORMATS = {
    "infer": "it is what happens without --archive-format: leave it out",
    "no-archive": "end the name with a slash to write a folder: -o DIR/",
    "parcel": "parcels are not written: write tar.gz with --dest-prefix DIR",
}
"""conda-pack's formats that are none here, with what to do in their place."""


def environment(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument ENV, and conda's two options that may stand for it."""
    for decorate in reversed(
        (
            click.argument("env", metavar="ENV"),
            click.option("-n", "--name", "conda_name", metavar="NAME", expose_value=False,
                         shell_complete=completion.environments,
                         help="In place of ENV: the conda environment of this name."),
            click.option("-p", "--prefix", "conda_prefix", metavar="DIR", expose_value=False,
                         help="In place of ENV: the environment in this folder."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


def prefix_called(name: str) -> str:
    """The prefix of the conda environment *name*. Errors: `UsageProblem`, `SourceError`."""
    if not name or "/" in name or name.startswith("-"):
        raise UsageProblem(
            f"{name!r} is not the name of an environment",
            where="-n",
            remedy=f"A folder is named with -p, or as ENV; {_DRY_RUN}",
        )
    from condaprune.errors import SourceError
    from condaprune.sources.find import prefix_named

    try:
        return prefix_named(name)
    except SourceError as error:
        remedy = f"{error.remedy} ({_DRY_RUN})" if len(name) < 3 else error.remedy
        raise UsageProblem(error.what, where=f"-n {name}", remedy=remedy) from error


def prefix_at(folder: str) -> str:
    """The path of a prefix, such that it cannot be taken for a name. Errors: `UsageProblem`."""
    if not os.path.isdir(folder):
        raise UsageProblem(
            "is not a folder",
            where=f"-p {folder}",
            remedy="Name the folder that holds conda-meta; an archive is named as ENV",
        )
    return folder if "/" in folder else f"./{folder}"


def name_of(env: str) -> str:
    """The name by which the command line names the environment; empty where it gives a path."""
    by_option = click.get_current_context().meta.get(BY_NAME)
    if by_option:
        return str(by_option)
    return "" if "/" in env or os.path.lexists(env) else env


def clearer(error: click.UsageError, ctx: click.Context) -> click.UsageError:
    """The error for what there is not, or is missing, with conda's words in mind."""
    if isinstance(error, click.MissingParameter):
        missing = error.param.name if error.param is not None else ""
        return click.UsageError(_no_environment(), ctx) if missing == "env" else error
    option = getattr(error, "option_name", "")
    if isinstance(error, click.NoSuchOption) and ctx.info_name == "prune" and option in REFUSED:
        return click.UsageError(f"{option} is conda-pack's: {REFUSED[option]}", ctx)
    if isinstance(error, click.BadOptionUsage) and option in ("-n", "--name"):
        return click.UsageError(f"{option} needs the name of an environment; {_DRY_RUN}", ctx)
    return error


def _no_environment() -> str:
    active = " (the active one: -p $CONDA_PREFIX)" if os.environ.get("CONDA_PREFIX") else ""
    return f"There is no environment named: write its path, -n NAME or -p DIR{active}."


def filters(
    order: Sequence[str], exclude: Sequence[str], include: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The patterns to keep and to drop that ``--exclude`` and ``--include`` make in *order*.

    As in conda-pack the last one that matches a file decides; what was included stays whatever
    else applies.
    """
    from condaprune.ruleset.patterns import GLOB

    keep: list[str] = []
    drop: list[str] = []
    given = {"exclude": iter(exclude), "include": iter(include)}
    for name in order:
        if name not in given:
            continue
        pattern = GLOB + next(given[name])
        mine, other = (drop, keep) if name == "exclude" else (keep, drop)
        mine.append(pattern)
        if other:
            other.append(f"!{pattern}")
    return tuple(keep), tuple(drop)


class ReportForm(click.Choice[str]):
    """The form of a report; refuses an archive's, which ``--format`` names in conda-pack."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in FORMATS:
            self.fail(f"{value!r} is a format of conda-pack's: {FORMATS[value]}.", param, ctx)
        if value not in self.choices and value in _archive_formats():
            self.fail(
                f"{value!r} is a format of archives, and --format is the form of the report. "
                f"Write --archive-format {value}.",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


def _archive_formats() -> Iterator[str]:
    from condaprune.sinks.outputs.sink import FORMATS as KNOWN

    for form in KNOWN:
        yield form.name
        yield from (extension.lstrip(".") for extension in form.extensions)
