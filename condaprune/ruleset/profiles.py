"""Which rules apply: profiles, selections, exclusions and the values of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from condaprune.errors import RuleError, UsageProblem, nearest
from condaprune.model import Parameter, Risk, Rule
from condaprune.ruleset.builtin import load_retired
from condaprune.ruleset.patterns import VALUE

PROFILES: Mapping[str, tuple[Risk, ...]] = MappingProxyType(
    {"safe": ("safe",), "runtime": ("safe", "low"), "minimal": ("safe", "low", "medium")}
)
"""The built-in profiles by the risks they take; rules of high risk must be selected by name."""

DEFAULT_PROFILE = "runtime"


def choose(
    rules: Sequence[Rule],
    profile: str = DEFAULT_PROFILE,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    settings: Iterable[str] = (),
) -> tuple[Rule, ...]:
    """The rules that apply, in load order.

    *select* adds and *ignore* takes away rule ids and categories; what is named wins over the
    profile, and an exclusion over a selection. *settings* are ``RULE.NAME=a,b``: they set a
    parameter and select its rule. Errors: `RuleError` for an unknown name, `UsageProblem` for a
    setting that does not fit.
    """
    if profile not in PROFILES:
        what = f"unknown profile {profile!r}"
        raise RuleError(what, where="--profile", remedy=nearest(profile, list(PROFILES)))
    values = read_settings(rules, settings)
    wanted = {rule.id for rule in rules if rule.risk in PROFILES[profile]}
    wanted |= _named(rules, select, "--select") | set(values)
    wanted -= _named(rules, ignore, "--ignore")
    return tuple(_set(rule, values.get(rule.id, {})) for rule in rules if rule.id in wanted)


def rename_notes(names: Iterable[str]) -> tuple[str, ...]:
    """One sentence for each of these names that is a retired id which still works."""
    gone = load_retired()
    return tuple(gone[name].note for name in names if name in gone and gone[name].now)


def read_settings(
    rules: Sequence[Rule], settings: Iterable[str]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """``RULE.NAME=a,b`` texts as values by rule and parameter, checked."""
    by_id = {rule.id: rule for rule in rules}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        name, dot, parameter = target.strip().partition(".")
        if not equals or not dot:
            remedy = "Write --set RULE.NAME=a,b."
            raise UsageProblem(f"{text!r} is no setting", where="--set", remedy=remedy)
        name = _current(name)
        rule = by_id.get(name)
        if rule is None:
            tunable = [rule.id for rule in rules if rule.parameters]
            what = f"unknown rule {name!r}"
            raise UsageProblem(what, where="--set", remedy=nearest(name, tunable))
        declared = {p.name: p for p in rule.parameters}
        if parameter not in declared:
            what = f"rule {name} has no parameter {parameter!r}"
            remedy = nearest(parameter, list(declared)) if declared else "It has none at all."
            raise UsageProblem(what, where="--set", remedy=remedy)
        found.setdefault(name, {})[parameter] = _values(declared[parameter], name, value)
    return found


def _values(parameter: Parameter, rule: str, text: str) -> tuple[str, ...]:
    parts = (text,) if parameter.single else tuple(p.strip() for p in text.split(",") if p.strip())
    for part in parts:
        what = f"{part!r} is no value of {rule}.{parameter.name}"
        if parameter.allowed and part not in parameter.allowed:
            raise UsageProblem(what, where="--set", remedy=nearest(part, parameter.allowed))
        if not VALUE.fullmatch(part):
            raise UsageProblem(what, where="--set", remedy="Give a name or a glob, no path.")
    return parts


def _set(rule: Rule, values: Mapping[str, tuple[str, ...]]) -> Rule:
    if not values:
        return rule
    filled = (replace(p, value=values.get(p.name, p.value)) for p in rule.parameters)
    return replace(rule, parameters=tuple(filled))


def _named(rules: Sequence[Rule], names: Iterable[str], option: str) -> set[str]:
    ids = {rule.id for rule in rules}
    categories: dict[str, set[str]] = {}
    for rule in rules:
        categories.setdefault(rule.category, set()).add(rule.id)
    found: set[str] = set()
    for name in map(_current, names):
        if name in ids:
            found.add(name)
        elif name in categories:
            found |= categories[name]
        elif name in load_retired():
            remedy = "Drop it from your options."
            raise RuleError(load_retired()[name].note.rstrip("."), where=option, remedy=remedy)
        else:
            remedy = _hint(name, sorted(ids | set(categories)))
            raise RuleError(f"unknown rule or category {name!r}", where=option, remedy=remedy)
    return found


def _hint(name: str, known: list[str]) -> str:
    import difflib

    if difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return nearest(name, known)
    return "See 'condaprune rules list'."


def _current(name: str) -> str:
    found = load_retired().get(name)
    return found.now if found and found.now else name
