"""The command line: a group whose default command is ``prune``; commands load when used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from condaprune.version import __version__

# name -> module under condaprune.cli (the command has the same name), one line of help
COMMANDS = {
    "prune": "Prune ENV in place, or into an archive or folder with -o (the default command).",
    "undo": "Put back what a run with --undoable removed from ENV.",
    "status": "When and how ENV was pruned in place, and whether anything is left undone.",
    "explain": "Why a path, module or package of ENV goes or stays.",
    "rules": "Show the rules, and test them.",
    "verify": "What worked in BEFORE and no longer does in AFTER.",
    "trace": "Record what a command uses of an environment.",
    "audit": "Where the bytes of ENV go, by package, category, folder and rule.",
    "diff": "What changed from one environment to another, by package, category, folder, file.",
    "check": "Whether ENV is within the budgets of condaprune.toml; exit 1 if not.",
    "why": "Who needs a package of ENV, what would go with it, and can it go.",
}


class LazyGroup(click.Group):
    """Loads a command's module when the command is used, and takes ``ENV`` for ``prune ENV``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"condaprune.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in COMMANDS and args[0] not in ("--help", "-h", "--version"):
            _check_command(args)
            args = ["prune", *args]
        return super().parse_args(ctx, args)


def _check_command(args: list[str]) -> None:
    """``condaprune audti /env`` is a misspelt command, not an environment named audti."""
    word = args[0]
    others = [arg for arg in args[1:] if not arg.startswith("-")]
    if not others or os.path.exists(word) or "/" in word or word.startswith("-"):
        return
    import difflib

    close = difflib.get_close_matches(word, COMMANDS, n=1)
    if close:
        raise click.UsageError(f"No such command {word!r}. Did you mean {close[0]!r}?")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`condaprune ENV` is `condaprune prune ENV`. "
    "Exit status: 0 done, 1 ran and the answer is no, 2 could not run.",
)
@click.version_option(__version__, prog_name="condaprune")
def cli() -> None:
    """Prune a conda environment to the smallest one that is proven to still work.

    ENV is a prefix, an archive made of one, or the name of a conda environment.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; errors are printed, never shown as tracebacks."""
    import gc

    status = run(arguments)
    gc.freeze()  # the end of the process need not search all that is left for cycles
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    import gc

    from condaprune.errors import CondapruneError

    # An inventory is many small objects that live to the end: collecting often only rescans them.
    gc.set_threshold(500_000, 20, 100)
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:
            # A locale without UTF-8 must not turn a report into an error.
            reconfigure(errors="backslashreplace")
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="condaprune",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except CondapruneError as error:
        click.echo(f"condaprune: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("condaprune: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader of a pipe has seen enough; what is left must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        click.echo(f"condaprune: {_system_error(error)}", err=True)
        return 2
    return result if isinstance(result, int) else 0


def _open_streams() -> None:
    """Have all three streams: what is said to one that the caller closed goes nowhere.

    Else a file of ours would be given its number, and a child process would write into it.
    """
    if sys.stdin and sys.stdout and sys.stderr:
        return
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _system_error(error: OSError) -> str:
    """What the system refused, in a sentence."""
    said = error.strerror or str(error)
    if error.filename:
        return f"{error.filename}: {said}"
    try:
        os.getcwd()
    except OSError:
        return "the working folder is gone: change to one that exists"
    return f"reading or writing failed: {said}"
