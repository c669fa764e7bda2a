"""The package graph: who needs whom, what was asked for, and what may go together.

A package is a conda record with the distributions that came in it, or a distribution that pip
installed. Who needs whom is read from ``depends`` of records and ``Requires-Dist`` of
distributions; what was asked for from the records and the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from condaprune.errors import UsageProblem, nearest
from condaprune.model import Distribution, Inventory, Owner, Record
from condaprune.names import canonical_name, required_name, spec_name


@dataclass(frozen=True, slots=True)
class Graph:
    """The packages of an environment by label (``conda:NAME``, ``pypi:NAME``), in a stable order.

    `needs` maps a package to those it needs, `needed_by` to those that need it. A distribution
    that a conda package brought is that package; `aliases` maps its label there. `requested` are
    the packages that were asked for by name.
    """

    needs: Mapping[str, tuple[str, ...]]
    needed_by: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    requested: frozenset[str]

    def label(self, owner: Owner) -> str:
        """The package that an owner of files belongs to."""
        return self.aliases.get(owner.label, owner.label)

    def find(self, name: str, where: str) -> str:
        """The label of the package that a user means by *name*: a label or a bare name.

        Errors: `UsageProblem` with the nearest name; *where* names the option or environment.
        """
        return self.find_all(name, where)[0]

    def find_all(self, name: str, where: str) -> list[str]:
        """The labels of all packages of a name: conda's first, then the one that pip installed."""
        bare = name.rpartition(":")[2]
        spellings = (name, f"conda:{name}", f"conda:{name.lower()}", f"pypi:{canonical_name(bare)}")
        labels = [self.aliases.get(label, label) for label in spellings]
        existing = [label for label in dict.fromkeys(labels) if label in self.needs]
        if not existing:
            names = {_bare(label) for label in (*self.needs, *self.aliases)}
            raise UsageProblem(
                f"the environment has no package {name!r}",
                where=where,
                remedy=nearest(bare, sorted(names)),
            )
        return existing[:1] if name in self.needs or name in self.aliases else existing

    def reach(self, start: Iterable[str], without: Iterable[str] = ()) -> set[str]:
        """All packages that *start* need, themselves included, but by no way through *without*."""
        reached, barred = set[str](), set(without)
        pending = list(start)
        while pending:
            label = pending.pop()
            if label not in reached and label not in barred:
                reached.add(label)
                pending += self.needs[label]
        return reached

    def orphans(self, dropped: Iterable[str]) -> set[str]:
        """The packages that only *dropped* need, directly or not, and that nobody asked for."""
        dropped = set(dropped)
        needed = self.reach(dropped) - dropped
        others = (self.needs.keys() - needed - dropped) | (self.requested - dropped)
        return needed - self.reach(others, without=dropped)

    def roots(self) -> tuple[str, ...]:
        """The packages that are there for their own sake: asked for, or needed by nobody.

        Of a circle of packages that nobody else needs, the first is a root.
        """
        requested = [label for label in self.needs if label in self.requested]
        unneeded = [label for label in self.needs if not self.needed_by[label]]
        roots = dict.fromkeys(requested)
        reached = self.reach(roots)
        for label in (*unneeded, *self.needs):
            if label not in reached:
                roots[label] = None
                self._reach_more(reached, label)
        return tuple(roots)

    def _reach_more(self, reached: set[str], label: str) -> None:
        """Add to *reached* what a package needs, itself included."""
        pending = [label]
        while pending:
            label = pending.pop()
            if label not in reached:
                reached.add(label)
                pending += self.needs[label]


def make_graph(inventory: Inventory) -> Graph:
    """The graph of an environment."""
    needs: dict[str, dict[str, None]] = {record.label: {} for record in inventory.records}
    aliases: dict[str, str] = {}
    for distribution in inventory.distributions:
        home = next(
            (
                owner.label
                for name in ("/METADATA", "/PKG-INFO", "")
                for owner in inventory.owners_of(distribution.path + name)
                if isinstance(owner, Record)
            ),
            "",
        )
        if home:
            aliases[distribution.label] = home
        else:
            needs[distribution.label] = {}
    for owner in inventory.packages:
        label = aliases.get(owner.label, owner.label)
        for name in _needed_labels(owner):
            other = aliases.get(name, name)
            if other in needs and other != label:
                needs[label][other] = None
    needed_by: dict[str, list[str]] = {label: [] for label in needs}
    for label, others in needs.items():
        for other in others:
            needed_by[other].append(label)
    return Graph(
        {label: tuple(others) for label, others in needs.items()},
        {label: tuple(others) for label, others in needed_by.items()},
        aliases,
        frozenset(record.label for record in inventory.records if record.requested),
    )


def _needed_labels(owner: Owner) -> Iterator[str]:
    if isinstance(owner, Distribution):
        return (f"pypi:{required_name(text)}" for text in owner.requires)
    return (f"conda:{spec_name(spec)}" for spec in owner.depends)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What goes with packages: `paths` maps each path to the option that removes it, `notes` say
    of each package why it can go, or who needs it nevertheless."""

    paths: Mapping[str, str]
    notes: tuple[str, ...]


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
    graph = make_graph(inventory)
    options: dict[str, str] = {}
    notes: list[str] = []
    if only:
        kept = [label for name in only for label in graph.find_all(name, "--only-packages")]
        kept += [label for label in ("conda:python",) if label in graph.needs]
        for label in sorted(graph.needs.keys() - graph.reach(kept)):
            options[label] = "--only-packages"
            notes.append(f"package {_bare(label)} goes: none of {', '.join(only)} needs it")
    named = {label: name for name in drop for label in graph.find_all(name, "--drop-package")}
    going = options.keys() | named
    for label, name in sorted(named.items()):
        options[label] = f"--drop-package {name}"
        users = [user for user in graph.needed_by[label] if user not in going]
        users = sorted(map(_bare, users))
        verb = "need" if len(users) > 1 else "needs"
        needed = f"though {', '.join(users)} {verb} it" if users else "nothing else needs it"
        notes.append(f"package {_bare(label)} goes: dropped by name, {needed}")
    orphans = sorted(graph.orphans(named)) if with_orphans else []
    if orphans and not graph.requested:
        notes.append(
            "neither the records nor the history say which packages were asked for by name: "
            "check that you do not use one of the orphans yourself"
        )
    for label in orphans:
        options.setdefault(label, "--with-orphans")
        notes.append(f"package {_bare(label)} goes: only what is dropped needs it")
    return Dropped(dict(_paths(inventory, graph, options)), tuple(notes))


def _bare(label: str) -> str:
    return label.partition(":")[2]


def _paths(
    inventory: Inventory, graph: Graph, options: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The paths that belong to the packages in *options* alone, each with its option."""
    # By identity: hashing a record with all its files is slow.
    labels = {id(owner): graph.label(owner) for owner in inventory.packages}
    for path, owners in inventory.owners.items():
        packages = [labels[id(owner)] for owner in owners]
        if packages and all(label in options for label in packages):
            yield path, options[packages[0]]
