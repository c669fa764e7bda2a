"""The rule file format as types: validation and the published JSON Schema both come from here.

A field's metadata holds its documentation and its limits: ``doc``, ``pattern`` (of each string),
``least`` (how many items a list needs at least).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from condaprune.model import Platform, Risk

ID = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
NAME = r"[a-z][a-z0-9_]*"
PACKAGE = r"((conda|pypi):)?[A-Za-z0-9][A-Za-z0-9._-]*"
TEXT = r"[\s\S]*\S[\s\S]*"
URL = r"https?://[^\s]+"


def _doc(doc: str, *, least: int = 0, pattern: str = "") -> dict[str, str | int]:
    return {"doc": doc, "least": least, "pattern": pattern}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesTable:
    """The rule's unit test: paths that it removes, and near misses that it leaves alone."""

    removed: tuple[str, ...] = field(
        metadata=_doc(
            "Paths the rule removes; a trailing slash marks a folder.", least=1, pattern=TEXT
        )
    )
    kept: tuple[str, ...] = field(
        metadata=_doc(
            "Paths the rule leaves alone, chosen so that a wider pattern would take them.",
            pattern=TEXT,
        ),
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenTable:
    """Where the rule applies; not to a package or Python whose version cannot be read."""

    version: str = field(
        metadata=_doc("PEP 440 range of the package's version; needs `package`.", pattern=TEXT),
        default="",
    )
    python: str = field(
        metadata=_doc("PEP 440 range of the environment's Python version.", pattern=TEXT),
        default="",
    )
    platform: tuple[Platform, ...] = field(
        metadata=_doc("The platforms the rule applies to; without it to all.", least=1), default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterTable:
    """What a user may choose with `--set RULE.NAME=...`; patterns say `{param.NAME}`."""

    description: str = field(metadata=_doc("What the values mean.", pattern=TEXT))
    default: str | tuple[str, ...] = field(
        metadata=_doc("The value where the user sets none; a list makes it a list parameter.")
    )
    allowed: tuple[str, ...] = field(
        metadata=_doc("The possible values; without it any value.", pattern=TEXT), default=()
    )
    example: tuple[str, ...] = field(
        metadata=_doc(
            "The values that the rule's examples are meant for, where the default removes nothing.",
            pattern=TEXT,
        ),
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """One removal with its reason, its limits and its test."""

    id: str = field(
        metadata=_doc("Stable, in lower case with hyphens; never used again.", pattern=ID)
    )
    why: str = field(
        metadata=_doc("What the files are and why they may go; sizes where known.", pattern=TEXT)
    )
    breaks: tuple[str, ...] = field(metadata=_doc("What a user loses.", least=1, pattern=TEXT))
    risk: Risk = field(
        metadata=_doc("How likely it is that someone misses the files: decides the profile.")
    )
    category: str = field(
        metadata=_doc("What kind of removal it is; can be selected as a whole.", pattern=ID)
    )
    references: tuple[str, ...] = field(
        metadata=_doc("Where the facts come from: at least one URL.", least=1, pattern=URL)
    )
    remove: tuple[str, ...] = field(
        metadata=_doc(
            "Gitignore patterns relative to the prefix or from a named root such as `{site}`; "
            "within a rule the last match wins, `!` spares.",
            least=1,
            pattern=TEXT,
        )
    )
    keep: tuple[str, ...] = field(
        metadata=_doc("Patterns of what this rule protects from every rule.", pattern=TEXT),
        default=(),
    )
    package: str | tuple[str, ...] = field(
        metadata=_doc(
            "Only entries of these packages: names of conda packages or normalised names of "
            "distributions; a prefix `conda:` or `pypi:` limits a name to one kind.",
            pattern=PACKAGE,
        ),
        default=(),
    )
    owned: bool = field(
        metadata=_doc("Only entries that a package owns, never a user's files."), default=False
    )
    whole: bool = field(
        metadata=_doc(
            "The rule removes a package as a whole: where something needs a part, all of it stays."
        ),
        default=False,
    )
    when: WhenTable | None = field(metadata=_doc("Where the rule applies."), default=None)
    parameters: Mapping[str, ParameterTable] = field(
        metadata=_doc("What a user can choose, by name.", pattern=NAME), default_factory=dict
    )
    examples: ExamplesTable = field(metadata=_doc("The rule's unit test."))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A file of rules."""

    rule: tuple[RuleTable, ...] = field(
        metadata=_doc("The rules, in the order they are tried.", least=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredTable:
    """An id that was given up: renamed (`now`) or removed; it is never used again."""

    id: str = field(metadata=_doc("The old id.", pattern=ID))
    since: str = field(metadata=_doc("The version of condaprune that gave it up.", pattern=TEXT))
    why: str = field(metadata=_doc("The reason, for those who still select it.", pattern=TEXT))
    now: str = field(metadata=_doc("The id that took its place.", pattern=ID), default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredFile:
    """The table of ids that are never used again."""

    retired: tuple[RetiredTable, ...] = field(
        metadata=_doc("The ids that were given up."), default=()
    )
