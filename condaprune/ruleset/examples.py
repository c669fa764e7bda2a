"""A rule's lines laid over its examples: what it would remove, and what with other lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from condaprune.model import Layout, Rule
from condaprune.ruleset.automaton import OPEN, Automaton, State, build
from condaprune.ruleset.patterns import parse, resolve

Field = Literal["remove", "keep"]

_STDLIB = re.compile(r"(lib/(?:python|pypy)[\d.]+t?)/")


def layout_of(path: str) -> Layout:
    """The layout of an environment that a path may come from, as far as the path tells."""
    if path.startswith(("Lib/", "Library/", "Scripts/", "libs/")):
        roots = {
            "site": ("Lib/site-packages",),
            "stdlib": ("Lib",),
            "bin": ("Scripts", "Library/bin"),
            "include": ("include", "Library/include"),
            "lib": ("libs", "Library/lib"),
            "share": ("share", "Library/share"),
        }
        return Layout("win", "3.12", roots)
    found = _STDLIB.match(path)
    stdlib = found[1] if found else "lib/python3.12"
    roots = {"site": (f"{stdlib}/site-packages",), "stdlib": (stdlib,)}
    roots |= {name: (name,) for name in ("bin", "include", "lib", "share")}
    return Layout("linux", stdlib.removeprefix("lib/python"), roots)


class _Hit:
    """A single line: an entry matches it or does not."""

    def outcome(self, lines: tuple[int, ...]) -> bool:
        return bool(lines)

    def settled(self, lines: tuple[int, ...]) -> int:
        return OPEN


@cache
def hits(text: str, path: str) -> bool:
    """Whether one pattern, negated or not, matches a path; a trailing slash marks a folder."""
    segments = resolve(parse(text), layout_of(path))
    machine: Automaton[bool] = Automaton(build((s, 0, 0) for s in segments), _Hit())
    head, _, name = path.rstrip("/").rpartition("/")
    folders: dict[str, State[bool]] = {"": machine.start}
    state = machine.walk(folders, head)
    if state.under is not None:
        return state.under
    return machine.folder(state, name)[1] if path.endswith("/") else machine.file(state, name)


def last_match(texts: Sequence[str], path: str) -> bool:
    """Whether the last of these patterns that matches a path is not negated."""
    for text in reversed(texts):
        if hits(text, path):
            return not text.startswith("!")
    return False


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a rule; packages and versions are taken to fit."""

    remove: tuple[str, ...]
    keep: tuple[str, ...]

    @staticmethod
    def of(rule: Rule) -> Lines:
        """The lines of a rule whose parameters have their values."""
        return Lines(rule.remove, rule.keep)

    def removes(self, path: str) -> bool:
        """Whether the rule by itself removes a path."""
        return last_match(self.remove, path) and not self.shields(path)

    def shields(self, path: str) -> bool:
        """Whether the rule keeps a path, whatever other rules say."""
        return last_match(self.keep, path)

    def replacing(self, field: Field, at: int, *texts: str) -> Lines:
        """The same with other patterns, or none, in place of one line."""
        if field == "remove":
            return replace(self, remove=(*self.remove[:at], *texts, *self.remove[at + 1 :]))
        return replace(self, keep=(*self.keep[:at], *texts, *self.keep[at + 1 :]))
