"""``condaprune trace``: record what a command uses of an environment; show and merge traces.

Words before ``--`` are for condaprune, words after it are the command. Without a subcommand as its
first word, ``trace`` records.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import click

from condaprune.cli import effects
from condaprune.cli.completion import environments
from condaprune.cli.conda import name_of, prefix_called
from condaprune.cli.options import quiet_option
from condaprune.cli.terminal import put, say
from condaprune.errors import TraceError, UsageProblem
from condaprune.live.trace.recorders import NAMES
from condaprune.report.rendering import as_json, as_text
from condaprune.targets import Target, folders_above
from condaprune.traces.format import dump_lines, open_target, read_trace, write_trace
from condaprune.traces.trace import KINDS, Run, Trace, merge
from condaprune.version import DOCS

_RECORD = "record"
_COMMAND = "condaprune.trace.command"
_DEFAULT_OUTPUT = "condaprune.trace"


class _TraceGroup(click.Group):
    """A group whose default is to record: ``trace -o FILE -- CMD`` is ``trace record ...``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [_RECORD, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] -- COMMAND...")
        formatter.write_usage(ctx.command_path, "merge|show|import ...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.commands[_RECORD].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class _RecordCommand(click.Command):
    """Keeps the words after the first ``--`` from click, whatever they look like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = tuple(args[at + 1 :])
            args = args[:at]
        elif args and not args[0].startswith("-"):
            raise click.UsageError(
                f"{args[0]!r} is not a subcommand. Write the command to record after `--`: "
                f"condaprune trace -- {' '.join(args)}",
                ctx,
            )
        return super().parse_args(ctx, args)


@click.group(cls=_TraceGroup, epilog=f"Docs: {DOCS}")
def trace() -> None:
    """Record what a command uses of an environment.

    \b
    condaprune trace -o app.trace -- python app.py
    condaprune trace -o app.trace --for 60 -- python -m uvicorn app:app
    condaprune /env --trace app.trace
    """


@trace.command(_RECORD, cls=_RecordCommand, hidden=True, options_metavar="[OPTIONS] -- COMMAND...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=_DEFAULT_OUTPUT,
    show_default=True,
    help="Where to write the trace; - is stdout (the command's output then goes to stderr).",
)
@click.option(
    "-n",
    "--name",
    metavar="NAME",
    help="The conda environment of this name.",
    shell_complete=environments,
)
@click.option(
    "-p",
    "--prefix",
    metavar="DIR",
    help="The environment; by default the one of the command's program, or else the active one.",
)
@click.option("--append", is_flag=True, help="Add to the trace in FILE.")
@click.option(
    "--recorder",
    "recorders",
    multiple=True,
    metavar="NAME",
    help=f"auto (inotify where it works) or one of {', '.join(NAMES)}; repeatable.",
)
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End the command after this time.",
)
@click.option("--attach", is_flag=True, help="Run no command: record every process until Ctrl-C.")
@quiet_option
@click.pass_context
def record_command(
    ctx: click.Context,
    output: str,
    name: str | None,
    prefix: str | None,
    append: bool,
    recorders: tuple[str, ...],
    seconds: float | None,
    attach: bool,
    quiet: bool,
) -> None:
    """Record what COMMAND uses of an environment; its exit code is passed on."""
    from condaprune.live.trace.session import find_prefix, record
    from condaprune.sources.prefix import check_prefix

    command: tuple[str, ...] = ctx.meta.get(_COMMAND, ())
    if not command and not attach:
        raise click.UsageError("There is no command: write it after `--`.", ctx)
    if name and prefix:
        raise click.UsageError("-n and -p both name the environment: leave one out", ctx)
    named = prefix_called(name) if name else prefix
    root = _prefix(named) if named else check_prefix(find_prefix(command, os.environ))
    if prefix and name_of(prefix):
        effects.warn(f"-p and --prefix are for a folder: write -n {prefix}")
    if append and output == "-":
        effects.warn("--append has no effect on stdout")
    before: list[Trace] = []
    if output != "-":
        if _lies_in(output, root):
            raise TraceError(
                "the trace would be written into the environment",
                where=output,
                remedy="Write it elsewhere with -o",
            )
        if append and os.path.exists(output):
            before.append(_regular_trace(output))
    target = _open(output)
    new = record(
        command,
        root,
        recorders or ("auto",),
        seconds=seconds or 0.0,
        attach=attach,
        stdout=sys.stderr.buffer if output == "-" else None,
        notice=None if quiet else _say,
        alone=True,
    )
    run = new.runs[0]
    _write(merge([*before, new]), target)
    if not quiet:
        for line in _summary(run, len(new.entries), output):
            _say(line)
    ctx.exit(run.exit_code or 0)


@trace.command("merge")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", required=True, metavar="FILE", help="The new trace; - is stdout.")
def merge_command(files: tuple[str, ...], output: str) -> None:
    """Make one trace of several: the union of their entries."""
    target = _open(output)
    _write(merge([read_trace(path) for path in files]), target)


@trace.command("show")
@click.argument("file", metavar="FILE")
@click.option("--package", metavar="NAME", help="Only entries that this package owns.")
@click.option("--kind", metavar="KIND", help=f"Only one of {', '.join(KINDS)}.")
@click.option("--prefix", metavar="ENV", help="The environment, if it has moved.")
def show_command(file: str, package: str | None, kind: str | None, prefix: str | None) -> None:
    """Show the runs and entries of a trace."""
    from condaprune.live.trace.show import render_trace

    lines = render_trace(read_trace(file), package=package, kind=kind, prefix=prefix)
    put(as_text(lines))


@trace.command("import")
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "kind", required=True, metavar="KIND", help="strace, list or creport; see above."
)
@click.option("--prefix", metavar="DIR", help="Where the environment was when FILE was made.")
@click.option("-o", "--output", default=_DEFAULT_OUTPUT, metavar="FILE", show_default=True)
def import_command(file: str, kind: str, prefix: str | None, output: str) -> None:
    """Make a trace from the output of another tool.

    strace: a log of `strace -f -y -s 65535 -e trace=%file -o FILE`; list: one path a line;
    creport: the creport.json of slimtoolkit.
    """
    from condaprune.live.trace.session import find_prefix
    from condaprune.traces.foreign import import_trace

    target = _open(output)
    imported = import_trace(file, kind, prefix or find_prefix((), os.environ))
    _write(imported, target)
    if output != "-":
        _say(f"{len(imported.entries)} entries of {imported.prefix} in {output}")


def _prefix(environment: str) -> str:
    """The prefix of ENV: a folder, or the name of a conda environment."""
    from condaprune.sources.find import find_source

    source = find_source(environment)
    if source.kind != "prefix":
        raise UsageProblem(
            "an archive cannot be traced", where=environment, remedy="Unpack it and name its folder"
        )
    return source.prefix


def _lies_in(output: str, root: str) -> bool:
    info = os.stat(root)
    return (info.st_dev, info.st_ino) in folders_above(output)


def _regular_trace(output: str) -> Trace:
    """The trace to add to. Errors: `TraceError`."""
    if not os.path.isfile(output):
        raise TraceError(
            "this is no regular file, and holds no trace to add to",
            where=output,
            remedy="Leave --append out, or name a file",
        )
    return read_trace(output)


def _open(output: str) -> Target | None:
    """What a trace is written to at the end of the command; None for stdout."""
    if output == "-":
        return None
    target = open_target(output)
    click.get_current_context().call_on_close(target.close)
    return target


def _write(trace: Trace, target: Target | None) -> None:
    if target is None:
        put(as_json(line.rstrip("\n") for line in dump_lines(trace)))
    else:
        sys.stdout.flush()
        write_trace(trace, target)


def _summary(run: Run, entries: int, output: str) -> Iterator[str]:
    """The facts about a recorded run that a user should know, one line each."""
    where = "" if output == "-" else f" in {output}"
    yield f"{entries} entries of {run.prefix} recorded with {', '.join(run.recorders)}{where}"
    if run.overflow:
        yield "events were lost: this trace cannot be used; record with --recorder strace"
    if run.failed:
        yield (
            f"the command failed with exit code {run.exit_code}: the trace can be used only with "
            "--accept-failed"
        )
    if run.changes:
        yield f"the prefix changed meanwhile: {run.changes} entries, such as {run.changed[0]}"


def _say(line: str) -> None:
    say(line, who="condaprune trace")
