"""Safety checks that veto a removal and say why.

`examine` runs them all to a fixpoint: what is rescued is kept, and what it needs is looked at in
turn. A guard that goes by the rule that takes an entry may let another rule take it: so what it
rescues from one rule is offered to the next, and stays when none is left. Each guard is one file;
`GUARDS` is the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain

from condaprune.errors import UsageProblem, nearest
from condaprune.evidence.datanames import DataNames
from condaprune.evidence.facts import Facts
from condaprune.evidence.modules import Modules
from condaprune.evidence.pysource import PythonReader
from condaprune.evidence.removal import removals
from condaprune.evidence.scene import Guard, GuardReport, Prospect, Scene
from condaprune.evidence.tree import Tree, leave_out_cache
from condaprune.model import Inventory, Progress, Veto, no_progress
from condaprune.rule import Rule
from condaprune.sources.base import Contents

__all__ = ["GUARDS", "Guard", "GuardReport", "examine"]

_ORDER = """
    landmarks unpack shared activation imports siblings namespaces elf dlopen links metadata
    commands suites stubs source toolchain data csource requirements whole
"""
"""All guards, the most telling evidence first: the first veto of an entry is reported."""


GUARDS: dict[str, type[Guard]] = {
    name: getattr(import_module(f"condaprune.guards.{name}"), name.capitalize())
    for name in _ORDER.split()
}
"""All guards by name: a new one is a file, and its name in the list above."""


_UNCONDITIONAL = frozenset("landmarks unpack activation imports namespaces links metadata".split())
"""Guards to which it is all the same which rule takes an entry."""


def examine(
    inventory: Inventory,
    contents: Contents,
    candidates: Mapping[str, str],
    *,
    rules: Mapping[str, Rule] | None = None,
    following: Callable[[str, str], str] = lambda _path, _removal: "",
    off: frozenset[str] = frozenset(),
    progress: Progress = no_progress,
    members: int = 0,
) -> GuardReport:
    """What must stay of *candidates*, and why.

    *candidates* maps what a rule or the user wants to remove (files, links, emptied folders) to
    that rule's id, *rules* the ids to the rules; without, every rule counts as a general one.
    *following* has the id of the rule that takes an entry if the rule of a given id may not, or
    empty. *off* names guards not to run, *members* is how many processes read the files (see
    `Facts`). Code of the environment is never run. Errors: `UsageProblem`
    for a guard that does not exist, `SourceError` where a file cannot be read.
    """
    for name in sorted(off - GUARDS.keys()):
        problem = f"there is no guard named {name!r}"
        raise UsageProblem(problem, where="--no-guard", remedy=nearest(name, list(GUARDS)))
    ran = {name: guard for name, guard in GUARDS.items() if name not in off}
    inventory, candidates = leave_out_cache(inventory, candidates)
    known = rules or {}
    scene = set_up(inventory, contents, candidates, known, ran.values(), progress, members)
    turns = _Turns(candidates, following)
    while True:
        guards = [guard(scene) for guard in ran.values()]
        vetoes = _fixpoint(scene, guards, turns)
        if vetoes is not None:
            break
        before, asked = scene.candidates, turns.asked()
        scene = _with_removals(scene, asked, known)
        if any(before[p].names_file(p) != r.names_file(p) for p, r in scene.candidates.items()):
            # Whether a suffix in code stands for a file depends on what its rule spells.
            scene = set_up(inventory, contents, asked, known, ran.values(), progress, members)
    notes = tuple(note for guard in guards for note in guard.notes())
    return GuardReport(vetoes, tuple(ran), notes, turns.taken)


def set_up(
    inventory: Inventory,
    contents: Contents,
    candidates: Mapping[str, str],
    rules: Mapping[str, Rule],
    guards: Iterable[type[Guard]],
    progress: Progress,
    members: int,
) -> Scene:
    """What the *guards* look at, made for what they declare to be of interest."""
    wanted_by = removals(candidates.values(), rules)
    typed = {path: wanted_by[rule] for path, rule in candidates.items()}
    entries = inventory.entries
    files = {path: removal for path, removal in typed.items() if entries[path].kind != "folder"}
    modules = Modules(inventory, files)
    prospect = Prospect(inventory, typed, modules)
    concerned = [guard for guard in guards if guard.concerned(prospect)]
    words = [word for guard in concerned for word in guard.words]
    reader = PythonReader(modules, DataNames(inventory, files, modules), words, typed)
    facts = Facts(
        inventory,
        contents,
        reader,
        frozenset(kind for guard in concerned for kind in guard.reads),
        frozenset().union(*(guard.searched(prospect) for guard in concerned)),
        progress,
        members,
    )
    return Scene(inventory, typed, modules, Tree(inventory, typed), facts)


class _Turns:
    """Which removal of a candidate is asked about: the first until it is vetoed, then the next."""

    def __init__(self, candidates: Mapping[str, str], following: Callable[[str, str], str]) -> None:
        self._first = candidates
        self._following = following
        self._over: set[str] = set()
        self.taken: dict[str, str] = {}
        """The candidates that are asked about for another removal than the first."""

    def advance(self, path: str, *, conditional: bool) -> bool:
        """Let the next removal have its turn, now that this one is vetoed.

        Not so where the veto is not *conditional* on the removal. Returns whether another one is
        asked about: when none is left the first, by which other entries go with this one or stay.
        """
        if path in self._over:
            return False
        asked = self.taken.get(path, self._first[path])
        following = self._following(path, asked) if conditional else ""
        if following:
            self.taken[path] = following
            return True
        self._over.add(path)
        return self.taken.pop(path, None) is not None

    def asked(self) -> dict[str, str]:
        """The candidates, each with the removal that is asked about."""
        return {**self._first, **self.taken}


def _fixpoint(scene: Scene, guards: Sequence[Guard], turns: _Turns) -> dict[str, Veto] | None:
    """The vetoes of all guards over all that is kept, the rescued included.

    None as soon as another removal of some entries has its turn, since guards have to be asked
    about these from the start. What was kept until then stays in any case, so that no order of
    guards or rules changes the outcome.
    """
    candidates, entries = scene.candidates, scene.inventory.entries
    vetoes: dict[str, Veto] = {}
    batch = [p for p, e in entries.items() if e.kind != "folder" and p not in candidates]
    first = True
    while batch or first:
        scene.facts.load(batch)
        rescued: list[str] = []
        advanced: set[str] = set()
        for guard in guards:
            for veto in chain(guard.begin() if first else (), guard.look(batch)):
                path = veto.path
                if path in vetoes or path in advanced or path not in candidates:
                    continue
                if turns.advance(path, conditional=guard.name not in _UNCONDITIONAL):
                    advanced.add(path)
                    continue
                vetoes[path] = Veto(path, veto.because, veto.needs, guard.name)
                if entries[path].kind != "folder":
                    rescued.append(path)
        if advanced:
            return None
        batch = rescued
        first = False
    return vetoes


def _with_removals(scene: Scene, asked: Mapping[str, str], rules: Mapping[str, Rule]) -> Scene:
    """The same scene with other removals of the same candidates; nothing is read again."""
    known = {removal.id: removal for removal in scene.candidates.values()}
    known.update(removals(set(asked.values()) - known.keys(), rules))
    return replace(scene, candidates={path: known[name] for path, name in asked.items()})
