"""The class of all commands: ENV by conda's options, help in two lengths and in sections."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import click

from condaprune.cli import conda
from condaprune.cli.sections import SECTIONS, USUAL
from condaprune.cli.terminal import put
from condaprune.version import DOCS

_SHORTEST = 20
"""The options from which on a command has a short help besides the whole one."""
_ORDER = "condaprune.order"


class Command(click.Command):
    """A command whose ``-h`` shows the usual options and ``--help`` all, in sections.

    Where it has ``-n`` and ``-p``, these take the place of its argument ENV.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epilog = self.epilog or f"Docs: {DOCS}"
        self._options = [param for param in self.params if isinstance(param, click.Option)]
        self._short = len(self._options) >= _SHORTEST
        text = "Show all options." if self._short else "Show this message."
        names = ["--help"] if self._short else ["-h", "--help"]
        self._whole = _help(names, text, lambda ctx: ctx.get_help())
        self.params.append(self._whole)
        if self._short:
            self.params.append(_help(["-h"], "Show the usual options.", self._usual))

    def get_help_option(self, ctx: click.Context) -> click.Option:
        return self._whole

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        return ["--help"]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return self.params

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        names = {param.name for param in self.params}
        if {"conda_name", "conda_prefix"} <= names and not ctx.resilient_parsing:
            args = self._with_environment(ctx, args)
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            raise conda.clearer(error, ctx) from error

    def _with_environment(self, ctx: click.Context, args: list[str]) -> list[str]:
        """*args* with ENV in front where conda's options name it. Errors: `click.UsageError`."""
        try:
            given, _, order = self.make_parser(ctx).parse_args(list(args))
        except (click.NoSuchOption, click.BadOptionUsage) as error:
            raise conda.clearer(error, ctx) from error
        ctx.meta[_ORDER] = [param.name for param in order]
        name, prefix = given.get("conda_name"), given.get("conda_prefix")
        if name is None and prefix is None:
            return args
        if name is not None and prefix is not None:
            raise click.UsageError("-n and -p both name the environment: leave one out", ctx)
        option = "-n" if prefix is None else "-p"
        word = given.get("env")
        takes_more = sum(isinstance(param, click.Argument) for param in self.params) > 1
        if isinstance(word, str) and not takes_more:
            raise click.UsageError(
                f"ENV ({word!r}) and {option} both name the environment: leave one out"
                + (" (a dry run is --dry-run)" if option == "-n" else ""),
                ctx,
            )
        ctx.meta[conda.BY_NAME] = name
        path = conda.prefix_called(str(name)) if prefix is None else conda.prefix_at(prefix)
        return [path, *args]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self._short:
            super().format_options(ctx, formatter)
            return
        records = {
            param.name: record
            for param in self.params
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx))
        }
        sections = {title: [n for n in names if n in records] for title, names in SECTIONS.items()}
        placed = {name for names in sections.values() for name in names}
        sections = {"": [name for name in records if name not in placed], **sections}
        for title, names in sections.items():
            if names:
                with formatter.section(title or f"Options of {self.name}"):
                    formatter.write_dl([records[name] for name in names])

    def _usual(self, ctx: click.Context) -> str:
        """The short help: it fits on a terminal of 80 columns and 24 lines."""
        formatter = ctx.make_formatter()
        self.format_usage(ctx, formatter)
        self._format_start(formatter)
        shown = {param.name: param for param in self.params}
        usual = USUAL.get(self.name or "", ())
        with formatter.section("Usual options"):
            formatter.write_dl(
                [(_spelling(shown[name]), text) for name, text in usual if name in shown]
            )
        return formatter.getvalue().rstrip("\n")

    def _format_start(self, formatter: click.HelpFormatter) -> None:
        """The first paragraph of the help, and the examples."""
        first, *more = inspect.cleandoc(self.help or "").split("\n\n")
        examples = [text for text in more if text.startswith("\b")]
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join((first, *examples)))


def order_of_options() -> list[str]:
    """The names of the parameters in the order in which the command line gives them."""
    order: list[str] = click.get_current_context().meta.get(_ORDER, [])
    return order


def _spelling(param: click.Parameter) -> str:
    short = sorted(param.opts, key=len)[:2]
    takes = "" if getattr(param, "is_flag", False) or not param.metavar else f" {param.metavar}"
    return ", ".join(short) + takes


def _help(names: list[str], text: str, make: Callable[[click.Context], str]) -> click.Option:
    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        from condaprune.report.rendering import as_text

        if value and not ctx.resilient_parsing:
            put(as_text(make(ctx).splitlines()))
            ctx.exit()

    return click.Option(
        [*names, f"help_{len(names)}_{names[0].strip('-')}"], is_flag=True, is_eager=True,
        expose_value=False, help=text, callback=show,
    )  # fmt: skip
