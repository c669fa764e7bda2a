"""What a trace says was never touched."""

from __future__ import annotations

from condaprune.model import Inventory


def untouched(inventory: Inventory, trace: str) -> set[str]:
    """The files and links of an environment that no run of a trace opened or executed.

    A source whose bytecode was touched counts as touched, and a bytecode whose source was; so
    does whatever a touched link leads to. Errors: `TraceError`.
    """
    from condaprune.evidence.tree import Tree
    from condaprune.sources.owners import source_of_bytecode
    from condaprune.traces.format import read_trace
    from condaprune.traces.trace import check_usable

    recorded = read_trace(trace)
    check_usable(recorded, accept_failed=True)
    tree = Tree(inventory, ())
    touched = {path for path, entry in recorded.entries.items() if entry.kinds - {"enoent", "list"}}
    for path in tuple(touched):
        trail = tree.follow(path)
        touched.update((*trail.links, trail.end))
    touched |= {source_of_bytecode(path) for path in touched if path.endswith(".pyc")}
    return {
        path
        for path, entry in inventory.entries.items()
        if entry.kind in ("file", "link")
        and path not in touched
        and not (path.endswith(".pyc") and source_of_bytecode(path) in touched)
    }
