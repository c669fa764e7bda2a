"""All patterns as one automaton that steps over path components.

Patterns are laid into a trie of segments. Where a walk stands is a set of trie nodes, and those
sets are few, so a step is remembered: most paths cost two dictionary look-ups whatever the number
of patterns. Below a folder that a rule removes whole, lines that can no longer change the outcome
are dropped; where none is left, nothing below is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from condaprune.ruleset.patterns import Segment, glob

OPEN = 1 << 30
"""The rank of an outcome that settles nothing: everything below must still be looked at."""


@dataclass(slots=True, eq=False)
class Node:
    """A place in the trie. The lists number the lines that match once the walk is here.

    `here` holds for the entry and all below it, `folder` likewise where the entry is a folder,
    `exact` for the entry alone. `skip` is the child for ``**``: it stays alive below. `rank` is
    the lowest rank of any line at or under the node.
    """

    literals: dict[str, Node] = field(default_factory=dict)
    globs: dict[str, Node] = field(default_factory=dict)
    skip: Node | None = None
    stays: bool = False
    here: list[int] = field(default_factory=list)
    folder: list[int] = field(default_factory=list)
    exact: list[int] = field(default_factory=list)
    rank: int = OPEN


def build(lines: Iterable[tuple[Sequence[Segment], int, int]]) -> Node:
    """The trie of all lines: each its segments, its number and its rank."""
    root = Node()
    for segments, number, rank in lines:
        node = root
        node.rank = min(node.rank, rank)
        last = len(segments) - 1
        for index, segment in enumerate(segments):
            if segment.text == "**" and not segment.literal:
                if index == last:
                    (node.folder if index else node.here).append(number)
                    break
                if node.skip is None:
                    node.skip = Node(stays=True)
                node = node.skip
            else:
                children = node.literals if segment.literal else node.globs
                node = children.setdefault(segment.text, Node())
                if index == last:
                    lone = segment.text == "*" and not segment.literal
                    (node.exact if lone else node.here).append(number)
            node.rank = min(node.rank, rank)
    return root


_Test = tuple[re.Pattern[str] | None, Node]
Shape = tuple[str, str, str]
"""What of a name tells which patterns to try: all from its first dot on, its first and its last
character."""


class _Children:
    """The children of a set of nodes, indexed by what a name must look like."""

    __slots__ = ("_tests", "by_head", "by_last", "by_suffix", "literals", "others", "stay")

    def __init__(self, nodes: Iterable[Node], cut: int) -> None:
        self.literals: dict[str, list[Node]] = {}
        self.by_suffix: dict[str, list[tuple[str, str, _Test]]] = {}
        self.by_head: dict[str, list[_Test]] = {}
        self.by_last: dict[str, list[_Test]] = {}
        self.others: list[_Test] = []
        self.stay: list[Node] = []
        self._tests: dict[Shape, tuple[list[_Test], bool]] = {}
        for node in nodes:
            if node.stays:
                self.stay.append(node)
            for name, child in node.literals.items():
                if child.rank < cut:
                    self.literals.setdefault(name, []).append(child)
            for text, child in node.globs.items():
                if child.rank < cut:
                    self._add_glob(text, child)

    def _add_glob(self, text: str, child: Node) -> None:
        if text == "*":
            self.others.append((None, child))
            return
        test: _Test = (glob(text), child)
        tail = re.split(r"[*?\]]", text)[-1]
        head = text[0] if text[0] not in "*?[\\" else ""
        if "." in tail and "\\" not in tail:
            only = tail if text == "*" + tail and tail[0] == "." else ""
            self.by_suffix.setdefault(tail.rpartition(".")[2], []).append((head, only, test))
        elif head:
            self.by_head.setdefault(head, []).append(test)
        elif tail and "\\" not in tail:
            self.by_last.setdefault(tail[-1], []).append(test)
        else:
            self.others.append(test)

    def empty(self) -> bool:
        indexes = (self.literals, self.by_suffix, self.by_head, self.by_last, self.others)
        return not any(indexes)

    def of(self, name: str) -> list[Node]:
        """The nodes reached by one path component, without those that stay."""
        _, dot, rest = name.partition(".")
        tests, _ = self.tests((dot + rest, name[:1], name[-1:]))
        found = self.literals.get(name, [])
        if tests:
            found = [*found, *(n for regex, n in tests if regex is None or regex.fullmatch(name))]
        return found

    def tests(self, shape: Shape) -> tuple[list[_Test], bool]:
        """What to try on names of a shape, and whether they all reach the same nodes by it."""
        known = self._tests.get(shape)
        if known is None:
            ending, head, last = shape
            found = [*self.others, *self.by_head.get(head, ()), *self.by_last.get(last, ())]
            for first, tail, test in self.by_suffix.get(ending.rpartition(".")[2], ()):
                if tail:
                    if ending.endswith(tail):
                        found.append((None, test[1]))
                elif first in ("", head):
                    found.append(test)
            known = self._tests[shape] = (found, all(regex is None for regex, _ in found))
        return known


Outcome = TypeVar("Outcome")
Outcome_co = TypeVar("Outcome_co", covariant=True)


class Verdicts(Protocol[Outcome_co]):
    """What a set of matching lines amounts to: asked once for each distinct set."""

    def outcome(self, lines: tuple[int, ...]) -> Outcome_co:
        """The outcome for these lines, in ascending order."""
        ...

    def settled(self, lines: tuple[int, ...]) -> int:
        """The rank from which on lines below a folder with these lines cannot matter, or `OPEN`."""
        ...


class State(Generic[Outcome]):
    """Where the walk stands in a folder; `under` is set where all below has the same outcome.

    `by_shape` has the outcome for all names of a shape, where they share one but for `literals`.
    """

    __slots__ = (
        "_children", "by_nodes", "by_shape", "cut", "folders", "lines", "literals", "nodes", "under"
    )  # fmt: skip

    def __init__(self, nodes: frozenset[Node], lines: frozenset[int], cut: int) -> None:
        self.nodes = nodes
        self.lines = lines
        self.cut = cut
        self.by_nodes: dict[tuple[int, ...], Outcome] = {}
        self.by_shape: dict[Shape, Outcome] = {}
        self.literals: Mapping[str, object] = {}
        self.folders: dict[str, tuple[State[Outcome], Outcome]] = {}
        self.under: Outcome | None = None
        self._children: _Children | None = None

    def children(self) -> _Children:
        if self._children is None:
            self._children = _Children(self.nodes, self.cut)
            self.literals = self._children.literals
        return self._children


class Automaton(Generic[Outcome]):
    """Walks paths; `file` and `folder` are the steps, `start` the prefix itself."""

    def __init__(self, root: Node, verdicts: Verdicts[Outcome], *, skip: bool = True) -> None:
        self._verdicts = verdicts
        self._skip = skip
        self._states: dict[tuple[frozenset[Node], frozenset[int], int], State[Outcome]] = {}
        self._outcomes: dict[tuple[int, ...], Outcome] = {}
        self.start = self._state([root], frozenset(root.here), OPEN)

    def file(self, state: State[Outcome], name: str) -> Outcome:
        """The outcome for a file or link in a folder."""
        # Half of all the time of a match is spent here: one look-up for most names.
        _, dot, rest = name.partition(".")
        shape = (dot + rest, name[:1], name[-1:])
        if name not in state.literals:
            found = state.by_shape.get(shape)
            if found is not None:
                return found
        children = state.children()
        reached = children.of(name)
        key = tuple(map(id, reached)) if reached else ()
        found = state.by_nodes.get(key)
        if found is None:
            lines = set(state.lines)
            for node in reached:
                lines.update(node.here)
                lines.update(node.exact)
            found = state.by_nodes[key] = self._outcome(lines)
        if children.tests(shape)[1] and name not in state.literals:
            state.by_shape[shape] = found
        return found

    def folder(self, state: State[Outcome], name: str) -> tuple[State[Outcome], Outcome]:
        """The state inside a folder, and the outcome for the folder itself."""
        if state.under is not None:
            return (state, state.under)
        children = state.children()
        reached = children.of(name)
        below = set(state.lines)
        for node in reached:
            below.update(node.here)
            below.update(node.folder)
        own = set(below)
        for node in reached:
            own.update(node.exact)
        inside = self._state(reached + children.stay, frozenset(below), state.cut)
        step = (inside, self._outcome(own))
        state.folders[name] = step
        return step

    def walk(self, folders: dict[str, State[Outcome]], path: str) -> State[Outcome]:
        """The state inside a folder whose own entry may be missing."""
        found = folders.get(path)
        if found is None:
            head, _, name = path.rpartition("/")
            found = self.folder(self.walk(folders, head), name)[0]
            folders[path] = found
        return found

    def _outcome(self, lines: set[int]) -> Outcome:
        key = tuple(sorted(lines))
        if key not in self._outcomes:
            self._outcomes[key] = self._verdicts.outcome(key)
        return self._outcomes[key]

    def _state(self, reached: list[Node], lines: frozenset[int], cut: int) -> State[Outcome]:
        live = set()
        for node in reached:
            if node.literals or node.globs:
                live.add(node)
            if node.skip is not None:
                live.add(node.skip)
        if self._skip:
            cut = min(cut, self._verdicts.settled(tuple(sorted(lines))))
        key = (frozenset(live), lines, cut)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = State(*key)
            if state.children().empty():
                state.under = self._outcome(set(lines))
        return state
