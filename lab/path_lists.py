"""Path lists of real environments as inventories; they hold no contents.

A list is a table (path, kind, size, owner), gzipped or not. The full lists lie outside the
repository: in the folder that CONDAPRUNE_REAL_ENVS names, or in ../shared/real-envs.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator

from condaprune.model import Distribution, Entry, Inventory, Kind, Owner, Record
from condaprune.paths import parent, sort_key
from condaprune.sources.owners import find_layout

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(HERE)
EXCERPT = os.path.join(HERE, "excerpt.tsv.gz")


def full_lists() -> list[str]:
    """The files of the full lists, where they are at hand."""
    given = os.environ.get("CONDAPRUNE_REAL_ENVS")
    folder = given or os.path.join(os.path.dirname(CHECKOUT), "shared", "real-envs")
    if not os.path.isdir(folder):
        return []
    names = sorted(name for name in os.listdir(folder) if name.endswith((".tsv", ".tsv.gz")))
    return [os.path.join(folder, name) for name in names]


def name_of(file: str) -> str:
    """How a list is called."""
    return os.path.basename(file).partition(".tsv")[0]


def rows(file: str) -> Iterator[tuple[str, Kind, int, str]]:
    """The rows of a list."""
    opened = gzip.open if file.endswith(".gz") else open
    with opened(file, "rt", encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        next(stream)
        for line in stream:
            path, kind, size, owner = line.rstrip("\n").split("\t")
            yield path, "link" if kind == "l" else "file", int(size), owner


def read_list(file: str) -> Inventory:
    """A list as an inventory, with the folders that its paths lie in."""
    kinds: dict[str, tuple[Kind, int]] = {}
    owners: dict[str, tuple[Owner, ...]] = {}
    known: dict[str, Owner] = {}
    for path, kind, size, label in rows(file):
        kinds[path] = (kind, size)
        if label != "-":
            if label not in known:
                known[label] = _owner(label)
            owners[path] = (known[label],)
        above = parent(path)
        while above and above not in kinds:
            kinds[above] = ("folder", 0)
            above = parent(above)
    entries = {
        path: Entry(path, kinds[path][0], kinds[path][1], 0o644, 0, 1, number, 1)
        for number, path in enumerate(sorted(kinds, key=sort_key))
    }
    records = tuple(owner for owner in known.values() if isinstance(owner, Record))
    distributions = tuple(owner for owner in known.values() if isinstance(owner, Distribution))
    layout = find_layout(entries, records)
    return Inventory(name_of(file), "", entries, owners, records, distributions, layout)


def _owner(label: str) -> Owner:
    kind, _, rest = label.partition(":")
    if kind == "conda":
        name, _, version = rest.partition("==")
        return Record(name, version, "0", f"conda-meta/{name}-{version}-0.json")
    name, _, version = rest.rpartition("-")
    return Distribution(name.lower().replace("_", "-"), version, f"{rest}.dist-info")
