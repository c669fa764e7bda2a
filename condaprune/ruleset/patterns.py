"""Gitignore patterns with named roots: checked, and translated for one environment.

A pattern follows Git's documented rules as pathspec's ``PathSpec`` reads them: the last match
wins, a leading slash or a slash in the middle anchors at the prefix, a trailing slash asks for a
folder and means all below it. On top of that a pattern may start at a named root (``{site}/...``).

pathspec translates patterns to regular expressions. Those of the built-in rules come with the
compiled rules, so that most runs do not pay for its import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from condaprune.errors import RuleError, nearest
from condaprune.model import Layout
from condaprune.rule import Rule

ROOTS = ("bin", "include", "lib", "share", "site", "stdlib")

_ROOT = re.compile(r"\{([^{}/]*)\}")
_PARAMETER = re.compile(r"\{param\.([^{}/]*)\}")
_BRACE = re.compile(r"(?<!\\)[{}]")
_SHELL_CLASS = re.compile(r"\[(!?)(\]?[^\]]*)\]")
_CLASS = re.compile(r"(\\.)|(\[\^?)(\]?[^\]]*\])", re.DOTALL)

GLOB = "glob:"
"""Begins a pattern of the user's that is a shell's over the whole path, as conda-pack reads one:
``*`` and ``?`` match slashes too, and it means files alone, not what is below a folder."""

VALUE = re.compile(r"[^/\x00-\x1f{}!#\\]+")
"""The value of a parameter: one path component, which may hold wildcards."""

_translated: dict[str, str] = {}


def remember(regexes: Mapping[str, str]) -> None:
    """Use these translations, each as `translate` made it, by pattern."""
    _translated.update(regexes)


def translate(text: str) -> str:
    """The regular expression of a pattern, to be matched from the start of a path.

    A folder's path ends with a slash. A named root stands in the expression as it is written. The
    dot matches any character and ``$`` only the end: Python and RE2 then read it alike.

    >>> translate("!{site}/pandas/tests/")
    '^\\\\{site\\\\}/pandas/tests/'

    Errors: `RuleError` for a pattern that is empty, malformed, leaves the prefix or starts at an
    unknown root.
    """
    regex = _translated.get(text)
    if regex is None:
        regex = _translated[text] = _translate(text)
    return regex


def _translate(text: str) -> str:
    body = text if text.endswith("\\ ") else text.rstrip()
    sign, body = ("!", body[1:]) if body.startswith("!") else ("", body)
    if not body or body.startswith("#"):
        raise _bad(text, "is empty", "Write a gitignore pattern; a leading '#' needs a backslash.")
    if any(ord(char) < 32 for char in body):
        raise _bad(text, "holds a control character", "Use '?' in its place.")
    if body.startswith(GLOB):
        return _by_shell(text, body.removeprefix(GLOB))
    if _PARAMETER.search(body):
        raise _bad(text, "uses a parameter", "Only the rule that declares a parameter can use it.")
    root = _check_root(text, body)
    if root:
        rest = body.removeprefix(root)
        if rest and not rest.startswith("/"):
            raise _bad(text, "continues after its root", f"Put a slash after {root!r}.")
        body = f"/{root}{rest or '/'}"
    parts = body.split("/")
    for part in parts[not parts[0] : len(parts) - (not parts[-1])]:
        if part in (".", ".."):
            remedy = "Patterns are relative to the prefix, or start at a root such as {site}."
            raise _bad(text, f"escapes the prefix or goes nowhere with {part!r}", remedy)
        if not part:
            raise _bad(text, "has an empty segment", "Write single slashes.")
    return _by_pathspec(text, sign + body)


def _by_shell(text: str, body: str) -> str:
    regex = ""
    while body:
        found = _SHELL_CLASS.match(body)
        if found is not None:
            inside = found[2].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            regex += f"[{'^' if found[1] else ''}{inside}]"
        else:
            regex += {"*": ".*", "?": "."}.get(body[0], re.escape(body[0]))
        body = body[found.end() if found else 1 :]
    try:
        re.compile(regex)
    except re.error as error:
        raise _bad(text, "is malformed", f"{error}") from error
    return f"^{regex}$"


def _by_pathspec(text: str, pattern: str) -> str:
    from pathspec.patterns.gitignore.base import GitIgnorePatternError
    from pathspec.patterns.gitignore.basic import GitIgnoreBasicPattern

    try:
        regex, _ = GitIgnoreBasicPattern.pattern_to_regex(pattern)
        assert regex is not None
        # RE2 would take [[:alpha:]] for a class by name, which Python does not know.
        regex = _CLASS.sub(lambda found: found[1] or found[2] + found[3].replace("[", r"\["), regex)
        if "[" in text:  # a range may run backwards
            re.compile(regex)
    except (GitIgnorePatternError, re.error) as error:
        raise _bad(text, "is malformed", f"{error}") from error
    if regex == "/":
        return "^.*/"  # every folder, and all that is not at the top
    # The same in a path, which has no empty part, with one loop in place of two.
    return regex.replace("(?:/.+)?/", "/(?:.+/)?").replace("(?:.+/)?[^/]*", ".*")


def _check_root(text: str, body: str) -> str:
    """The root that a pattern starts at, in its braces; empty where it names none."""
    found = _ROOT.match(body)
    if found is not None and found[1] not in ROOTS:
        raise _bad(text, f"starts at the unknown root {found[1]!r}", nearest(found[1], ROOTS))
    root = found[0] if found is not None else ""
    if _BRACE.search(body.removeprefix(root)):
        what = "has braces that are not a leading root"
        raise _bad(text, what, "Write '\\{' for a brace, '{site}/...' for a root.")
    return root


def _bad(text: str, what: str, remedy: str) -> RuleError:
    return RuleError(f"the pattern {text!r} {what}", remedy=remedy)


def resolve(text: str, layout: Layout) -> list[str]:
    """A pattern's regular expressions in one environment: one for each folder of its root, and
    none where the environment lacks that root."""
    regex = translate(text)
    root = _ROOT.match(text.removeprefix("!"))
    if root is None:
        return [regex]
    # pathspec has escaped the braces, as it does with the folder's own characters.
    written = rf"\{{{root[1]}\}}"
    return [regex.replace(written, re.escape(f), 1) for f in layout.roots.get(root[1], ())]


def parameters_of(text: str) -> list[str]:
    """The names of the parameters a pattern uses."""
    return _PARAMETER.findall(text)


def substitute(text: str, values: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A pattern with its parameters filled in: one pattern for each value of a list."""
    found = _PARAMETER.search(text)
    if found is None:
        return [text]
    head, tail = text[: found.start()], text[found.end() :]
    filled = []
    for value in values.get(found[1], ()):
        filled.extend(substitute(head + value + tail, values))
    return filled


def with_values(rules: Sequence[Rule], *, examples: bool = False) -> tuple[Rule, ...]:
    """The rules with the values of their parameters filled into their patterns.

    With *examples* these are the values that the rules' examples are meant for.
    """
    return tuple(_filled(rule, examples) if rule.parameters else rule for rule in rules)


def _filled(rule: Rule, examples: bool) -> Rule:
    values = {p.name: (examples and p.example) or p.value for p in rule.parameters}

    def fill(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(pattern for text in texts for pattern in substitute(text, values))

    return replace(rule, remove=fill(rule.remove), keep=fill(rule.keep))


def check(text: str, *, keep: bool = False) -> None:
    """Whether a rule may use a pattern: one that is well-formed and does not match everything.

    Errors: `RuleError`.
    """
    translate(text)
    if text.removeprefix("!").startswith(GLOB):
        raise _bad(text, "is not in gitignore's syntax", "Write it without 'glob:'.")
    root = _ROOT.match(text)
    rest = text[root.end() :] if root else text
    everything = not rest.strip("*/") and (root is None or root[1] != "include")
    if everything and not text.startswith("!") and not (keep and root):
        raise _bad(text, "matches everything", "Name what to remove.")
