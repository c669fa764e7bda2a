"""The unit tests that rules carry with them: what ``condaprune rules test`` runs.

A rule is checked so that no line of it can be deleted or loosened without an example that turns:
each pattern needs an example that it alone decides, and a near miss that a wider one would take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from condaprune.model import RISKS, Rule
from condaprune.names import canonical_name
from condaprune.ruleset.examples import Field, Lines
from condaprune.ruleset.loosen import anchored, loosened
from condaprune.ruleset.parameters import with_example_values, with_values


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
    found = []
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            found.append(_problem(rule, f"the id {rule.id!r} is taken", "Choose another."))
        seen.add(rule.id)
        found.extend(check_rule(rule))
    found.extend(_check_together(rules))
    return found


def check_rule(rule: Rule) -> list[Problem]:
    """The problems of one rule by itself."""
    (rule,) = with_example_values([rule])
    lines = Lines.of(rule)
    found = []
    for path in rule.removed_examples:
        if not lines.removes(path):
            what = f"the example {path!r} is not removed"
            found.append(_problem(rule, what, "Mend the pattern or the example."))
    for path in rule.kept_examples:
        if lines.removes(path):
            what = f"the example {path!r} is not kept"
            found.append(_problem(rule, what, "Narrow the pattern, or mend the example."))
    for at, text in enumerate(rule.remove):
        found.extend(_check_line(rule, lines, "remove", at, text))
        if not text.startswith("!") and not anchored(text):
            what = f"the pattern {text!r} is not anchored"
            remedy = (
                "Begin it with a slash or a root such as {site}; only '*.a' and its like float."
            )
            found.append(_problem(rule, what, remedy))
    for at, text in enumerate(rule.keep):
        found.extend(_check_line(rule, lines, "keep", at, text))
    bad = [url for url in rule.references if not url.startswith(("https://", "http://"))]
    found.extend(_problem(rule, f"the reference {url!r} is no URL", "Link to it.") for url in bad)
    return found


def _check_line(rule: Rule, lines: Lines, field: Field, at: int, text: str) -> Iterator[Problem]:
    removing = (field == "remove") != text.startswith("!")
    mine, near = rule.removed_examples, rule.kept_examples
    names = ("removed", "kept")
    if not removing:
        mine, near = near, mine
        names = ("kept", "removed")
    without = lines.replacing(field, at)
    if not any(without.removes(path) != removing for path in mine):
        what = f"no example needs the line {text!r} of {field!r}"
        yield _problem(rule, what, f"Add a path to examples.{names[0]} that this line decides.")
    for wider in loosened(text)[: None if field == "remove" else 1]:
        widened = lines.replacing(field, at, wider)
        if not any(widened.removes(path) == removing for path in near):
            what = f"no example tells the line {text!r} of {field!r} from {wider!r}"
            yield _problem(rule, what, f"Add a near miss to examples.{names[1]}.")


def _check_together(rules: Sequence[Rule]) -> Iterator[Problem]:
    # A rule's own examples are meant for its example values; other rules do what they do unasked.
    meant = [Lines.of(rule) for rule in with_example_values(rules)]
    unasked = [Lines.of(rule) for rule in with_values(rules)]
    for index, rule in enumerate(rules):
        own = meant[index]
        for place, other in enumerate(rules):
            if place == index or not _reaches(other, rule):
                continue
            lines = unasked[place]
            shielded = next(filter(lines.shields, rule.removed_examples), "")
            if shielded and not own.shields(shielded):
                what = f"the example {shielded!r} is kept by rule {other.id}"
                yield _problem(rule, what, f"Narrow the 'keep' of {other.id}.")
            elif place < index and all(map(lines.removes, rule.removed_examples)):
                what = f"all that it removes, rule {other.id} removes already"
                yield _problem(rule, what, "Drop it, or show in an example what it adds.")


def _reaches(other: Rule, rule: Rule) -> bool:
    """Whether *other* is active wherever *rule* is, and may touch all that it touches."""
    if RISKS.index(other.risk) > RISKS.index(rule.risk) or other.when is not None:
        return False
    if other.package:
        mine = set(map(canonical_name, rule.package))
        return bool(mine) and mine <= set(map(canonical_name, other.package))
    return not other.owned or rule.owned or bool(rule.package)


def _problem(rule: Rule, what: str, remedy: str) -> Problem:
    return Problem(rule.id, f"{rule.origin or '-'}:{rule.line}", what, remedy)
