"""Rules: what they are (TOML), which apply, and which entries they match.

rules = choose(load_builtin(), "runtime")
matches = compile_rules(rules, inventory).match(inventory)
"""

from condaprune.ruleset.load import combine, load_builtin, load_file, parse_rules
from condaprune.ruleset.match import Match, Matcher, compile_rules
from condaprune.ruleset.profiles import DEFAULT_PROFILE, PROFILES, choose, rename_notes

__all__ = [
    "DEFAULT_PROFILE",
    "PROFILES",
    "Match",
    "Matcher",
    "choose",
    "combine",
    "compile_rules",
    "load_builtin",
    "load_file",
    "parse_rules",
    "rename_notes",
]
