"""Rules: declared in TOML, chosen by profile, and matched with the entries of an environment.

    rules = choose(load_builtin(), "runtime")
    matches = compile_rules(rules, inventory).match(inventory)

Reading rule files and checking rules takes modules that are imported when they are first used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from condaprune.ruleset.builtin import combine, load_builtin, load_retired
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


def check_rules(rules: Sequence[Rule]) -> list[Problem]:
    """All problems of these rules: see `condaprune.ruleset.check`."""
    from condaprune.ruleset.check import check_rules

    return check_rules(rules)


def rule_schema() -> dict[str, object]:
    """The JSON Schema of rule files, as docs/rules.schema.json publishes it."""
    from condaprune.ruleset.format import RuleFile
    from condaprune.ruleset.validate import schema_of

    description = "Declarative removals for conda environments; see docs/rule-format.md."
    return schema_of(RuleFile, "condaprune rules", description)
