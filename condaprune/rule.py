"""Rules as immutable data: what may go, why, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Platform = Literal["linux", "osx", "win"]
Risk = Literal["safe", "low", "medium", "high"]

RISKS: tuple[Risk, ...] = ("safe", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Rule:
    """A declarative removal with its reason; see docs/rule-format.md for each field.

    `whole` is true where all that it removes goes, or nothing. `origin` is the file the rule came
    from and `line` the line of its table there.
    """

    id: str
    why: str
    breaks: tuple[str, ...]
    risk: Risk
    category: str
    references: tuple[str, ...]
    remove: tuple[str, ...]
    keep: tuple[str, ...]
    removed_examples: tuple[str, ...]
    kept_examples: tuple[str, ...]
    package: tuple[str, ...] = ()
    owned: bool = False
    whole: bool = False
    when: When | None = None
    origin: str = ""
    line: int = 0
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a user chooses in a rule: patterns say ``{param.NAME}`` and stand for each `value`.

    `single` is true for one string, false for a list; `allowed` is empty where anything goes.
    `example` is the value that the rule's examples are meant for, empty where it is the default.
    """

    name: str
    description: str
    value: tuple[str, ...]
    single: bool = False
    allowed: tuple[str, ...] = ()
    example: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """Where a rule applies: empty fields hold everywhere. Versions are PEP 440 ranges."""

    version: str = ""
    python: str = ""
    platform: tuple[Platform, ...] = ()
