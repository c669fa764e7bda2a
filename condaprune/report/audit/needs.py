"""What goes with a package: its exclusive size, who needs it by which chain, can it go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from condaprune.errors import UsageProblem, nearest
from condaprune.model import Inventory
from condaprune.report.audit.graph import Graph, make_graph, reachable
from condaprune.report.audit.model import Audit, Row
from condaprune.sources.base import Contents


@dataclass(frozen=True, slots=True)
class Why:
    """Why a package is there.

    `direct` are the packages that need it, `chains` the shortest way to it from roots that need
    it (root first, at most one for each root, shortest first), `roots` how many roots need it.
    `goes_along` are the packages that only it needs, `exclusive` their bytes and its own. `asked`
    says that the user asked conda for it. `unused` is None where no trace was given.
    """

    label: str
    version: str
    own: Row
    direct: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]
    roots: int
    goes_along: tuple[str, ...]
    exclusive: int
    asked: bool
    needs: tuple[str, ...]
    unused: bool | None = None

    @property
    def can_go(self) -> bool:
        """Whether nothing else in the environment says that it needs the package."""
        return not self.direct


def explain_package(
    audit: Audit, inventory: Inventory, contents: Contents, name: str, limit: int = 5
) -> Why:
    """Why a package is there. Errors: `UsageProblem` for a package that is not."""
    graph = make_graph(inventory, contents)
    label = graph.find(name)
    if not label:
        known = [text.partition(":")[2] for text in (*graph.needs, *graph.aliases)]
        raise UsageProblem(
            f"the environment has no package {name!r}",
            where=audit.label,
            remedy=nearest(name.partition(":")[2] or name, sorted(set(known))),
        )
    bytes_of = {row.name: row.bytes for row in audit.view("package")}
    roots = graph.roots()
    gone = exclusive_set(graph, roots, label)
    chains = _chains(graph, roots, label)
    return Why(
        label=label,
        version=audit.packages.get(label, ""),
        own=audit.row("package", label) or Row(label, 0, 0),
        direct=tuple(sorted(graph.needed[label])),
        chains=chains[:limit],
        roots=len(chains),
        goes_along=tuple(sorted(gone - {label}, key=lambda n: (-bytes_of.get(n, 0), n))),
        exclusive=sum(bytes_of.get(other, 0) for other in gone),
        asked=label in graph.requested,
        needs=graph.needs[label],
        unused=None if audit.unused is None else label in audit.unused_packages,
    )


def exclusive_set(graph: Graph, roots: tuple[str, ...], label: str) -> set[str]:
    """A package and all that is in the environment only for it.

    What can be reached from the roots only through the package would go with it.
    """
    return set(graph.needs) - reachable(graph.needs, roots, without=label)


def with_exclusive(audit: Audit, inventory: Inventory, contents: Contents) -> Audit:
    """The audit with the exclusive size of each package in its view by package."""
    graph = make_graph(inventory, contents)
    roots = graph.roots()
    bytes_of = {row.name: row.bytes for row in audit.view("package")}
    sizes: Mapping[str, int] = {
        label: sum(bytes_of.get(other, 0) for other in exclusive_set(graph, roots, label))
        for label in graph.needs
    }
    rows = tuple(
        replace(row, exclusive=sizes[row.name]) if row.name in sizes else row
        for row in audit.view("package")
    )
    return replace(audit, views={**audit.views, "package": rows})


def _chains(graph: Graph, roots: tuple[str, ...], label: str) -> tuple[tuple[str, ...], ...]:
    """The shortest chain from each root that needs the package, shortest first."""
    onward: dict[str, str] = {label: ""}
    order = [label]
    for name in order:
        for user in sorted(graph.needed[name]):
            if user not in onward:
                onward[user] = name
                order.append(user)
    found = []
    for root in roots:
        if root in onward and root != label:
            chain = [root]
            while onward[chain[-1]]:
                chain.append(onward[chain[-1]])
            found.append(tuple(chain))
    return tuple(sorted(found, key=lambda chain: (len(chain), chain)))
