"""Rules as pages that people read, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from condaprune.model import Plan
from condaprune.planning.account import make_account
from condaprune.report.layout import counted, share, size
from condaprune.report.rendering import Rendering, as_text
from condaprune.rule import Rule, When
from condaprune.ruleset import PROFILES

_WIDTH = 88
_ITEM = textwrap.TextWrapper(
    _WIDTH,
    initial_indent="  - ",
    subsequent_indent="    ",
    break_long_words=False,
    break_on_hyphens=False,
)


def render_list(rules: Sequence[Rule]) -> Rendering:
    """One line a rule: id, risk, category, package."""
    width = max((len(rule.id) for rule in rules), default=0)
    lines = [
        f"{rule.id:<{width}}  {rule.risk:<6}  {rule.category:<12}  {', '.join(rule.package)}"
        for rule in rules
    ]
    return as_text([*map(str.rstrip, lines), counted(len(rules), "rule")])


def render_page(rule: Rule, plan: Plan | None = None) -> Rendering:
    """The page of a rule: what, why, what breaks, risk, references, what it saves in *plan*."""
    return as_text([*_page(rule), *(_saved(rule, plan) if plan else ())])


def _page(rule: Rule) -> Iterator[str]:
    yield rule.id
    yield "=" * len(rule.id)
    yield from textwrap.wrap(rule.why, _WIDTH)
    yield ""
    for name, text in (
        ("risk", f"{rule.risk} (profiles: {', '.join(_profiles(rule)) or 'none, select it'})"),
        ("category", rule.category),
        ("package", ", ".join(rule.package)),
        ("only", "files that a package owns, never a user's files" if rule.owned else ""),
        ("whole", "all of it, or nothing where a part is needed" if rule.whole else ""),
        ("when", _when(rule.when) if rule.when is not None else ""),
        ("from", f"{rule.origin}:{rule.line}"),
    ):
        if text:
            yield f"{name:<8}  {text}"
    for title, values in (
        ("Removes", rule.remove),
        ("Keeps, against every rule", rule.keep),
        ("What breaks", rule.breaks),
        ("See", rule.references),
    ):
        if values:
            yield ""
            yield title
            for value in values:
                yield from _ITEM.wrap(value)
    for parameter in rule.parameters:
        yield from ("", f"Parameter --set {rule.id}.{parameter.name}={','.join(parameter.value)}")
        yield f"  {parameter.description}"
        if parameter.allowed:
            yield f"  One of: {', '.join(parameter.allowed)}"
    yield from ("", "Examples")
    yield from (f"  removed  {path}" for path in rule.removed_examples)
    yield from (f"  kept     {path}" for path in rule.kept_examples)


def _saved(rule: Rule, plan: Plan) -> Iterator[str]:
    account = make_account(plan)
    row = next((row for row in account.rules if row.name == rule.id), None)
    removed = "nothing"
    if row is not None:
        part = share(row.bytes, account.bytes_before)
        removed = f"{counted(row.files, 'file')}, {size(row.bytes)}, {part}"
    yield from ("", f"In {plan.inventory.label} it removes {removed}")


def rule_data(rule: Rule) -> dict[str, Any]:
    """A rule as JSON-ready data."""
    data = asdict(rule)
    examples = {"removed": data.pop("removed_examples"), "kept": data.pop("kept_examples")}
    keys = ("name", "description", "value", "allowed")
    parameters = [{key: parameter[key] for key in keys} for parameter in data["parameters"]]
    return {**data, "profiles": _profiles(rule), "examples": examples, "parameters": parameters}


def _profiles(rule: Rule) -> list[str]:
    return [name for name, risks in PROFILES.items() if rule.risk in risks]


def _when(when: When) -> str:
    parts = [
        f"package {when.version}" if when.version else "",
        f"python {when.python}" if when.python else "",
        f"on {', '.join(when.platform)}" if when.platform else "",
    ]
    return "; ".join(part for part in parts if part)
