"""What of an environment is run: everything, some packages, or the packages that changed.

Checks that only read files take seconds and always look at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from condaprune.live.verify.listing import Listing
from condaprune.model import Owner
from condaprune.sources.packages import make_graph
from condaprune.sources.prefix import PrefixSource

_METADATA = (".dist-info/", ".egg-info/", "conda-meta/")
"""Rewritten wherever bytecode goes; the check `metadata` compares what it says."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The files whose modules and commands are run; None for all. `note` is for the user."""

    paths: frozenset[str] | None = None
    note: str = ""

    def covers(self, path: str) -> bool:
        """Whether a module or a command is run."""
        return self.paths is None or path in self.paths


EVERYTHING = Scope()


def make_scope(
    before: Listing, after: Listing, packages: Sequence[str] = (), *, changed_only: bool = False
) -> Scope:
    """The modules and commands of these packages, or of all; of these those that changed.

    A package changed if it lost a file, or has one of another size, bytecode and metadata aside.
    What belongs to no package counts as changed. Errors: `UsageProblem` for an unknown package.
    """
    if not packages and not changed_only:
        return EVERYTHING
    inventory = PrefixSource(before.root).inventory()
    graph = make_graph(inventory)
    named = {label for name in packages for label in graph.find_all(name, "--package")}
    changed = _changed(before, after, inventory.owners_of, graph.label) if changed_only else set()
    paths = []
    for path in before:
        labels = {graph.label(owner) for owner in inventory.owners_of(path)}
        if packages and labels.isdisjoint(named):
            continue
        if not changed_only or not labels or not labels.isdisjoint(changed):
            paths.append(path)
    what = ", ".join(sorted(label.partition(":")[2] for label in named)) or "all packages"
    only = f"{what}, as far as they changed" if changed_only else what
    note = f"imports and commands were tried of {only}; what others import of them was not"
    return Scope(frozenset(paths), note)


def _changed(
    before: Listing,
    after: Listing,
    owners_of: Callable[[str], tuple[Owner, ...]],
    label: Callable[[Owner], str],
) -> set[str]:
    """The packages with a file that is gone, or of another kind or size."""
    found: set[str] = set()
    for path, old in before.entries.items():
        if old.kind == "folder" or path.endswith((".pyc", ".pyo")):
            continue
        new = after.entries.get(path)
        same = new is not None and new.kind == old.kind
        same = same and (old.kind == "link" or (new is not None and new.size == old.size))
        if not same and not any(part in path for part in _METADATA):
            found.update(map(label, owners_of(path)))
    return found
