"""Rules: what they are (TOML), which apply, and which entries they match.

    rules = choose(load_builtin(), "runtime")
    matches = compile_rules(rules, inventory).match(inventory)

What the ``condaprune rules`` commands run is here too: `check_rules` and `rule_schema`, in modules
that are imported when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from condaprune.ruleset.load import combine, load_builtin, load_file, load_retired, parse_rules
from condaprune.ruleset.match import Match, Matcher, compile_rules
from condaprune.ruleset.profiles import DEFAULT_PROFILE, PROFILES, choose, rename_notes

if TYPE_CHECKING:
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


def check_rules(rules: Sequence[Rule]) -> list[Problem]:
    """All problems of these rules: see `condaprune.ruleset.check`."""
    from condaprune.ruleset.check import check_rules

    return check_rules(rules)


def rule_schema() -> dict[str, object]:
    """The JSON Schema of rule files: see `condaprune.ruleset.schema`."""
    from condaprune.ruleset.schema import rule_schema

    return rule_schema()
