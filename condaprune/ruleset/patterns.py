"""Gitignore patterns with named roots: parsing them, and resolving them for one environment.

A pattern follows Git's documented rules as pathspec's ``PathSpec`` reads them: the last match
wins, a leading slash or a slash in the middle anchors at the prefix, a trailing slash asks for a
folder and means all below it. On top of that a pattern may start at a named root (``{site}/...``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from condaprune.errors import RuleError, nearest
from condaprune.model import Layout, Platform

ROOTS = ("bin", "include", "lib", "share", "site", "stdlib")

# Used where the source says nothing about a root that every environment may have.
_DEFAULTS: dict[Platform, dict[str, tuple[str, ...]]] = {
    "linux": {"lib": ("lib",), "share": ("share",)},
    "osx": {"lib": ("lib",), "share": ("share",)},
    "win": {"lib": ("Library/lib",), "share": ("Library/share", "share")},
}

_ROOT = re.compile(r"\{([^{}/]*)\}")
_PARAMETER = re.compile(r"\{param\.([^{}/]*)\}")
_SPECIAL = re.compile(r"[*?\[\\]")

VALUE = re.compile(r"[^/\x00-\x1f{}!#\\]+")
"""What a parameter may stand for: one path component, which may hold wildcards."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern: what it was written as, and its path segments.

    `root` is the named root it starts at, or empty; `segments` may hold globs and ``**``. A final
    ``**`` stands for a trailing slash: the folder itself and all below it.
    """

    text: str
    negated: bool
    root: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One path segment of a resolved pattern; a literal holds no wildcard and no escape."""

    text: str
    literal: bool


def parse(text: str) -> Pattern:
    """Read one pattern.

    >>> parse("!{site}/pandas/tests/")
    Pattern(text='!{site}/pandas/tests/', negated=True, root='site', segments=('pandas', 'tests', '**'))

    Errors: `RuleError` for a pattern that is empty, malformed, leaves the prefix or starts at an
    unknown root.
    """  # noqa: E501
    body = text if text.endswith("\\ ") else text.rstrip()
    negated = body.startswith("!")
    body = body[1:] if negated else body
    if not body or body.startswith("#"):
        raise _bad(text, "is empty", "Write a gitignore pattern; a leading '#' needs a backslash.")
    if any(ord(char) < 32 for char in body):
        raise _bad(text, "holds a control character", "Use '?' in its place.")
    if _PARAMETER.search(body):
        raise _bad(text, "uses a parameter", "Parameters are known to the rule that declares them.")
    root = _root(text, body)
    if root:
        body = body[len(root) + 2 :]
        if body and not body.startswith("/"):
            raise _bad(text, "runs on after its root", f"Put a slash behind '{{{root}}}'.")
        body = body or "/"
    segments = _segments(text, body)
    return Pattern(text, negated, root, segments if root else _whole(segments, body))


def _root(text: str, body: str) -> str:
    found = _ROOT.match(body)
    if found is None:
        if re.search(r"(?<!\\)[{}]", body):
            what = "has braces outside a leading root"
            raise _bad(text, what, "Write '\\{' for a brace, '{site}/...' for a root.")
        return ""
    name = found.group(1)
    if name not in ROOTS:
        raise _bad(text, f"starts at the unknown root {name!r}", nearest(name, ROOTS))
    if re.search(r"(?<!\\)[{}]", body[found.end() :]):
        raise _bad(text, "has a second root", "A root stands at the beginning, once.")
    return name


def _segments(text: str, body: str) -> tuple[str, ...]:
    parts = body.split("/")
    if parts[0] == "" and len(parts) > 1:
        del parts[0]
    elif len(parts) == 1 or (len(parts) == 2 and not parts[1]):
        parts.insert(0, "**")
    folder = parts[-1] == ""
    if folder:
        parts[-1] = "**"
    for part in parts:
        if part in (".", ".."):
            remedy = "Patterns are relative to the prefix, or start at a root such as {site}."
            raise _bad(text, f"escapes the prefix or goes nowhere with {part!r}", remedy)
        if not part:
            raise _bad(text, "holds an empty segment", "Write single slashes.")
        if _SPECIAL.search(part):
            glob(part)
    merged: list[str] = []
    for part in parts:
        if part != "**" or merged[-1:] != ["**"]:
            merged.append(part)
    return tuple(merged)


def _whole(segments: tuple[str, ...], body: str) -> tuple[str, ...]:
    """The plain form of patterns that match (nearly) everything."""
    if segments == ("**",) and body.endswith("/") and body != "/":
        return ("*", "**")  # "**/": every folder, not a file at the top
    return {("**", "*"): ("**",), ("**", "*", "**"): ("*", "**")}.get(segments, segments)


def _bad(text: str, what: str, remedy: str) -> RuleError:
    return RuleError(f"the pattern {text!r} {what}", remedy=remedy)


_LETTERS = re.compile(r"(\[[A-Za-z0-9]+\])")


@cache
def glob(segment: str) -> re.Pattern[str]:
    """The regular expression of one segment, for ``fullmatch`` on one name.

    Ranges and escapes are left to pathspec, whose import is too dear for what stars, question
    marks and plain sets of letters need. Errors: `RuleError` for a malformed segment.
    """
    parts = _LETTERS.split(segment)
    if any("[" in part or "\\" in part for part in parts[::2]):
        from pathspec.patterns.gitignore.base import GitIgnorePatternError
        from pathspec.patterns.gitignore.basic import GitIgnoreBasicPattern

        try:
            regex, _ = GitIgnoreBasicPattern.pattern_to_regex("/" + segment)
            assert isinstance(regex, str)
            return re.compile(regex.removeprefix("^").removesuffix("(?:/|$)"), re.DOTALL)
        except (GitIgnorePatternError, re.error) as error:
            raise _bad(segment, "is malformed", f"{error}") from error
    regex = ""
    for number, part in enumerate(parts):
        if number % 2:
            regex += part
        else:
            regex += "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in part)
    return re.compile(re.sub(r"(?:\.\*)+", ".*", regex), re.DOTALL)


def roots_of(layout: Layout, name: str) -> tuple[str, ...]:
    """The folders a root stands for in an environment; none where it lacks that root."""
    if name in layout.roots:
        return layout.roots[name]
    return _DEFAULTS[layout.platform].get(name, ())


def resolve(pattern: Pattern, layout: Layout) -> list[tuple[Segment, ...]]:
    """A pattern's segments in one environment: once for each folder its root stands for."""
    own = tuple(Segment(part, not _SPECIAL.search(part)) for part in pattern.segments)
    if not pattern.root:
        return [own]
    found = []
    for folder in roots_of(layout, pattern.root):
        head = tuple(Segment(part, True) for part in folder.split("/") if part)
        found.append(head + own)
    return found


def parameters_of(text: str) -> list[str]:
    """The names of the parameters a pattern uses."""
    return _PARAMETER.findall(text)


def substitute(text: str, values: dict[str, tuple[str, ...]]) -> list[str]:
    """A pattern with its parameters filled in: one pattern for each value of a list."""
    found = _PARAMETER.search(text)
    if found is None:
        return [text]
    head, tail = text[: found.start()], text[found.end() :]
    filled = []
    for value in values.get(found.group(1), ()):
        filled.extend(substitute(head + value + tail, values))
    return filled


def check(text: str, *, keep: bool = False) -> None:
    """Whether a rule may use a pattern: one that parses and does not take everything."""
    pattern = parse(text)
    whole = not any(part.strip("*") for part in pattern.segments) and pattern.root != "include"
    if whole and not pattern.negated and not (keep and pattern.root):
        raise _bad(text, "takes everything", "Name what is to go.")
