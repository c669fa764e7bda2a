"""The configuration's format as types; validation comes from here (see `ruleset.validate`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from condaprune.ruleset.format import ID, TEXT

CondaMeta = Literal["drop", "slim", "full"]
Bytecode = Literal["profile", "drop", "keep", "hash"]


def _doc(doc: str, *, least: int = 0, pattern: str = TEXT) -> dict[str, str | int]:
    return {"doc": doc, "least": least, "pattern": pattern}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTable:
    """A profile of the user's own."""

    extends: str = field(metadata=_doc("The profile it starts from."), default="runtime")
    select: tuple[str, ...] = field(metadata=_doc("Rule ids and categories to add."), default=())
    ignore: tuple[str, ...] = field(metadata=_doc("Rule ids and categories to leave."), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressTable:
    """A rule that is not to apply for a while, and why."""

    rule: str = field(metadata=_doc("The rule's id.", pattern=ID))
    reason: str = field(metadata=_doc("Why, for whoever reads this later."))
    expires: str = field(
        metadata=_doc("The last day it holds, as 2027-01-31.", pattern=r"\d{4}-\d{2}-\d{2}")
    )
    paths: tuple[str, ...] = field(
        metadata=_doc("Patterns it holds for; without them for all that the rule removes."),
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigTable:
    """All keys; each command-line option of the same name adds to them."""

    profile: str = field(metadata=_doc("The profile to use."), default="")
    rules: tuple[str, ...] = field(metadata=_doc("Rule files, relative to this file."), default=())
    select: tuple[str, ...] = field(metadata=_doc("Rule ids and categories to add."), default=())
    ignore: tuple[str, ...] = field(metadata=_doc("Rule ids and categories to leave."), default=())
    set: tuple[str, ...] = field(metadata=_doc("Parameters, as RULE.NAME=a,b."), default=())
    keep: tuple[str, ...] = field(metadata=_doc("Patterns of what stays."), default=())
    drop: tuple[str, ...] = field(metadata=_doc("Patterns of what goes."), default=())
    no_guard: tuple[str, ...] = field(metadata=_doc("Guards to switch off."), default=())
    trace: tuple[str, ...] = field(metadata=_doc("Trace files, relative to this file."), default=())
    verify: tuple[str, ...] = field(
        metadata=_doc("Commands that must succeed in the pruned environment."), default=()
    )
    drop_packages: tuple[str, ...] = field(
        metadata=_doc("Packages that go as a whole."), default=()
    )
    only_packages: tuple[str, ...] = field(
        metadata=_doc("Packages to keep with what they need; all others go."), default=()
    )
    keep_conda_meta: CondaMeta = field(
        metadata=_doc("What stays of the records: nothing, a slim form, or all."), default="drop"
    )
    bytecode: Bytecode = field(
        metadata=_doc("What becomes of compiled Python: what the profile says, or one of these."),
        default="profile",
    )
    strip: bool = field(
        metadata=_doc("Whether programs and libraries lose symbols and debug data."), default=False
    )
    profiles: Mapping[str, ProfileTable] = field(
        metadata=_doc("Profiles of your own, by name.", pattern=ID), default_factory=dict
    )
    suppress: tuple[SuppressTable, ...] = field(
        metadata=_doc("Rules that are not to apply for a while."), default=()
    )
