"""Rules: declared in TOML, chosen by profile, and matched with the entries of an environment.

rules = choose(load_builtin(), "runtime")
matches = compile_rules(rules, inventory).match(inventory)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from condaprune.ruleset.builtin import combine, load_builtin, load_retired
from condaprune.ruleset.match import Match, Matcher, compile_rules
from condaprune.ruleset.profiles import DEFAULT_PROFILE, PROFILES, choose, rename_notes

if TYPE_CHECKING:
    from condaprune.ruleset.check import check_rules
    from condaprune.ruleset.load import load_file, parse_rules, rule_schema

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

# What most runs do not need is imported when it is first used.
_LAZY = {"check_rules": "check", "load_file": "load", "parse_rules": "load", "rule_schema": "load"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
