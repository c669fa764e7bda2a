"""Rules: what they are (TOML), which apply, and which entries they match.

    rules = choose(load_builtin(), "runtime")
    matches = compile_rules(rules, inventory).match(inventory)

What reads rule files, and what the ``condaprune rules`` commands run, is here too, in modules that
are imported when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from condaprune.ruleset.builtin import load_builtin, load_retired
from condaprune.ruleset.match import Match, Matcher, compile_rules
from condaprune.ruleset.profiles import DEFAULT_PROFILE, PROFILES, choose, rename_notes

if TYPE_CHECKING:
    import os

    from condaprune.model import Rule
    from condaprune.ruleset.check import Problem

__all__ = [
    "DEFAULT_PROFILE",
    "PROFILES",
    "Match",
    "Matcher",
    "check_rules",
    "choose",
    "combine",
    "compile_rules",
    "load_builtin",
    "load_file",
    "load_retired",
    "parse_rules",
    "rename_notes",
    "rule_schema",
]


def load_file(path: str | os.PathLike[str]) -> tuple[Rule, ...]:
    """The rules of one file: see `condaprune.ruleset.load`."""
    from condaprune.ruleset.load import load_file

    return load_file(path)


def parse_rules(text: str, origin: str) -> tuple[Rule, ...]:
    """The rules in the text of a rule file: see `condaprune.ruleset.load`."""
    from condaprune.ruleset.load import parse_rules

    return parse_rules(text, origin)


def combine(*groups: Sequence[Rule]) -> tuple[Rule, ...]:
    """Several groups of rules as one, ids checked: see `condaprune.ruleset.load`."""
    from condaprune.ruleset.load import combine

    return combine(*groups)


def check_rules(rules: Sequence[Rule]) -> list[Problem]:
    """All problems of these rules: see `condaprune.ruleset.check`."""
    from condaprune.ruleset.check import check_rules

    return check_rules(rules)


def rule_schema() -> dict[str, object]:
    """The JSON Schema of rule files: see `condaprune.ruleset.schema`."""
    from condaprune.ruleset.schema import rule_schema

    return rule_schema()
