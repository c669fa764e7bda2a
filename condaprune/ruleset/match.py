"""Which rule, keep or drop matches which entry; it decides nothing (see `condaprune.planning`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from condaprune.errors import RuleError, UsageProblem
from condaprune.model import Inventory, Layout, Owner, Record
from condaprune.names import canonical_name
from condaprune.rule import Rule
from condaprune.ruleset.patterns import resolve, translate, with_values
from condaprune.ruleset.regexset import compile_set, one_of

Role = Literal["user-keep", "user-drop", "keep", "remove"]


@dataclass(frozen=True, slots=True)
class Match:
    """What matched an entry; empty where nothing of that kind did.

    `keep` and `drop` are the user's patterns as written, `rule_keep` the id of the first rule
    whose `keep` holds, `rule` that of the first rule whose `remove` does, `others` those of the
    further ones.
    """

    keep: str = ""
    rule_keep: str = ""
    drop: str = ""
    rule: str = ""
    others: tuple[str, ...] = ()


NOTHING = Match()


@dataclass(frozen=True, slots=True)
class _Line:
    """A pattern, or several of a rule's as one, and where it comes from.

    A user's list counts as one rule, `rule` is then -1. `text` is empty for several patterns.
    """

    role: Role
    rule: int
    text: str

    @property
    def negated(self) -> bool:
        return self.text.startswith("!")


@dataclass(slots=True)
class _Outcome:
    """The outcome of a set of lines: `match` whoever owns the entry, unless it is `bound`.

    `by_owners` has the outcome by the identities of the owners.
    """

    keep: str
    drop: str
    keeping: tuple[int, ...]
    removing: tuple[int, ...]
    bound: bool
    match: Match | None = None
    by_owners: dict[tuple[int, ...], Match | None] = field(default_factory=dict)


class Matcher:
    """Compiled rules for one environment; made by `compile_rules`."""

    def __init__(
        self, rules: Sequence[Rule], layout: Layout, keep: Sequence[str], drop: Sequence[str]
    ) -> None:
        self.rules = tuple(rules)
        self._lines: list[_Line] = []
        regexes: list[str] = []

        def add(role: Role, rule: int, texts: Sequence[str]) -> None:
            if rule >= 0 and not any(text.startswith("!") for text in texts):
                # Whichever pattern it is that matches, the outcome is the same.
                joined = one_of(regex for text in texts for regex in resolve(text, layout))
                regexes.extend(joined)
                self._lines.extend([_Line(role, rule, "")] * len(joined))
                return
            for text in texts:
                for regex in resolve(text, layout):
                    regexes.append(regex)
                    self._lines.append(_Line(role, rule, text))

        add("user-keep", -1, keep)
        add("user-drop", -1, drop)
        for index, rule in enumerate(self.rules):
            if applies(rule, layout):
                add("keep", index, rule.keep)
                add("remove", index, rule.remove)
        self._hits: Callable[[str], Sequence[int]] = compile_set(regexes)

    def match(self, inventory: Inventory) -> Mapping[str, Match]:
        """What matched each entry; only the paths for which anything did, in inventory order.

        Entries with the same outcome share one `Match`.
        """
        # This loop runs once for each entry of an environment.
        hits, owners = self._hits, inventory.owners
        outcomes: dict[tuple[int, ...], _Outcome] = {}
        matches: dict[str, Match] = {}
        for path, entry in inventory.entries.items():
            lines = hits(path + "/" if entry.kind == "folder" else path)
            if not lines:
                continue
            key = tuple(lines)
            outcome = outcomes.get(key)
            if outcome is None:
                outcome = outcomes[key] = self._outcome(sorted(key))
            match = outcome.match
            if outcome.bound:
                owned_by = owners.get(path, ())
                ids = tuple(map(id, owned_by))
                if ids in outcome.by_owners:
                    match = outcome.by_owners[ids]
                else:
                    match = outcome.by_owners[ids] = self._match(outcome, owned_by)
            if match is not None:
                matches[path] = match
        return matches

    def _outcome(self, numbers: Iterable[int]) -> _Outcome:
        """What a set of matching lines amounts to: the last of a list decides."""
        last = {(line.role, line.rule): line for line in map(self._lines.__getitem__, numbers)}
        hits = [line for line in last.values() if not line.negated]
        keep = next((line.text for line in hits if line.role == "user-keep"), "")
        drop = next((line.text for line in hits if line.role == "user-drop"), "")
        keeping = tuple(sorted(line.rule for line in hits if line.role == "keep"))
        removing = tuple(sorted(line.rule for line in hits if line.role == "remove"))
        bound = any(_bound(self.rules[rule]) for rule in (*keeping, *removing))
        outcome = _Outcome(keep, drop, keeping, removing, bound)
        if not bound:
            outcome.match = self._match(outcome, ())
        return outcome

    def _match(self, outcome: _Outcome, owners: tuple[Owner, ...]) -> Match | None:
        keeping = next(self._admitted(outcome.keeping, owners), "")
        removing = tuple(self._admitted(outcome.removing, owners))
        match = Match(
            outcome.keep, keeping, outcome.drop, removing[0] if removing else "", removing[1:]
        )
        return None if match == NOTHING else match

    def _admitted(self, rules: Iterable[int], owners: tuple[Owner, ...]) -> Iterator[str]:
        """The ids of those of these rules that may touch an entry of these owners."""
        for rule in map(self.rules.__getitem__, rules):
            if _admits(rule, owners):
                yield rule.id


def compile_rules(
    rules: Sequence[Rule],
    inventory: Inventory,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Matcher:
    """Prepare rules and the user's patterns for one environment.

    Rules that do not apply to its platform or Python match nothing. Errors: `RuleError` for a bad
    pattern of a rule, `UsageProblem` for one of the user's.
    """
    check_patterns("--keep", keep)
    check_patterns("--drop", drop)
    return Matcher(with_values(rules), inventory.layout, keep, drop)


def check_patterns(option: str, texts: Sequence[str]) -> None:
    """Refuse a pattern of the user's that is none. Errors: `UsageProblem`, after *option*."""
    try:
        for text in texts:
            translate(text)
    except RuleError as error:
        raise UsageProblem(error.what, where=option, remedy=error.remedy) from error


def applies(rule: Rule, layout: Layout) -> bool:
    """Whether a rule holds for the environment's platform and Python; an unknown one does not."""
    when = rule.when
    if when is None:
        return True
    if when.platform and layout.platform not in when.platform:
        return False
    return not when.python or _within(when.python, layout.python)


def _bound(rule: Rule) -> bool:
    """Whether a rule depends on who owns an entry."""
    return bool(rule.package) or rule.owned


def _admits(rule: Rule, owners: tuple[Owner, ...]) -> bool:
    """Whether a rule may touch an entry of these owners."""
    if not rule.package:
        return bool(owners) or not rule.owned
    names = _scope(rule.package)
    versions = rule.when.version if rule.when else ""
    for owner in owners:
        name = canonical_name(owner.name)
        kind = "conda" if isinstance(owner, Record) else "pypi"
        named = name in names or f"{kind}:{name}" in names
        if named and (not versions or _within(versions, owner.version)):
            return True
    return False


@cache
def _scope(packages: tuple[str, ...]) -> frozenset[str]:
    """Names of packages in their one spelling, those with a kind too."""
    split = [name.rpartition(":") for name in packages]
    return frozenset(kind + colon + canonical_name(name) for kind, colon, name in split)


def _within(versions: str, version: str) -> bool:
    """Whether a version is in a range, pre-releases included; one like ``1.1.1k`` is in none."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(versions).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
