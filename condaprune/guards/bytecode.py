"""Imports of modules that are bytecode only, taken from the names that lie in the file.

Nothing is unmarshalled: the format differs between versions of Python. A name counts where its
bytes are found, so this sees too much rather than too little.
"""

from __future__ import annotations

from collections import defaultdict

from condaprune.guards.modules import Module, Modules
from condaprune.guards.pysource import Edge, PythonFacts


def read_bytecode(data: bytes, module: Module | None, modules: Modules) -> PythonFacts:
    """The doomed modules that lone bytecode names: in full, or relative to its own package."""
    homes = [""]
    if module is not None:
        home = module.home
        while home:
            homes.append(home)
            home = home.rpartition(".")[0]
    edges = []
    for name in _named(data, modules):
        word = name.rpartition(".")[2]
        if name.encode() in data or any(f"{home}.{word}" == name for home in homes if home):
            targets = tuple(path for path, _ in modules.needed_for(name))
            edges.append(Edge(0, f"imports {name}", targets))
    # What it imports by computed names cannot be told: treated like an extension module.
    computed = (module.home,) if module is not None and module.home in modules.children else ()
    return PythonFacts(tuple(edges), computed=computed)


def _named(data: bytes, modules: Modules) -> list[str]:
    """The doomed modules whose last word is in the file."""
    by_word: dict[str, list[str]] = defaultdict(list)
    for name in modules.doomed:
        by_word[name.rpartition(".")[2]].append(name)
    return [name for word, names in by_word.items() if word.encode() in data for name in names]
