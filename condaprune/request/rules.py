"""The rules that apply under a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from condaprune.errors import ConfigError, UsageProblem, nearest
from condaprune.request.request import DEFAULT_PROFILE, Request
from condaprune.rule import Rule
from condaprune.ruleset import choose, combine, load_builtin, rename_notes

if TYPE_CHECKING:
    import datetime

_BYTECODE = "bytecode"
"""The category of the rules that take compiled Python."""


def choose_rules(request: Request) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules that apply, and notes on what the user should know about the choice.

    Errors: `RuleError` for files and names that do not fit, `ConfigError`, `UsageProblem`.
    """
    rules = load_builtin()
    if request.rule_files:
        from condaprune.ruleset.load import load_file

        rules = combine(rules, *map(load_file, request.rule_files))
    profile, select, ignore = _profile(request)
    _check("bytecode", request.bytecode, ("profile", "drop", "keep", "hash"))
    if request.bytecode == "drop":
        select = (*select, _BYTECODE)
    elif request.bytecode in ("keep", "hash"):
        ignore = (*ignore, _BYTECODE)
    own = [rule.id for rule in rules if rule.origin in request.rule_files]
    chosen = choose(rules, profile, (*own, *select), ignore, request.settings)
    notes = rename_notes((*select, *ignore))
    if request.suppress:
        import datetime

        chosen, expired = suppress(chosen, request, rules, datetime.date.today())
        notes += expired
    return chosen, notes


def _profile(request: Request) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The built-in profile behind the one asked for, with all that is selected and ignored.

    What a profile selects, the one that it extends cannot ignore, and the reverse.
    Errors: `ConfigError` for profiles that extend each other in a circle.
    """
    name, select, ignore = request.profile or DEFAULT_PROFILE, request.select, request.ignore
    seen: list[str] = []
    while name in request.profiles:
        if name in seen:
            raise ConfigError(
                f"the profiles {' -> '.join([*seen, name])} extend each other",
                where=request.origin,
                remedy="Let one of them extend safe, runtime or minimal",
            )
        seen.append(name)
        table = request.profiles[name]
        select, ignore = (*table.select, *select), (*table.ignore, *ignore)
        name = table.extends
    return name, select, ignore


def suppress(
    chosen: Sequence[Rule], request: Request, rules: Sequence[Rule], today: datetime.date
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """*chosen* without the suppressed rules, and a note for each suppression that has expired.

    *rules* are all rules. Errors: `ConfigError` for an unknown rule or an invalid date.
    """
    import datetime

    notes: list[str] = []
    ids = {rule.id for rule in rules}
    left = list(chosen)
    for table in request.suppress:
        if table.rule not in ids:
            raise ConfigError(
                f"suppresses an unknown rule {table.rule!r}",
                where=request.origin,
                remedy=nearest(table.rule, sorted(ids)).rstrip("?") + "?",
            )
        try:
            expires = datetime.date.fromisoformat(table.expires)
        except ValueError as error:
            raise ConfigError(
                f"{table.expires!r} is not a valid date",
                where=request.origin,
                remedy="Write 2027-01-31",
            ) from error
        if expires < today:
            notes.append(
                f"the suppression of {table.rule} expired on {table.expires}, "
                f"the rule applies again ({table.reason})"
            )
            continue
        spared = tuple(f"!{pattern}" for pattern in table.paths)
        left = [
            replace(rule, remove=rule.remove + spared) if rule.id == table.rule else rule
            for rule in left
            if rule.id != table.rule or spared
        ]
    return tuple(left), tuple(notes)


def check_choices(request: Request) -> None:
    """Refuse a value that is not one of its choices. Errors: `UsageProblem`."""
    _check("keep_conda_meta", request.keep_conda_meta, ("drop", "slim", "full"))


def _check(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise UsageProblem(
            f"{value!r} is not a valid choice",
            where=name,
            remedy=f"Choose {', '.join(choices[:-1])} or {choices[-1]}",
        )
