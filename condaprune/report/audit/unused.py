"""What a trace says was never touched."""

from __future__ import annotations

from condaprune.model import Inventory
from condaprune.paths import parent


def untouched(inventory: Inventory, trace: str) -> set[str]:
    """The files and links of an environment that no run of a trace opened or executed.

    A source whose bytecode was touched counts as touched, and a bytecode whose source was; so
    does what a touched link leads to. Errors: `TraceError`.
    """
    from condaprune.sources.owners import source_of_bytecode
    from condaprune.traces.format import read_trace
    from condaprune.traces.trace import check_usable

    read = read_trace(trace)
    check_usable(read, accept_failed=True)
    touched = {path for path, entry in read.entries.items() if entry.kinds - {"enoent", "list"}}
    entries = inventory.entries
    for path in tuple(touched):
        entry = entries.get(path)
        hops = 0
        while entry is not None and entry.kind == "link" and hops < 40:
            target = _inside(parent(entry.path), entry.target)
            touched.add(target)
            entry, hops = entries.get(target), hops + 1
    sources = {source_of_bytecode(path) for path in touched if path.endswith(".pyc")} | touched
    return {
        path
        for path, entry in entries.items()
        if entry.kind in ("file", "link")
        and path not in sources
        and not (path.endswith(".pyc") and source_of_bytecode(path) in sources)
    }


def _inside(folder: str, target: str) -> str:
    """The path that a link's target names, relative to the prefix; empty where it leaves it."""
    import posixpath

    if target.startswith("/"):
        return ""
    joined = posixpath.normpath(f"{folder}/{target}" if folder else target)
    return "" if joined.startswith("..") else joined
