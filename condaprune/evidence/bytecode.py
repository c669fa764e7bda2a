"""Imports of modules that are bytecode only, taken from the names that lie in the file.

Nothing is unmarshalled: the format differs between versions of Python. A name counts where its
bytes are found, so this sees too much rather than too little.
"""

from __future__ import annotations

from condaprune.evidence.modules import Module, Modules
from condaprune.evidence.pysource import Edge, PythonFacts


def read_bytecode(data: bytes, module: Module | None, modules: Modules) -> PythonFacts:
    """The doomed modules that lone bytecode names: in full, or relative to its own package."""
    names = set(modules.index.find(data))
    home = module.home if module is not None else ""
    while home:  # relative to a package that the module lies in, only the last word is there
        near = modules.children.get(home, ())
        names.update(name for name in near if name.rpartition(".")[2].encode() in data)
        home = home.rpartition(".")[0]
    edges = []
    for name in sorted(names):
        targets = tuple(path for path, _ in modules.needed_for(name))
        edges.append(Edge(0, f"imports {name}", targets))
    # What it imports by computed names cannot be told: treated like an extension module.
    computed = (module.home,) if module is not None and module.home in modules.children else ()
    return PythonFacts(tuple(edges), computed=computed)
