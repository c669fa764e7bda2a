"""The group of all commands: its default is ``prune``, and each loads when it is used."""

from __future__ import annotations

import os
from importlib import import_module

import click

from condaprune.errors import nearest
from condaprune.version import DOCS, __version__

# name -> module under condaprune.cli (the command has the same name), one line of help
COMMANDS = {
    "prune": "Prune ENV in place, or into an archive or folder with -o (default).",
    "undo": "Put back what a run with --undoable removed from ENV.",
    "status": "When and how ENV was pruned in place, and what is left undone.",
    "explain": "Why a path, module or package of ENV goes or stays.",
    "rules": "Show the rules, and test them.",
    "verify": "What worked in BEFORE and no longer does in AFTER.",
    "trace": "Record what a command uses of an environment.",
    "audit": "Where the bytes of ENV go, by package, category, folder and rule.",
    "diff": "What changed from one environment to another.",
    "check": "Whether ENV is within the budgets of condaprune.toml.",
    "why": "Who needs a package of ENV, and whether it can go.",
}


_OWN = ("--help", "-h", "--version", "-V")


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

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)  # the epilog says what options there are

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] == ["help"]:
            args = _helped(args[1:])
        elif args == ["version"]:
            args = ["--version"]
        elif args and args[0] not in COMMANDS and args[0] not in _OWN:
            _check_command(args)
            args = ["prune", *args]
        return super().parse_args(ctx, args)


def _helped(words: list[str]) -> list[str]:
    """``condaprune help COMMAND`` as the option. Errors: `click.UsageError`."""
    if words and words[0] not in COMMANDS:
        raise click.UsageError(f"No such command {words[0]!r}. {nearest(words[0], [*COMMANDS])}")
    return [*words, "--help"]


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
    epilog="COMMAND -h shows its usual options, COMMAND --help all; -V shows the version. Exit "
    f"status: 0 done, 1 ran and the answer is no, 2 could not run. Docs: {DOCS}",
)
@click.version_option(__version__, "-V", "--version", prog_name="condaprune")
def cli() -> None:
    """Prune a conda environment to the smallest one that is proven to still work.

    `condaprune ENV` is `condaprune prune ENV`. ENV is a prefix, an archive made of one, or the
    name of a conda environment.
    """
