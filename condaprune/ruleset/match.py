"""Which rule, keep or drop matches which entry; it decides nothing (see `condaprune.planning`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from condaprune.errors import RuleError, UsageProblem
from condaprune.model import Inventory, Layout, Owner, Rule
from condaprune.ruleset.automaton import OPEN, Automaton, State, build
from condaprune.ruleset.parameters import with_values
from condaprune.ruleset.patterns import Segment, parse, resolve
from condaprune.ruleset.scope import Scope, applies, owner_satisfies

Role = Literal["user-keep", "user-drop", "keep", "remove"]


@dataclass(frozen=True, slots=True)
class Match:
    """What matched an entry; empty where nothing of that kind did.

    `keep` and `drop` are the user's patterns as written, `rule_keep` the id of the first rule
    whose `keep` holds, `rule` that of the first rule whose `remove` does. `also` names the other
    rules that would remove the entry; it is filled only where it was asked for.
    """

    keep: str = ""
    rule_keep: str = ""
    drop: str = ""
    rule: str = ""
    also: tuple[str, ...] = ()


NOTHING = Match()


@dataclass(frozen=True, slots=True)
class _Line:
    """One pattern: what it belongs to. A user's list counts as one, `rule` is then -1."""

    role: Role
    rule: int
    text: str
    negated: bool


@dataclass(slots=True)
class _Verdict:
    """The outcome of a set of lines: the same for all owners, or one for each set of owners."""

    match: Match | None
    keep: str
    drop: str
    keeping: tuple[int, ...]
    removing: tuple[int, ...]
    by_owner: dict[tuple[int, ...], Match | None] = field(default_factory=dict)
    by_owners: dict[int, tuple[tuple[Owner, ...], Match | None]] = field(default_factory=dict)
    scoped: bool = False


class Matcher:
    """Compiled rules for one environment; made by `compile_rules`."""

    def __init__(
        self, rules: Sequence[Rule], layout: Layout, keep: Sequence[str], drop: Sequence[str]
    ) -> None:
        self.rules = tuple(rules)
        self._scopes = tuple(Scope.of(rule) for rule in self.rules)
        self._lines: list[_Line] = []
        trie: list[tuple[tuple[Segment, ...], int, int]] = []

        def add(role: Role, rule: int, texts: Iterable[str]) -> None:
            for text in texts:
                pattern = parse(text)
                # What can spare an entry, or is the user's own, always has to be looked at.
                rank = rule if role == "remove" and not pattern.negated else -1
                for segments in resolve(pattern, layout):
                    trie.append((segments, len(self._lines), rank))
                    self._lines.append(_Line(role, rule, text, pattern.negated))

        self._sparing = frozenset(
            index
            for index, rule in enumerate(self.rules)
            if any(text.startswith("!") for text in rule.remove)
        )
        add("user-keep", -1, keep)
        add("user-drop", -1, drop)
        for index, rule in enumerate(self.rules):
            if applies(rule, layout):
                add("keep", index, rule.keep)
                add("remove", index, rule.remove)
        self._root = build(trie)
        self._fast = Automaton(self._root, self)
        self._full: Automaton[_Verdict] | None = None
        self._owners: dict[int, tuple[Owner, frozenset[int]]] = {}

    def match(self, inventory: Inventory, *, also: bool = False) -> Mapping[str, Match]:
        """What matched each entry; only the paths for which anything did, in inventory order.

        With *also*, `Match.also` is filled; that costs a little more.
        """
        machine = self._fast
        if also:
            if self._full is None:
                self._full = Automaton(self._root, self, skip=False)
            machine = self._full
        owners = inventory.owners
        found: dict[str, Match] = {}
        folders: dict[str, State[_Verdict]] = {"": machine.start}
        for path, entry in inventory.entries.items():
            head, _, name = path.rpartition("/")
            state = folders.get(head)
            if state is None:
                state = machine.walk(folders, head)
            if entry.kind == "folder":
                step = state.folders.get(name)
                if step is None:
                    step = machine.folder(state, name)
                folders[path], verdict = step
            elif state.under is not None:
                verdict = state.under
            else:
                verdict = machine.file(state, name)
            match = verdict.match
            if verdict.scoped:
                held = owners.get(path, ())
                known = verdict.by_owners.get(id(held))
                match = known[1] if known is not None else self._owned(verdict, held, also)
            if match is not None:
                found[path] = match
        return found

    def outcome(self, lines: tuple[int, ...]) -> _Verdict:
        """What a set of matching lines amounts to."""
        decided: dict[tuple[Role, int], _Line] = {}
        for number in lines:
            line = self._lines[number]
            decided[(line.role, line.rule)] = line
        hits = [line for line in decided.values() if not line.negated]
        keep = next((line.text for line in hits if line.role == "user-keep"), "")
        drop = next((line.text for line in hits if line.role == "user-drop"), "")
        keeping = tuple(sorted(line.rule for line in hits if line.role == "keep"))
        removing = tuple(sorted(line.rule for line in hits if line.role == "remove"))
        verdict = _Verdict(None, keep, drop, keeping, removing)
        verdict.scoped = any(self._scopes[rule].bound for rule in (*keeping, *removing))
        if not verdict.scoped:
            verdict.match = self._match(verdict, keeping, removing, True)
        return verdict

    def settled(self, lines: tuple[int, ...]) -> int:
        """The first rule that removes all below a folder, whoever owns it: later ones are moot.

        A rule with a `!` may spare something further down, where later rules then count again.
        """
        verdict = self.outcome(lines)
        free = (
            rule
            for rule in verdict.removing
            if not self._scopes[rule].bound and rule not in self._sparing
        )
        return min(free, default=OPEN)

    def _owned(self, verdict: _Verdict, owners: tuple[Owner, ...], also: bool) -> Match | None:
        match = self._of_owners(verdict, owners, also)
        # Most paths share their tuple of owners with others; it is kept, so its id stays its own.
        verdict.by_owners[id(owners)] = (owners, match)
        return match

    def _of_owners(self, verdict: _Verdict, owners: tuple[Owner, ...], also: bool) -> Match | None:
        key = tuple(map(id, owners))
        if key in verdict.by_owner:
            return verdict.by_owner[key]
        keeping = tuple(r for r in verdict.keeping if self._holds(r, owners))
        removing = tuple(r for r in verdict.removing if self._holds(r, owners))
        match = self._match(verdict, keeping, removing, also)
        verdict.by_owner[key] = match
        return match

    def _holds(self, rule: int, owners: tuple[Owner, ...]) -> bool:
        scope = self._scopes[rule]
        if not scope.bound:
            return True
        if not scope.names:
            return bool(owners)
        return any(rule in self._rules_of(owner) for owner in owners)

    def _rules_of(self, owner: Owner) -> frozenset[int]:
        """The package rules that hold for an owner. The owner is kept, so its id stays its own."""
        known = self._owners.get(id(owner))
        if known is None:
            rules = (i for i, scope in enumerate(self._scopes) if owner_satisfies(scope, owner))
            known = self._owners[id(owner)] = (owner, frozenset(rules))
        return known[1]

    def _match(
        self, verdict: _Verdict, keeping: tuple[int, ...], removing: tuple[int, ...], also: bool
    ) -> Match | None:
        match = Match(
            verdict.keep,
            self.rules[keeping[0]].id if keeping else "",
            verdict.drop,
            self.rules[removing[0]].id if removing else "",
            tuple(self.rules[rule].id for rule in removing[1:]) if also else (),
        )
        return None if match == NOTHING else match


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
            parse(text)
    except RuleError as error:
        raise UsageProblem(error.what, where=option, remedy=error.remedy) from error
