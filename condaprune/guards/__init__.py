"""Safety checks that veto a removal and say why.

`examine` runs them all to a fixpoint: what is rescued is kept, and what it needs is looked at in
turn. Each guard is one file; `GUARDS` is the registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    commands suites stubs source toolchain data csource whole
"""
"""All guards, the most telling evidence first: the first veto of an entry is reported."""


GUARDS: dict[str, type[Guard]] = {
    name: getattr(import_module(f"condaprune.guards.{name}"), name.capitalize())
    for name in _ORDER.split()
}
"""All guards by name: a new one is a file, and its name in the list above."""


def examine(
    inventory: Inventory,
    contents: Contents,
    candidates: Mapping[str, str],
    *,
    rules: Mapping[str, Rule] | None = None,
    off: frozenset[str] = frozenset(),
    progress: Progress = no_progress,
    members: int = 0,
) -> GuardReport:
    """What must stay of *candidates*, and why.

    *candidates* maps what a rule or the user wants to remove (files, links, emptied folders) to
    that rule's id, *rules* the ids to the rules; without, every rule counts as a general one.
    *off* names guards not to run, *members* is how many processes read the files (see `Facts`).
    Code of the environment is never run. Errors: `UsageProblem`
    for a guard that does not exist, `SourceError` where a file cannot be read.
    """
    for name in sorted(off - GUARDS.keys()):
        problem = f"there is no guard named {name!r}"
        raise UsageProblem(problem, where="--no-guard", remedy=nearest(name, list(GUARDS)))
    ran = {name: guard for name, guard in GUARDS.items() if name not in off}
    inventory, candidates = leave_out_cache(inventory, candidates)
    scene = set_up(inventory, contents, candidates, rules or {}, ran.values(), progress, members)
    guards = [guard(scene) for guard in ran.values()]
    vetoes = _fixpoint(scene, guards)
    notes = tuple(note for guard in guards for note in guard.notes())
    return GuardReport(vetoes, tuple(ran), notes)


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


def _fixpoint(scene: Scene, guards: Sequence[Guard]) -> dict[str, Veto]:
    """The vetoes of all guards over all that is kept, the rescued included."""
    candidates, entries = scene.candidates, scene.inventory.entries
    vetoes: dict[str, Veto] = {}
    batch = [p for p, e in entries.items() if e.kind != "folder" and p not in candidates]
    first = True
    while batch or first:
        scene.facts.load(batch)
        rescued: list[str] = []
        for guard in guards:
            for veto in chain(guard.begin() if first else (), guard.look(batch)):
                if veto.path in vetoes or veto.path not in candidates:
                    continue
                vetoes[veto.path] = Veto(veto.path, veto.because, veto.needs, guard.name)
                if entries[veto.path].kind != "folder":
                    rescued.append(veto.path)
        batch = rescued
        first = False
    return vetoes
