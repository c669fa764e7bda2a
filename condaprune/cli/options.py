"""Groups of options: each is collected into one typed value, which the command is called with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from condaprune.cli import completion, effects
from condaprune.cli.command import order_of_options
from condaprune.cli.terminal import say
from condaprune.request.request import Request

if TYPE_CHECKING:
    from condaprune.app.prune import InPlace
    from condaprune.sinks.inplace.leftover import Accept
    from condaprune.sources.base import Limits

Command = Callable[..., Any]
_COUNT = click.IntRange(min=1)


def option_group(
    name: str, options: Sequence[Callable[[Command], Command]], make: Callable[..., object]
) -> Callable[[Command], Command]:
    """A decorator that adds *options* and passes what *make* makes of them as *name*."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collected(**values: Any) -> Any:
            group = {option: values.pop(option) for option in names}
            return command(**values, **{name: make(**group)})

        params: list[click.Parameter] = getattr(command, "__click_params__", [])
        before = len(params)
        decorated: Command = collected
        for option in reversed(options):
            decorated = option(decorated)
        params = decorated.__click_params__  # type: ignore[attr-defined]
        names = [param.name for param in params[before:]]
        return decorated

    return decorate


def _list(
    name: str, metavar: str, text: str, *more: str, complete: completion.Completer | None = None
) -> Callable[[Command], Command]:
    return click.option(
        name, *more, multiple=True, metavar=metavar, help=f"{text}; repeatable.",
        shell_complete=complete,
    )  # fmt: skip


_REQUEST = (
    click.option("--profile", metavar="NAME", shell_complete=completion.profiles,
                 help="Which rules apply: safe, runtime (the default), minimal, or your own."),
    _list("--rules", "FILE", "A rule file of your own (TOML); its rules apply", "rule_files"),
    _list("--select", "RULE", "Add a rule or a category",
          complete=completion.rules_and_categories),
    _list("--ignore", "RULE", "Leave out a rule or a category",
          complete=completion.rules_and_categories),
    _list("--set", "RULE.NAME=A,B", "Set a rule's parameter", "settings"),
    _list("--keep", "PATTERN", "Keep what matches, whatever else applies"),
    _list("--drop", "PATTERN", "Remove what matches, unless a guard needs it"),
    _list("--drop-package", "NAME", "Remove a package as a whole", "drop_packages",
          complete=completion.packages),
    click.option("--with-orphans", is_flag=True,
                 help="With --drop-package: also packages that only it needs."),
    _list("--only-packages", "NAME", "Keep only these packages and what they need",
          complete=completion.packages),
    click.option("--keep-conda-meta", type=click.Choice(["drop", "slim", "full"]),
                 help="What stays of conda's records (default: drop; an SBOM takes their place)."),
    click.option("--bytecode", type=click.Choice(["drop", "keep", "hash"]),
                 help="Compiled Python: drop (as the default profile does), keep, or hash: keep, "
                 "and load it without checking its source."),
    click.option("--strip", is_flag=True, default=None,
                 help="Strip symbols and debug data from programs and libraries; what is loaded "
                 "stays byte for byte."),
    _list("--trace", "FILE", "Keep what a trace touched", "traces"),
    click.option("--accept-failed", is_flag=True,
                 help="Use a trace even if its command failed."),
    click.option("--only-traced", is_flag=True,
                 help="Keep what the traces touched and what that needs, nothing else."),
    click.option("--closure", metavar="NAME", default="imports",
                 help="How much more --only-traced keeps: none, imports (the default), package."),
    _list("--no-guard", "NAME", "Switch a guard off, or all (the report says so)",
          complete=completion.guards),
    click.option("--config", "config_file", metavar="FILE",
                 help="The configuration (default: the project's condaprune.toml or pyproject)."),
    click.option("--isolated", is_flag=True, help="Ignore any configuration."),
)  # fmt: skip


_PLAN_NAMES = (
    "profile", "rule_files", "select", "ignore", "settings", "keep", "drop", "drop_packages",
    "only_packages", "keep_conda_meta", "bytecode", "strip", "traces", "only_traced", "no_guard",
)  # fmt: skip


_FILTERS = (
    _list("--exclude", "GLOB", "Remove files as conda-pack does (`*` matches slashes), unless a "
          "guard needs them"),
    _list("--include", "GLOB", "Keep files after all; the last of --exclude and --include that "
          "matches decides"),
)  # fmt: skip


def _request(
    *,
    config_file: str | None,
    isolated: bool,
    accept_config: bool = False,
    exclude: tuple[str, ...] = (),
    include: tuple[str, ...] = (),
    **values: Any,
) -> Request:
    from condaprune.request.find import read_config

    given = click.get_current_context().params
    config = read_config(
        config_file,
        isolated=isolated,
        environments=(given["env"],),
        accept=accept_config,
        say=(lambda _note: None) if given.get("quiet") else _note,
    )
    if config is None or not config.values.verify:
        effects.warn_idle(("accept_config",), "where no configuration was found that has commands")
    own = Request(**values)
    if exclude or include:
        from condaprune.cli.conda import filters

        keep, drop = filters(order_of_options(), exclude, include)
        own = replace(own, keep=(*own.keep, *keep), drop=(*own.drop, *drop))
    request = own.configured(config)
    effects.remember_own(own)
    effects.warn_of_request(request)
    effects.check_values(request)
    return request


def _note(text: str) -> None:
    say(f"note: {text}")


request_options = option_group("request", _REQUEST, _request)
"""The options that say what may go; the command is called with ``request``, a `Request`."""

_VERIFY = _list(
    "--verify", "CMD|imports|none",
    "Undo the run unless this shell command succeeds in the pruned environment, or every import "
    "that worked still does; none: not even what the configuration asks for",
)  # fmt: skip
_ACCEPT = click.option(
    "--accept-config", is_flag=True,
    help="Accept the commands of a configuration that was found, now and until it changes.",
)  # fmt: skip
filtered_request_options = option_group("request", (*_REQUEST, *_FILTERS), _request)
"""The same with conda-pack's ``--exclude`` and ``--include``."""
prune_request_options = option_group("request", (*_REQUEST, *_FILTERS, _ACCEPT, _VERIFY), _request)
"""The same with ``--verify``, and what lets a configuration ask for it."""


def asks_for_plan() -> bool:
    """Whether the command line itself, not the configuration, says anything of what may go."""
    context = click.get_current_context()
    values = {name: context.params[name] for name in _PLAN_NAMES if name in context.params}
    return any(value not in (None, False, (), "imports") for value in values.values())


_JOURNAL = (
    click.option("--trust-journal", is_flag=True,
                 help="Also end a run that was not begun by you here, by the journal it left."),
    click.option("--discard-journal", is_flag=True,
                 help="Give up a run that was interrupted: its journal goes, the rest stays as it "
                 "is."),
)  # fmt: skip

_IN_PLACE = (
    click.option("--heal", is_flag=True,
                 help="If --verify fails, take back the fewest removals that mend it."),
    click.option("--heal-tries", type=click.IntRange(3), default=25, show_default=True,
                 metavar="N", help="How often --heal may run the verification."),
    click.option("--heal-time", type=click.FloatRange(0, min_open=True), default=900.0,
                 show_default=True, metavar="SECONDS", help="How long --heal may take."),
    click.option("--undoable", is_flag=True,
                 help="Set aside what goes, so that `condaprune undo` can put it back."),
    *_JOURNAL,
)  # fmt: skip


def _accept(*, trust_journal: bool, discard_journal: bool) -> Accept:
    """Which journals of earlier runs are carried out. Errors: `UsageProblem`."""
    if trust_journal and discard_journal:
        from condaprune.errors import UsageProblem

        raise UsageProblem(
            "a journal is carried out or discarded, not both",
            where="--trust-journal, --discard-journal",
            remedy="Leave one of them out",
        )
    return "any" if trust_journal else "none" if discard_journal else "own"


def _in_place(*, trust_journal: bool, discard_journal: bool, **values: Any) -> InPlace:
    from condaprune.app.prune import InPlace

    accept = _accept(trust_journal=trust_journal, discard_journal=discard_journal)
    return InPlace(**values, accept=accept)


journal_options = option_group("accept", _JOURNAL, _accept)
"""The options for the journal of an earlier run, as ``accept``."""


in_place_options = option_group("in_place", _IN_PLACE, _in_place)
"""The options of a run in place, as ``in_place``."""

QUIET = "Errors only: no progress, notes or report of what was done. An answer comes all the same."
"""What ``-q`` means in every command."""


def quiet_option(command: Command) -> Command:
    """The option ``-q``."""
    decorated: Command = click.option("-q", "--quiet", is_flag=True, help=QUIET)(command)
    return decorated


_READING = (
    click.option("--max-entries", "entries", type=_COUNT, metavar="N",
                 help="Refuse archives with more members (default 2,000,000)."),
    click.option("--max-size", "size", type=_COUNT, metavar="BYTES",
                 help="Refuse archives that unpack to more (default 256 GiB)."),
    click.option("--max-ratio", "ratio", type=_COUNT, metavar="N",
                 help="Refuse archives that grow more on unpacking (default 300 times)."),
    click.option("--links-out", is_flag=True,
                 help="Accept an archive whose links point out of it; they are never followed."),
)  # fmt: skip


def _limits(**values: Any) -> Limits | None:
    given = {name: value for name, value in values.items() if value}
    if not given:
        return None
    from condaprune.sources.base import Limits

    return Limits(**given)


reading_options = option_group("limits", _READING, _limits)
"""The options that bound what an archive may ask of its reader: ``limits``, None for defaults."""
