"""Rules as pages that people read, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from condaprune.model import Plan, Rule, When
from condaprune.planning.account import make_account
from condaprune.report.layout import share, size
from condaprune.ruleset import PROFILES

_WIDTH = 88


def render_list(rules: Sequence[Rule]) -> str:
    """One line a rule: id, risk, category, package."""
    width = max((len(rule.id) for rule in rules), default=0)
    lines = []
    for rule in rules:
        packages = ", ".join(rule.package)
        lines.append(
            f"{rule.id:<{width}}  {rule.risk:<6}  {rule.category:<12}  {packages}".rstrip()
        )
    return "\n".join([*lines, f"{len(rules)} rules"]) + "\n"


def render_page(rule: Rule, plan: Plan | None = None) -> str:
    """The page of a rule: what, why, what breaks, risk, references, what it saves in *plan*."""
    return "\n".join(_page(rule, plan)) + "\n"


def _page(rule: Rule, plan: Plan | None) -> Iterator[str]:
    yield rule.id
    yield "=" * len(rule.id)
    yield from textwrap.wrap(rule.why, _WIDTH)
    yield ""
    yield f"risk      {rule.risk} (profiles: {', '.join(_profiles(rule)) or 'none, select it'})"
    yield f"category  {rule.category}"
    if rule.package:
        yield f"package   {', '.join(rule.package)}"
    if rule.owned:
        yield "only      what some package owns, never a user's own files"
    if rule.when is not None:
        yield f"when      {_when(rule.when)}"
    yield f"from      {rule.origin}:{rule.line}"
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
                yield from textwrap.wrap(
                    value, _WIDTH, initial_indent="  - ", subsequent_indent="    ",
                    break_long_words=False, break_on_hyphens=False,
                )  # fmt: skip
    for parameter in rule.parameters:
        yield ""
        value = ",".join(parameter.value)
        yield f"Parameter --set {rule.id}.{parameter.name}={value}"
        yield f"  {parameter.description}"
        if parameter.allowed:
            yield f"  One of: {', '.join(parameter.allowed)}"
    yield ""
    yield "Examples"
    yield from (f"  removed  {path}" for path in rule.removed_examples)
    yield from (f"  kept     {path}" for path in rule.kept_examples)
    if plan is not None:
        yield ""
        account = make_account(plan)
        row = next((row for row in account.rules if row.name == rule.id), None)
        yield (
            f"In {plan.inventory.label} it removes {row.files:,} files, {size(row.bytes)}, "
            f"{share(row.bytes, account.bytes_before)}"
            if row
            else f"In {plan.inventory.label} it removes nothing"
        )


def as_json(rule: Rule) -> dict[str, Any]:
    """A rule as JSON-ready data."""
    return {
        "id": rule.id,
        "risk": rule.risk,
        "category": rule.category,
        "profiles": _profiles(rule),
        "package": list(rule.package),
        "owned": rule.owned,
        "when": None
        if rule.when is None
        else {
            "version": rule.when.version,
            "python": rule.when.python,
            "platform": list(rule.when.platform),
        },
        "why": rule.why,
        "breaks": list(rule.breaks),
        "remove": list(rule.remove),
        "keep": list(rule.keep),
        "references": list(rule.references),
        "examples": {"removed": list(rule.removed_examples), "kept": list(rule.kept_examples)},
        "parameters": [
            {"name": p.name, "description": p.description, "value": list(p.value),
             "allowed": list(p.allowed)}
            for p in rule.parameters
        ],
        "origin": rule.origin,
        "line": rule.line,
    }  # fmt: skip


def _profiles(rule: Rule) -> list[str]:
    return [name for name, risks in PROFILES.items() if rule.risk in risks]


def _when(when: When) -> str:
    parts = [
        f"package {when.version}" if when.version else "",
        f"python {when.python}" if when.python else "",
        f"on {', '.join(when.platform)}" if when.platform else "",
    ]
    return "; ".join(part for part in parts if part)
