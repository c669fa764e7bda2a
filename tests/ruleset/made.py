"""Rules and inventories made up for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from condaprune.model import Distribution, Entry, Inventory, Kind, Layout, Owner, Record
from condaprune.paths import parent, sort_key
from condaprune.rule import Rule

LAYOUT = Layout(
    "linux",
    "3.12.4",
    {
        "site": ("lib/a", "lib/b"),
        "stdlib": ("lib",),
        "bin": ("bin",),
        "include": (),
        "lib": ("lib",),
        "share": ("share",),
    },
)
PYTHON312 = Layout(
    "linux",
    "3.12.4",
    {
        "site": ("lib/python3.12/site-packages",),
        "stdlib": ("lib/python3.12",),
        "bin": ("bin",),
        "include": ("include",),
        "lib": ("lib",),
        "share": ("share",),
    },
)


def rule(name: str = "made", remove: Sequence[str] = ("*.a",), **fields: Any) -> Rule:
    """A rule with all that a rule must have."""
    given: dict[str, Any] = {
        "why": "No reason.",
        "breaks": ("Nothing",),
        "risk": "low",
        "category": "tests",
        "references": ("https://example.org",),
        "keep": (),
        "removed_examples": (),
        "kept_examples": (),
    }
    given |= {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
    return Rule(id=name, remove=tuple(remove), **given)


def record(name: str, version: str = "1.0") -> Record:
    """A conda package."""
    return Record(name, version, "0", f"conda-meta/{name}-{version}-0.json")


def distribution(name: str, version: str = "1.0") -> Distribution:
    """A Python distribution."""
    return Distribution(name, version, f"lib/site/{name}-{version}.dist-info")


def inventory_of(
    paths: Iterable[str],
    *,
    owners: Mapping[str, tuple[Owner, ...]] | None = None,
    layout: Layout = PYTHON312,
) -> Inventory:
    """An inventory of files; a trailing slash makes a folder, parents are folders anyway."""
    kinds: dict[str, Kind] = {}
    for path in paths:
        kinds.setdefault(path.rstrip("/"), "folder" if path.endswith("/") else "file")
        above = parent(path.rstrip("/"))
        while above:
            kinds[above] = "folder"
            above = parent(above)
    entries = {
        path: Entry(path, kinds[path], 1, 0o644, 0, 0, number, 1)
        for number, path in enumerate(sorted(kinds, key=sort_key))
    }
    return Inventory("made", "/made", entries, dict(owners or {}), (), (), layout)
