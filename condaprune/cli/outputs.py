"""The outputs of ``audit``, ``diff`` and ``check``: several forms in one run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from condaprune.cli.files import Files, writing
from condaprune.cli.options import quiet_option
from condaprune.cli.terminal import put, say
from condaprune.errors import UsageProblem, nearest
from condaprune.report.forms import FORMS, Report, able, check_form, form_of, render
from condaprune.report.layout import Show
from condaprune.report.rendering import Rendering

T = TypeVar("T")
NAMES = tuple(FORMS)


@dataclass(frozen=True, slots=True)
class Output:
    """A form and where it goes: a path, or ``-`` for stdout."""

    form: str
    path: str


def output_options(command: Any) -> Any:
    """The options that say what is shown and where it goes."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            "-o",
            "--output",
            "outputs",
            multiple=True,
            metavar="[FORM=]FILE",
            help=f"Write a form ({', '.join(NAMES)}) into a file, or to stdout with `-`; FORM "
            "where the name does not say it; repeatable.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(NAMES),
            help="The form on stdout [default: text, or none where -o is given].",
        ),
        click.option(
            "--top",
            type=click.IntRange(min=0),
            default=20,
            show_default=True,
            metavar="N",
            help="Rows of each table of text and Markdown; 0 for all.",
        ),
        quiet_option,
        click.option("--no-progress", is_flag=True, help="No bars on a terminal."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def form_option(report: Report[Any], name: str = "form") -> Callable[[Any], Any]:
    """The option for the form of a command's only report."""
    choice, text = click.Choice(able(report)), "The form of the answer."
    return click.option("--format", name, type=choice, default="text", show_default=True, help=text)


def parse_outputs(outputs: Sequence[str], form: str | None, report: Report[Any]) -> list[Output]:
    """The outputs asked for, or text on stdout; all can hold the report. Errors: `UsageProblem`."""
    parsed = [_parse(text) for text in outputs]
    if form or not parsed:
        parsed.insert(0, Output(form or "text", "-"))
    if sum(output.path == "-" for output in parsed) > 1:
        raise UsageProblem(
            "two outputs want stdout", where="-o", remedy="Give all but one a file: FORM=FILE"
        )
    for output in parsed:
        check_form(output.form, report)
    return parsed


def _parse(text: str) -> Output:
    name, equals, path = text.partition("=")
    if not equals:
        name, path = form_of(text), text
        if not name:
            raise UsageProblem(
                f"{text!r} names no form",
                where="-o",
                remedy=f"Write FORM=FILE with one of {', '.join(NAMES)}",
            )
    if name not in NAMES:
        raise UsageProblem(f"unknown form {name!r}", where="-o", remedy=nearest(name, NAMES))
    if not path:
        raise UsageProblem(f"{text!r} names no file", where="-o", remedy="Write FORM=FILE")
    return Output(name, path)


def make_show(by: tuple[str, ...] = (), top: int = 20, *, files: bool = False) -> Show:
    """What to show on this terminal: 100 columns where there is none and COLUMNS is not set."""
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
        plain = False
    except (UnicodeError, LookupError):
        plain = True
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    return Show(by, top, width, files, plain)


def open_outputs(outputs: Sequence[Output], *named: tuple[str, str | None]) -> Files:
    """Open the files of *outputs*, and those *named*; see `Files.open`."""
    return Files.open(*named, *(("-o", output.path) for output in outputs if output.path != "-"))


def write_all(
    outputs: Sequence[Output], report: Report[T], data: T, show: Show, files: Files, *, quiet: bool
) -> None:
    """Write a report in all its forms; a file appears whole or not at all. Errors: `SinkError`."""
    for output in outputs:
        if output.form == "github":
            _append_summary(render("md", report, data, show))
        write_output(output, render(output.form, report, data, show), files, quiet=quiet)


def write_output(output: Output, text: Rendering, files: Files, *, quiet: bool) -> None:
    """Write a text where an output goes. Errors: `SinkError`."""
    if output.path == "-":
        put(text)
        return
    files.write(output.path, text)
    if not quiet:
        say(f"wrote {output.path} ({output.form})")


def _append_summary(text: str) -> None:
    """Add Markdown to the summary of a job of GitHub Actions, where there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if path:
        with (
            writing(path, "GITHUB_STEP_SUMMARY names the file; unset it where there is none"),
            open(path, "a", encoding="utf-8", errors="backslashreplace") as handle,
        ):
            handle.write(text + "\n")
