"""The cache of extracted packages in a base install: nothing is loaded from it.

What lies in ``pkgs/NAME-VERSION-BUILD/`` has the paths and contents of an environment, and is none:
conda links from it and runs nothing in it. Guards that go by likelihood would keep much of it, and
its thousands of modules of the same names would cost time. So where all of such a folder goes, and
no link that stays leads into it, guards do not look at it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from condaprune.evidence.tree import Tree
from condaprune.model import Inventory

_CACHE = "pkgs"
_PACKAGE = re.compile(r"(pkgs/[^/]+)/info/index\.json")
_FOLDER = re.compile(r"pkgs/[^/]+")


def leave_out_cache(
    inventory: Inventory, candidates: Mapping[str, str]
) -> tuple[Inventory, Mapping[str, str]]:
    """The inventory and the candidates without the packages of conda's cache that go whole."""
    entries = inventory.entries
    if _CACHE not in entries:
        return inventory, candidates
    within = {path: entry for path, entry in entries.items() if path.startswith(_CACHE + "/")}
    found = {match[1] for match in map(_PACKAGE.fullmatch, within) if match}
    found -= {
        _folder(path)
        for path, entry in within.items()
        if entry.kind != "folder" and path not in candidates
    }
    if not found:
        return inventory, candidates
    tree = Tree(inventory, ())
    for path, entry in entries.items():
        if entry.kind == "link" and path not in candidates:
            trail = tree.follow(path)
            found.difference_update(map(_folder, (*trail.links, trail.end)))
    out = {path for path in within if _folder(path) in found}
    return (
        replace(inventory, entries={p: e for p, e in entries.items() if p not in out}),
        {path: rule for path, rule in candidates.items() if path not in out},
    )


def _folder(path: str) -> str:
    """The package's folder in the cache that a path lies in; empty for others."""
    match = _FOLDER.match(path)
    return match[0] if match else ""
