"""``condaprune trace``: record what a command uses of an environment; show and merge traces.

What stands before ``--`` is condaprune's, what stands after it is the command. Without one of the
sub-commands as its first word, ``trace`` records.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from condaprune.traces.trace import Run, Trace

_RECORD = "record"
_COMMAND = "condaprune.trace.command"
_DEFAULT_OUTPUT = "condaprune.trace"


class _TraceGroup(click.Group):
    """A group whose default is to record: ``trace -o FILE -- CMD`` is ``trace record ...``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [_RECORD, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] -- COMMAND...")
        formatter.write_usage(ctx.command_path, "merge|show|import ...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.commands[_RECORD].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class _RecordCommand(click.Command):
    """Keeps what stands after the first ``--`` from click, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            args, rest = args[:at], args[at + 1 :]
            ctx.meta[_COMMAND] = tuple(rest)
        else:
            words = [word for word in args if not word.startswith("-")]
            if words and args[0] in words:
                raise click.UsageError(
                    f"{words[0]!r} is no sub-command. A command to record stands after `--`: "
                    f"condaprune trace -- {' '.join(args)}",
                    ctx,
                )
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        path = ctx.parent.command_path if ctx.parent else ctx.command_path
        formatter.write_usage(path, "[OPTIONS] -- COMMAND...")


@click.group(cls=_TraceGroup)
def trace() -> None:
    """Record what a command uses of an environment.

    \b
    condaprune trace -o app.trace -- python app.py
    condaprune trace -o app.trace --for 60 -- python -m uvicorn app:app
    condaprune /env --trace app.trace
    """


@trace.command(_RECORD, cls=_RecordCommand, hidden=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=_DEFAULT_OUTPUT,
    show_default=True,
    help="Where to write the trace; - is stdout (the command's output then goes to stderr).",
)
@click.option(
    "--prefix",
    metavar="ENV",
    help="The environment; by default that of the command's program, else the active one.",
)
@click.option("--append", is_flag=True, help="Add to the trace in FILE.")
@click.option(
    "--recorder",
    "recorders",
    multiple=True,
    metavar="NAME",
    help="auto (inotify where it works), inotify, strace, atime, audit; repeatable.",
)
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End the command after a while.",
)
@click.option("--attach", is_flag=True, help="Run no command: record until Ctrl-C.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.pass_context
def record_command(
    ctx: click.Context,
    output: str,
    prefix: str | None,
    append: bool,
    recorders: tuple[str, ...],
    seconds: float | None,
    attach: bool,
    quiet: bool,
) -> None:
    """Record what COMMAND uses of an environment; its exit code is passed on."""
    import os

    from condaprune.errors import TraceError
    from condaprune.live.trace.session import find_prefix, record
    from condaprune.sources.prefix import check_prefix
    from condaprune.traces.format import check_replaceable, read_trace, write_trace
    from condaprune.traces.trace import merge

    command: tuple[str, ...] = ctx.meta.get(_COMMAND, ())
    if not command and not attach:
        raise click.UsageError("There is no command: write it after `--`.", ctx)
    root = _prefix(prefix) if prefix else check_prefix(find_prefix(command, os.environ))
    before: list[Trace] = []
    if output != "-":
        if os.path.realpath(output).startswith(root + "/"):
            raise TraceError(
                "the trace would be written into the environment",
                where=output,
                remedy="Write it elsewhere with -o",
            )
        check_replaceable(output)
        if append and os.path.exists(output):
            before.append(read_trace(output))
    found = record(
        command,
        root,
        recorders or ("auto",),
        seconds=seconds or 0.0,
        attach=attach,
        stdout=sys.stderr.buffer if output == "-" else None,
        notice=None if quiet else _say,
    )
    run = found.header.runs[0]
    whole = merge([*before, found]) if before else found
    if output == "-":
        _print_trace(whole)
    else:
        write_trace(whole, output)
    if not quiet:
        for line in _summary(run, len(found.entries), output):
            _say(line)
    if run.exit_code:
        ctx.exit(run.exit_code)


@trace.command("merge")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to; - is stdout.")
def merge_command(files: tuple[str, ...], output: str) -> None:
    """Make one trace of several: the union of what they saw."""
    from condaprune.traces.format import read_trace, write_trace
    from condaprune.traces.trace import merge

    merged = merge([read_trace(path) for path in files], output)
    if output == "-":
        _print_trace(merged)
    else:
        write_trace(merged, output)


@trace.command("show")
@click.argument("file", metavar="FILE")
@click.option("--package", metavar="NAME", help="Only what a package owns, as in numpy.")
@click.option("--kind", metavar="KIND", help="Only open, exec, stat, enoent, readlink or list.")
@click.option("--prefix", metavar="ENV", help="The environment, if it is elsewhere by now.")
def show_command(file: str, package: str | None, kind: str | None, prefix: str | None) -> None:
    """Show what a trace holds."""
    from condaprune.live.trace.show import render_trace
    from condaprune.traces.format import read_trace

    found = read_trace(file)
    for line in render_trace(found, package=package, kind=kind, prefix=prefix):
        click.echo(line)


@trace.command("import")
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "kind", required=True, metavar="KIND", help="What FILE is: strace, list, creport."
)
@click.option("--prefix", metavar="DIR", help="Where the environment lay when FILE was made.")
@click.option("-o", "--output", default=_DEFAULT_OUTPUT, metavar="FILE", show_default=True)
def import_command(file: str, kind: str, prefix: str | None, output: str) -> None:
    """Make a trace of another tool's evidence.

    strace: a log of `strace -f -y -s 65535 -e trace=%file -o FILE`; list: one path a line;
    creport: the creport.json of slimtoolkit.
    """
    import os

    from condaprune.live.trace.session import find_prefix
    from condaprune.traces.foreign import import_trace
    from condaprune.traces.format import write_trace

    imported = import_trace(file, kind, prefix or find_prefix((), os.environ))
    if output == "-":
        _print_trace(imported)
    else:
        write_trace(imported, output)
        _say(f"{len(imported.entries)} entries of {imported.header.prefix} in {output}")


def _prefix(environment: str) -> str:
    """The prefix of ENV: a folder, or the name of a conda environment."""
    from condaprune.errors import UsageProblem
    from condaprune.sources.find import find_source
    from condaprune.sources.prefix import PrefixSource

    source = find_source(environment)
    if not isinstance(source, PrefixSource):
        raise UsageProblem(
            "an archive cannot be traced", where=environment, remedy="Unpack it and name its folder"
        )
    return source.prefix


def _print_trace(found: Trace) -> None:
    from condaprune.traces.format import dump_lines

    for line in dump_lines(found):
        click.echo(line, nl=False)


def _summary(run: Run, entries: int, output: str) -> Sequence[str]:
    """What a user should know of a run that was recorded, one line each."""
    from condaprune.paths import printable

    where = "" if output == "-" else f" in {output}"
    lines = [f"{entries} entries of {run.prefix} recorded with {', '.join(run.recorders)}{where}"]
    if run.overflow:
        lines.append("events were lost: this trace cannot be used; record with --recorder strace")
    if run.failed:
        lines.append(
            f"the command failed with exit code {run.exit_code}: the trace is used only with "
            "--accept-failed"
        )
    if run.changes:
        first = printable(run.changed[0])
        lines.append(f"the prefix changed meanwhile: {run.changes} entries, such as {first}")
    return lines


def _say(line: str) -> None:
    click.echo(f"condaprune trace: {line}", err=True)
