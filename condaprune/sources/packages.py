"""Packages as a whole: what may go with one, and what is needed to keep some.

A package here is a conda record with the distributions that came in it, or a distribution of
pip's. Who needs whom is read from ``depends`` of records and ``Requires-Dist`` of distributions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from condaprune.errors import UsageProblem, nearest
from condaprune.model import Distribution, Inventory, Owner, Record
from condaprune.names import canonical_name
from condaprune.planning.edits.sbom import required_names


@dataclass(frozen=True, slots=True)
class Dropped:
    """What goes with the packages: `paths` maps each path to the option that wants it gone,
    `notes` say of each package why it could go, or who needs it nevertheless."""

    paths: Mapping[str, str]
    notes: tuple[str, ...]


class Graph:
    """The packages of an environment and who needs whom, by name."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        # By identity: hashing a record with all its files is slow.
        self._name_of: dict[int, str] = {}
        homes: dict[str, str] = {}
        for record in inventory.records:
            self._name_of[id(record)] = record.name
        for distribution in inventory.distributions:
            home = next(
                (
                    owner.name
                    for path in (f"{distribution.path}/METADATA", distribution.path)
                    for owner in inventory.owners_of(path)
                    if isinstance(owner, Record)
                ),
                distribution.name,
            )
            self._name_of[id(distribution)] = homes[distribution.name] = home
        self.needs: dict[str, set[str]] = {name: set() for name in self._name_of.values()}
        for owner in inventory.packages:
            name = self._name_of[id(owner)]
            self.needs[name] |= {n for n in self._needed_by(owner, homes) if n != name}
        self.requested = {r.name for r in inventory.records if r.requested}
        self._homes = homes

    def _needed_by(self, owner: Owner, homes: Mapping[str, str]) -> Iterable[str]:
        if isinstance(owner, Distribution):
            return [homes[name] for name in required_names(owner) if name in homes]
        names = (spec.split()[0].split("=")[0] for spec in owner.depends if spec.split())
        known = {record.name for record in self._inventory.records}
        return [name for name in names if name in known]

    def find(self, name: str, option: str) -> str:
        """The package a user means. Errors: `UsageProblem` with the nearest name."""
        for candidate in (name, canonical_name(name)):
            if candidate in self.needs:
                return candidate
            if candidate in self._homes:
                return self._homes[candidate]
        raise UsageProblem(
            f"no package {name!r} in this environment",
            where=option,
            remedy=nearest(name, sorted(self.needs)),
        )

    def closure(self, names: Iterable[str]) -> set[str]:
        """The packages that *names* need, themselves included."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self.needs[name] - found
        return found

    def dependents(self, name: str) -> set[str]:
        """The packages that need *name* themselves."""
        return {other for other, needed in self.needs.items() if name in needed}

    def orphans(self, dropped: set[str]) -> set[str]:
        """What only *dropped* needs: not asked for by name, and no other package needs it."""
        found = set(dropped)
        candidates = self.closure(dropped) - dropped - self.requested
        while True:
            more = {c for c in candidates - found if self.dependents(c) <= found}
            if not more:
                return found - dropped
            found |= more

    def paths(self, names: set[str]) -> Iterable[tuple[str, str]]:
        """The entries that belong to *names* alone, each with the first of its packages."""
        for path, owners in self._inventory.owners.items():
            packages = [self._name_of[id(owner)] for owner in owners]
            if packages and names.issuperset(packages):
                yield path, packages[0]


def drop_packages(
    inventory: Inventory,
    drop: Sequence[str],
    *,
    only: Sequence[str] = (),
    with_orphans: bool = False,
) -> Dropped:
    """What goes when the packages *drop* go, or when *only* some stay with what they need.

    A path that another package owns too stays. Errors: `UsageProblem` for unknown names.
    """
    graph = Graph(inventory)
    why: dict[str, str] = {}
    notes: list[str] = []
    if only:
        kept = graph.closure(graph.find(name, "--only-packages") for name in only)
        if "python" in graph.needs:
            kept |= graph.closure(["python"])
        for name in sorted(graph.needs.keys() - kept):
            why[name] = "--only-packages"
            notes.append(f"package {name} goes: none of {', '.join(only)} needs it")
    named = {graph.find(name, "--drop-package") for name in drop}
    for name in sorted(named):
        why[name] = f"--drop-package {name}"
        others = graph.dependents(name) - named - why.keys()
        needed = f", though {', '.join(sorted(others))} need it" if others else ""
        notes.append(f"package {name} goes: dropped by name{needed or ', nothing else needs it'}")
    if with_orphans:
        for name in sorted(graph.orphans(named)):
            why.setdefault(name, "--with-orphans")
            notes.append(f"package {name} goes: only what is dropped needs it")
    paths = {path: why[name] for path, name in graph.paths(set(why))}
    return Dropped(paths, tuple(notes))
