"""Which rule, keep or drop matches which entry; it decides nothing (see `condaprune.planning`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from condaprune.errors import RuleError, UsageProblem
from condaprune.model import Inventory, Layout, Owner, Record, Rule
from condaprune.names import canonical_name
from condaprune.ruleset.patterns import resolve, translate, with_values
from condaprune.ruleset.regexset import compile_set

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

Role = Literal["user-keep", "user-drop", "keep", "remove"]


@dataclass(frozen=True, slots=True)
class Match:
    """What matched an entry; empty where nothing of that kind did.

    `keep` and `drop` are the user's patterns as written, `rule_keep` the id of the first rule
    whose `keep` holds, `rule` that of the first rule whose `remove` does.
    """

    keep: str = ""
    rule_keep: str = ""
    drop: str = ""
    rule: str = ""


NOTHING = Match()


@dataclass(frozen=True, slots=True)
class _Line:
    """One pattern and where it comes from. A user's list counts as one, `rule` is then -1."""

    role: Role
    rule: int
    text: str

    @property
    def negated(self) -> bool:
        return self.text.startswith("!")


@dataclass(slots=True)
class _Outcome:
    """The outcome of a set of lines: `match` whoever owns the entry, unless it is `bound`.

    `by_owners` has the outcome by the identity of the tuple of owners, which most entries of a
    package share; the tuple is held so that its identity stays its own.
    """

    keep: str
    drop: str
    keeping: tuple[int, ...]
    removing: tuple[int, ...]
    bound: bool
    match: Match | None = None
    by_owners: dict[int, tuple[tuple[Owner, ...], Match | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose entries a rule may touch: those of named packages, of any package, or all."""

    names: frozenset[str]
    owned: bool
    versions: SpecifierSet | None

    @property
    def bound(self) -> bool:
        """Whether the owner of an entry matters at all."""
        return bool(self.names) or self.owned

    @staticmethod
    def of(rule: Rule) -> _Scope:
        versions = None
        if rule.when and rule.when.version:
            from packaging.specifiers import SpecifierSet

            versions = SpecifierSet(rule.when.version)
        return _Scope(frozenset(map(_scope_name, rule.package)), rule.owned, versions)

    def admits(self, owners: tuple[Owner, ...]) -> bool:
        """Whether a rule with this scope may touch an entry of these owners."""
        if not self.names:
            return bool(owners) or not self.owned
        return any(map(self._names, owners))

    def _names(self, owner: Owner) -> bool:
        name = canonical_name(owner.name)
        kind = "conda" if isinstance(owner, Record) else "pypi"
        if name not in self.names and f"{kind}:{name}" not in self.names:
            return False
        return self.versions is None or _within(self.versions, owner.version)


class Matcher:
    """Compiled rules for one environment; made by `compile_rules`."""

    def __init__(
        self, rules: Sequence[Rule], layout: Layout, keep: Sequence[str], drop: Sequence[str]
    ) -> None:
        self.rules = tuple(rules)
        self._scopes = tuple(map(_Scope.of, self.rules))
        self._lines: list[_Line] = []
        regexes: list[str] = []

        def add(role: Role, rule: int, texts: Iterable[str]) -> None:
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
        self._outcomes: dict[tuple[int, ...], _Outcome] = {}

    def match(self, inventory: Inventory) -> Mapping[str, Match]:
        """What matched each entry; only the paths for which anything did, in inventory order.

        Entries with the same outcome share one `Match`.
        """
        # This loop runs once for each entry of an environment.
        hits, outcomes, owners = self._hits, self._outcomes, inventory.owners
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
                seen = outcome.by_owners.get(id(owned_by))
                match = seen[1] if seen is not None else self._match_owned(outcome, owned_by)
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
        bound = any(self._scopes[rule].bound for rule in (*keeping, *removing))
        outcome = _Outcome(keep, drop, keeping, removing, bound)
        if not bound:
            outcome.match = self._match(outcome, ())
        return outcome

    def _match_owned(self, outcome: _Outcome, owners: tuple[Owner, ...]) -> Match | None:
        match = self._match(outcome, owners)
        outcome.by_owners[id(owners)] = (owners, match)
        return match

    def _match(self, outcome: _Outcome, owners: tuple[Owner, ...]) -> Match | None:
        first = (self._first(outcome.keeping, owners), self._first(outcome.removing, owners))
        match = Match(outcome.keep, first[0], outcome.drop, first[1])
        return None if match == NOTHING else match

    def _first(self, rules: Iterable[int], owners: tuple[Owner, ...]) -> str:
        """The id of the first of these rules that may touch an entry of these owners."""
        return next((self.rules[r].id for r in rules if self._scopes[r].admits(owners)), "")


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
    _check("--keep", keep)
    _check("--drop", drop)
    return Matcher(with_values(rules), inventory.layout, keep, drop)


def _check(option: str, texts: Sequence[str]) -> None:
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
    if when.python:
        from packaging.specifiers import SpecifierSet

        return _within(SpecifierSet(when.python), layout.python)
    return True


def _within(versions: SpecifierSet, version: str) -> bool:
    """Whether a version is in a range, pre-releases included; one like ``1.1.1k`` is in none."""
    from packaging.version import InvalidVersion, Version

    try:
        return versions.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _scope_name(name: str) -> str:
    kind, colon, bare = name.partition(":")
    return f"{kind}:{canonical_name(bare)}" if colon else canonical_name(name)
