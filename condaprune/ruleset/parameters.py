"""Parameters of rules: where a user chooses what stays, such as the services of botocore."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from condaprune.model import Rule
from condaprune.ruleset.patterns import substitute


def with_values(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules with the values of their parameters filled into their patterns."""
    return tuple(_filled(rule, {p.name: p.value for p in rule.parameters}) for rule in rules)


def with_example_values(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The same with the values that the rules' examples are meant for."""
    return tuple(
        _filled(rule, {p.name: p.example or p.value for p in rule.parameters}) for rule in rules
    )


def _filled(rule: Rule, values: dict[str, tuple[str, ...]]) -> Rule:
    if not rule.parameters:
        return rule

    def fill(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(done for text in texts for done in substitute(text, values))

    return replace(rule, remove=fill(rule.remove), keep=fill(rule.keep))
