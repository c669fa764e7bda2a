"""What goes with a package: its exclusive size, who needs it by which chain, can it go."""

from __future__ import annotations

from dataclasses import dataclass, replace

from condaprune.model import Inventory
from condaprune.report.audit.model import Audit, Row
from condaprune.sources.packages import Graph, make_graph

_MOST_CHAINS = 5


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


def explain_package(audit: Audit, inventory: Inventory, name: str) -> Why:
    """Why a package is there. Errors: `UsageProblem` for a package that is not."""
    graph = make_graph(inventory)
    label = graph.find(name, audit.label)
    bytes_of = {row.name: row.bytes for row in audit.view("package")}
    orphans = graph.orphans((label,))
    chains = _chains(graph, label)
    return Why(
        label=label,
        version=audit.packages.get(label, ""),
        own=audit.row("package", label) or Row(label, 0, 0),
        direct=tuple(sorted(graph.needed_by[label])),
        chains=chains[:_MOST_CHAINS],
        roots=len(chains),
        goes_along=tuple(sorted(orphans, key=lambda n: (-bytes_of.get(n, 0), n))),
        exclusive=sum(bytes_of.get(other, 0) for other in (label, *orphans)),
        asked=label in graph.requested,
        needs=graph.needs[label],
        unused=None if audit.unused is None else label in audit.unused_packages,
    )


def with_exclusive(audit: Audit, inventory: Inventory) -> Audit:
    """The audit with the exclusive size of each package in its view by package."""
    graph = make_graph(inventory)
    bytes_of = {row.name: row.bytes for row in audit.view("package")}
    rows = []
    for row in audit.view("package"):
        if row.name in graph.needs:
            gone = (row.name, *graph.orphans((row.name,)))
            row = replace(row, exclusive=sum(bytes_of.get(label, 0) for label in gone))
        rows.append(row)
    return replace(audit, views={**audit.views, "package": tuple(rows)})


def _chains(graph: Graph, label: str) -> tuple[tuple[str, ...], ...]:
    """The shortest chain from each root that needs the package, shortest first."""
    onward: dict[str, str] = {label: ""}
    order = [label]
    for name in order:
        for user in sorted(graph.needed_by[name]):
            if user not in onward:
                onward[user] = name
                order.append(user)
    found = []
    for root in graph.roots():
        if root in onward and root != label:
            chain = [root]
            while onward[chain[-1]]:
                chain.append(onward[chain[-1]])
            found.append(tuple(chain))
    return tuple(sorted(found, key=lambda chain: (len(chain), chain)))
