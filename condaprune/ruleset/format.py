"""The rule file format as types: validation and the published JSON Schema both come from here.

A field's metadata holds its documentation and its limits: ``doc``, ``pattern`` (of each string),
``least`` (how many items a list needs at least).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any

from condaprune.rule import Platform, Risk

ID = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
NAME = r"[a-z][a-z0-9_]*"
PACKAGE = r"((conda|pypi):)?[A-Za-z0-9][A-Za-z0-9._-]*"
TEXT = r"[\s\S]*\S[\s\S]*"
URL = r"https?://[^\s]+"


def _field(doc: str, *, default: Any = MISSING, least: int = 0, pattern: str = "") -> Any:
    """A field with its documentation; without a default it has to be given."""
    metadata = {"doc": doc, "least": least, "pattern": pattern}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesTable:
    """The rule's unit test: paths that it removes, and near misses that it leaves alone."""

    removed: tuple[str, ...] = _field(
        "Paths the rule removes; a trailing slash marks a folder.", least=1, pattern=TEXT
    )
    kept: tuple[str, ...] = _field(
        "Paths the rule leaves alone, chosen so that a wider pattern would match them.",
        default=(),
        pattern=TEXT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenTable:
    """Where the rule applies; not to a package or Python whose version cannot be read."""

    version: str = _field(
        "PEP 440 range of the package's version; needs `package`.", default="", pattern=TEXT
    )
    python: str = _field(
        "PEP 440 range of the environment's Python version.", default="", pattern=TEXT
    )
    platform: tuple[Platform, ...] = _field(
        "The platforms the rule applies to; without it to all.", default=(), least=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterTable:
    """What a user may choose with `--set RULE.NAME=...`; patterns say `{param.NAME}`."""

    description: str = _field("What the values mean.", pattern=TEXT)
    default: str | tuple[str, ...] = _field(
        "The value where the user sets none; a list makes it a list parameter."
    )
    allowed: tuple[str, ...] = _field(
        "The possible values; without it any value.", default=(), pattern=TEXT
    )
    example: tuple[str, ...] = _field(
        "The values that the rule's examples are meant for, where the default removes nothing.",
        default=(),
        pattern=TEXT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """One removal with its reason, its limits and its test."""

    id: str = _field("Stable, in lower case with hyphens; never used again.", pattern=ID)
    why: str = _field("What the files are and why they may go; sizes where known.", pattern=TEXT)
    breaks: tuple[str, ...] = _field("What a user loses.", least=1, pattern=TEXT)
    risk: Risk = _field("How likely it is that someone misses the files: decides the profile.")
    category: str = _field("What kind of removal it is; can be selected as a whole.", pattern=ID)
    references: tuple[str, ...] = _field(
        "Where the facts come from: at least one URL.", least=1, pattern=URL
    )
    remove: tuple[str, ...] = _field(
        "Gitignore patterns relative to the prefix or from a named root such as `{site}`; "
        "within a rule the last match wins, `!` spares.",
        least=1,
        pattern=TEXT,
    )
    keep: tuple[str, ...] = _field(
        "Patterns of what this rule protects from every rule.", default=(), pattern=TEXT
    )
    package: str | tuple[str, ...] = _field(
        "Only entries of these packages: names of conda packages or normalised names of "
        "distributions; a prefix `conda:` or `pypi:` limits a name to one kind.",
        default=(),
        pattern=PACKAGE,
    )
    owned: bool = _field("Only entries that a package owns, never a user's files.", default=False)
    whole: bool = _field(
        "What the rule removes goes as a whole: where something needs a part, all of it stays.",
        default=False,
    )
    when: WhenTable | None = _field("Where the rule applies.", default=None)
    parameters: Mapping[str, ParameterTable] = _field(
        "What a user can choose, by name.", default={}, pattern=NAME
    )
    examples: ExamplesTable = _field("The rule's unit test.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A file of rules."""

    rule: tuple[RuleTable, ...] = _field("The rules, in the order they are tried.", least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """An id that was given up: renamed (`now`) or removed; it is never used again."""

    id: str = _field("The old id.", pattern=ID)
    since: str = _field("The version of condaprune that gave it up.", pattern=TEXT)
    why: str = _field("The reason, for those who still select it.", pattern=TEXT)
    now: str = _field("The id that took its place.", default="", pattern=ID)

    @property
    def note(self) -> str:
        """One sentence for those who still use the id."""
        if self.now:
            return f"Rule {self.id} was renamed to {self.now} in {self.since}: {self.why}"
        return f"Rule {self.id} was removed in {self.since}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredFile:
    """The table of ids that are never used again."""

    retired: tuple[Retired, ...] = _field("The ids that were given up.", default=())
