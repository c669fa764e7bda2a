"""The outputs of ``audit``, ``diff`` and ``check``: several forms in one run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from condaprune.errors import SinkError, UsageProblem, nearest

NAMES = ("text", "json", "csv", "md", "ncdu", "html", "github")
_SUFFIXES = {
    ".txt": "text",
    ".json": "json",
    ".csv": "csv",
    ".md": "md",
    ".ncdu": "ncdu",
    ".html": "html",
    ".htm": "html",
}


@dataclass(frozen=True, slots=True)
class Output:
    """A form and where it goes: a path, or ``-`` for stdout."""

    form: str
    path: str


def output_options(command: Any) -> Any:
    """The options that say what is shown and where it goes."""
    for option in reversed(
        [
            click.option(
                "-o",
                "--output",
                "outputs",
                multiple=True,
                metavar="FORM=FILE",
                help=f"Write a form ({', '.join(NAMES)}) into a file, or to stdout with `-`; "
                "repeatable.",
            ),
            click.option(
                "--format",
                "form",
                type=click.Choice(NAMES),
                default=None,
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
            click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
            click.option("--no-progress", is_flag=True, help="No bars on a terminal."),
        ]
    ):
        command = option(command)
    return command


def parse_outputs(outputs: Sequence[str], form: str | None) -> list[Output]:
    """The outputs asked for; text on stdout where nothing is. Errors: `UsageProblem`."""
    found = []
    for text in outputs:
        name, equals, path = text.partition("=")
        if not equals:
            name, path = _SUFFIXES.get(os.path.splitext(text)[1].lower(), ""), text
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
        found.append(Output(name, path))
    if form or not found:
        found.insert(0, Output(form or "text", "-"))
    if sum(output.path == "-" for output in found) > 1:
        raise UsageProblem(
            "two outputs want stdout", where="-o", remedy="Give all but one a file: FORM=FILE"
        )
    return found


def terminal_width() -> int:
    """Columns of the terminal; 100 where there is none and COLUMNS does not say."""
    return max(40, shutil.get_terminal_size((100, 24)).columns)


def plain_bars() -> bool:
    """Whether stdout cannot show block characters."""
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return True
    return False


def write_all(outputs: Sequence[Output], render: Callable[[Output], str], quiet: bool) -> None:
    """Render and write every output; a file appears whole or not at all. Errors: `SinkError`."""
    for output in outputs:
        text = render(output)
        if output.path == "-":
            sys.stdout.write(text)
        else:
            write_text(output.path, text)
            if not quiet:
                click.echo(f"condaprune: wrote {output.path} ({output.form})", err=True)


def write_text(path: str, text: str) -> None:
    """Write a file whole or not at all. Errors: `SinkError`."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
            handle.write(text)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise SinkError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy="Name a file in a folder that exists and may be written to",
        ) from error


def append_summary(text: str) -> None:
    """Add Markdown to the summary of a job of GitHub Actions, where there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as handle:
            handle.write(text + "\n")
    except OSError as error:
        raise SinkError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy="GITHUB_STEP_SUMMARY names the file; unset it where there is none",
        ) from error
