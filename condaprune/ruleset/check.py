"""The unit tests that rules carry with them: what ``condaprune rules test`` runs.

A rule is checked so that no line of it can be deleted or loosened without an example that fails:
each pattern needs an example that it alone decides, and a near miss that a wider one would match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from condaprune.errors import nearest
from condaprune.model import Layout
from condaprune.names import canonical_name
from condaprune.rule import RISKS, Rule
from condaprune.ruleset.categories import CATEGORIES
from condaprune.ruleset.patterns import resolve, with_values
from condaprune.ruleset.regexset import Hits, by_python

Field = Literal["remove", "keep"]

_STDLIB = re.compile(r"(lib/(?:python|pypy)[\d.]+t?)/")
_FLOATING = re.compile(r"\*[.~][^/*?]*|\*\*?/?__pycache__/|__pycache__/|[.~#][^/*?]+/?")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a rule: where, what, and what to do about it."""

    rule: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where} (rule {self.rule}): {self.what}. {self.remedy}"


def check_rules(rules: Sequence[Rule]) -> list[Problem]:
    """All problems of these rules, each on its own and one against the other."""
    problems = []
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            problems.append(_problem(rule, f"the id {rule.id!r} is taken", "Choose another."))
        seen.add(rule.id)
        problems.extend(check_rule(rule))
    problems.extend(_check_together(rules))
    return problems


def check_rule(rule: Rule) -> list[Problem]:
    """The problems of one rule by itself."""
    (rule,) = with_values([rule], examples=True)
    problems = []
    for path in rule.removed_examples:
        if not removes(rule, path):
            what = f"the example {path!r} is not removed"
            problems.append(_problem(rule, what, "Correct the pattern or the example."))
    for path in rule.kept_examples:
        if removes(rule, path):
            what = f"the example {path!r} is not kept"
            problems.append(_problem(rule, what, "Narrow the pattern, or correct the example."))
    for at, text in enumerate(rule.remove):
        problems.extend(_check_line(rule, "remove", at, text))
        if not text.startswith("!") and not anchored(text):
            what = f"the pattern {text!r} is not anchored"
            remedy = (
                "Begin it with a slash or a root such as {site}; "
                "only patterns such as '*.a' may match in any folder."
            )
            problems.append(_problem(rule, what, remedy))
    for at, text in enumerate(rule.keep):
        problems.extend(_check_line(rule, "keep", at, text))
    if rule.category not in CATEGORIES:
        what = f"the category {rule.category!r} is none of the list"
        problems.append(_problem(rule, what, nearest(rule.category, list(CATEGORIES))))
    bad = [url for url in rule.references if not url.startswith(("https://", "http://"))]
    problems.extend(_problem(rule, f"the reference {u!r} is not a URL", "Link to it.") for u in bad)
    return problems


def loosened(text: str) -> list[str]:
    """The usual ways in which a pattern could be wider than it should be.

    >>> loosened("{site}/pandas/tests/")
    ['{site}/pandas/']
    >>> loosened("{lib}/lib*.a")
    ['{lib}/', '{lib}/*.a', '{lib}/lib*']
    >>> loosened("{site}/**/*.exe")
    ['{site}/', '*.exe']
    """
    sign, body = ("!", text[1:]) if text.startswith("!") else ("", text)
    end = "/" if body.endswith("/") else ""
    above, slash, last = body.rstrip("/").rpartition("/")
    head = above
    while head.endswith("/**"):
        head = head[:-3]
    wider = ["**" if head in ("", "**") else head + "/"]
    parts = re.fullmatch(r"([^*?\[\\]+)\*([^*?\[\\]+)", last)
    if parts and not sign:
        wider += [f"{above}{slash}*{parts[2]}{end}", f"{above}{slash}{parts[1]}*{end}"]
    if above and not sign and _FLOATING.fullmatch(last + end):
        wider.append(last + end)  # accepted by `anchored`, so an example has to refuse it
    return [sign + pattern for pattern in wider]


def anchored(text: str) -> bool:
    """Whether a pattern starts at the prefix or a root, or is of a kind that may match in any
    folder: a suffix such as ``*.a``, ``__pycache__/``, or a hidden name."""
    body = text.removeprefix("!")
    if body.startswith(("/", "{")):
        return not body.startswith("/**")
    return bool(_FLOATING.fullmatch(body))


def removes(rule: Rule, path: str) -> bool:
    """Whether a rule by itself removes a path; packages and versions are assumed to fit."""
    return last_match(rule.remove, path) and not last_match(rule.keep, path)


def last_match(texts: Sequence[str], path: str) -> bool:
    """Whether the last of these patterns that matches a path is not negated."""
    layout = _layout_name(path)
    for text in reversed(texts):
        if _hits(text, layout)(path):
            return not text.startswith("!")
    return False


@cache
def _hits(text: str, stdlib: str) -> Hits:
    return by_python(resolve(text, _layout(stdlib)))


def _layout_name(path: str) -> str:
    """The standard library of an environment that a path may come from, as far as it says."""
    if path.startswith(("Lib/", "Library/", "Scripts/", "libs/")):
        return "Lib"
    stdlib = _STDLIB.match(path)
    return stdlib[1] if stdlib else "lib/python3.12"


@cache
def _layout(stdlib: str) -> Layout:
    if stdlib == "Lib":
        roots = {
            "site": ("Lib/site-packages",),
            "stdlib": ("Lib",),
            "bin": ("Scripts", "Library/bin"),
            "include": ("include", "Library/include"),
            "lib": ("libs", "Library/lib"),
            "share": ("share", "Library/share"),
        }
        return Layout("win", "3.12", roots)
    roots = {"site": (f"{stdlib}/site-packages",), "stdlib": (stdlib,)}
    roots |= {name: (name,) for name in ("bin", "include", "lib", "share")}
    return Layout("linux", stdlib.removeprefix("lib/python"), roots)


def _check_line(rule: Rule, field: Field, at: int, text: str) -> Iterator[Problem]:
    removing = (field == "remove") != text.startswith("!")
    own, near = rule.removed_examples, rule.kept_examples
    names = ("removed", "kept")
    if not removing:
        own, near = near, own
        names = ("kept", "removed")
    without = _replacing(rule, field, at)
    if not any(removes(without, path) != removing for path in own):
        what = f"no example needs the line {text!r} of {field!r}"
        yield _problem(rule, what, f"Add a path to examples.{names[0]} that this line decides.")
    for wider in loosened(text)[: None if field == "remove" else 1]:
        widened = _replacing(rule, field, at, wider)
        if not any(removes(widened, path) == removing for path in near):
            what = f"no example distinguishes the line {text!r} of {field!r} from {wider!r}"
            yield _problem(rule, what, f"Add a near miss to examples.{names[1]}.")


def _replacing(rule: Rule, field: Field, at: int, *texts: str) -> Rule:
    """The rule with other patterns, or none, in place of one line."""
    if field == "remove":
        return replace(rule, remove=(*rule.remove[:at], *texts, *rule.remove[at + 1 :]))
    return replace(rule, keep=(*rule.keep[:at], *texts, *rule.keep[at + 1 :]))


def _check_together(rules: Sequence[Rule]) -> Iterator[Problem]:
    # A rule's examples are meant for its example values; other rules have their default values.
    by_default = with_values(rules)
    for index, rule in enumerate(with_values(rules, examples=True)):
        examples = rule.removed_examples
        for place, other in enumerate(by_default):
            if place == index or not _covers(other, rule):
                continue
            kept = next((path for path in examples if last_match(other.keep, path)), "")
            if kept and not last_match(rule.keep, kept):
                what = f"the example {kept!r} is kept by rule {other.id}"
                yield _problem(rule, what, f"Narrow the 'keep' of {other.id}.")
            elif place < index and all(removes(other, path) for path in examples):
                what = f"rule {other.id} already removes all of its examples"
                yield _problem(rule, what, "Delete it, or show in an example what it adds.")


def _covers(other: Rule, rule: Rule) -> bool:
    """Whether *other* is active wherever *rule* is, and may touch all that it touches."""
    if RISKS.index(other.risk) > RISKS.index(rule.risk) or other.when is not None:
        return False
    if other.package:
        packages = set(map(canonical_name, rule.package))
        return bool(packages) and packages <= set(map(canonical_name, other.package))
    return not other.owned or rule.owned or bool(rule.package)


def _problem(rule: Rule, what: str, remedy: str) -> Problem:
    return Problem(rule.id, f"{rule.origin or '-'}:{rule.line}", what, remedy)
