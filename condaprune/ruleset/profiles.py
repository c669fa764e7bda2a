"""Which rules apply: profiles, selections, exclusions and the values of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from condaprune.errors import RuleError, UsageProblem, nearest
from condaprune.rule import Parameter, Risk, Rule
from condaprune.ruleset.builtin import load_retired
from condaprune.ruleset.patterns import VALUE

PROFILES: Mapping[str, tuple[Risk, ...]] = MappingProxyType(
    {"safe": ("safe",), "runtime": ("safe", "low"), "minimal": ("safe", "low", "medium")}
)
"""The built-in profiles and the risks they accept; rules of high risk are selected by name."""

DEFAULT_PROFILE = "runtime"


def choose(
    rules: Sequence[Rule],
    profile: str = DEFAULT_PROFILE,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    settings: Iterable[str] = (),
) -> tuple[Rule, ...]:
    """The rules that apply, in load order.

    *select* adds and *ignore* excludes rule ids and categories; names win over the profile, and an
    exclusion over a selection. *settings* are ``RULE.NAME=a,b``: they set a parameter and select
    its rule. Errors: `RuleError` for an unknown name, `UsageProblem` for an invalid setting.
    """
    if profile not in PROFILES:
        what = f"unknown profile {profile!r}"
        raise RuleError(what, where="--profile", remedy=nearest(profile, list(PROFILES)))
    values = read_settings(rules, settings)
    chosen = {rule.id for rule in rules if rule.risk in PROFILES[profile]}
    chosen |= _named(rules, select, "--select") | set(values)
    chosen -= _named(rules, ignore, "--ignore")
    return tuple(_with(rule, values.get(rule.id, {})) for rule in rules if rule.id in chosen)


def rename_notes(names: Iterable[str]) -> tuple[str, ...]:
    """One sentence for each of these names that is the old id of a renamed rule."""
    retired = load_retired()
    return tuple(retired[name].note for name in names if name in retired and retired[name].now)


def read_settings(
    rules: Sequence[Rule], settings: Iterable[str]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """``RULE.NAME=a,b`` texts as values by rule and parameter, checked."""
    by_id = {rule.id: rule for rule in rules}
    values: dict[str, dict[str, tuple[str, ...]]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        name, dot, parameter = target.strip().partition(".")
        if not equals or not dot:
            remedy = "Write --set RULE.NAME=a,b."
            raise UsageProblem(f"{text!r} is not a setting", where="--set", remedy=remedy)
        name = _current(name)
        if name not in by_id:
            remedy = nearest(name, [rule.id for rule in rules if rule.parameters])
            raise UsageProblem(f"unknown rule {name!r}", where="--set", remedy=remedy)
        declared = {p.name: p for p in by_id[name].parameters}
        if parameter not in declared:
            what = f"rule {name} has no parameter {parameter!r}"
            remedy = nearest(parameter, list(declared)) if declared else "It has no parameters."
            raise UsageProblem(what, where="--set", remedy=remedy)
        values.setdefault(name, {})[parameter] = _values(declared[parameter], name, value)
    return values


def _values(parameter: Parameter, rule: str, text: str) -> tuple[str, ...]:
    parts = (text,) if parameter.single else tuple(p.strip() for p in text.split(",") if p.strip())
    for part in parts:
        what = f"{part!r} is not a value of {rule}.{parameter.name}"
        if parameter.allowed and part not in parameter.allowed:
            raise UsageProblem(what, where="--set", remedy=nearest(part, parameter.allowed))
        if not VALUE.fullmatch(part):
            raise UsageProblem(what, where="--set", remedy="Give a name or a glob, not a path.")
    return parts


def _with(rule: Rule, values: Mapping[str, tuple[str, ...]]) -> Rule:
    if not values:
        return rule
    parameters = (replace(p, value=values.get(p.name, p.value)) for p in rule.parameters)
    return replace(rule, parameters=tuple(parameters))


def _named(rules: Sequence[Rule], names: Iterable[str], option: str) -> set[str]:
    """The ids of the rules that these ids and categories name."""
    known: dict[str, set[str]] = {}
    for rule in rules:
        known.setdefault(rule.category, set()).add(rule.id)
    known |= {rule.id: {rule.id} for rule in rules}
    ids: set[str] = set()
    for name in map(_current, names):
        if name in known:
            ids |= known[name]
        elif name in load_retired():
            what = load_retired()[name].note.rstrip(".")
            raise RuleError(what, where=option, remedy="Remove it from your options.")
        else:
            remedy = nearest(name, sorted(known))
            if not remedy.startswith("Did"):  # a list of all that there is would be too long
                remedy = "See 'condaprune rules list'."
            raise RuleError(f"unknown rule or category {name!r}", where=option, remedy=remedy)
    return ids


def _current(name: str) -> str:
    """The id of a rule that may have been renamed."""
    retired = load_retired().get(name)
    return (retired and retired.now) or name
