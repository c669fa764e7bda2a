"""Turns an inventory into items: every byte counted once, by every measure that can be had."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from condaprune.errors import SourceError
from condaprune.model import Entry, Inventory, Owner, Record
from condaprune.paths import printable, to_bytes
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.model import Item


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured beside apparent bytes, by path; empty where it was not.

    `disk` holds bytes on disk (the root folder's under the empty path), `compressed` and
    `strippable` only the files for which there is something to say. `root` is the apparent size
    of the root folder.
    """

    disk: Mapping[str, int] = field(default_factory=dict)
    compressed: Mapping[str, int] = field(default_factory=dict)
    strippable: Mapping[str, int] = field(default_factory=dict)
    root: int = 0


@dataclass(frozen=True, slots=True)
class Overlay:
    """A plan laid over: by path the rule that wants an entry gone, and whether it would go."""

    rules: Mapping[str, str]
    removed: Collection[str]


NOTHING_OVER = Overlay({}, ())


def disk_sizes(prefix: str, inventory: Inventory) -> tuple[Mapping[str, int], int]:
    """Bytes on disk by path, and the apparent size of the root folder.

    A pass of its own over what was walked: the walk of a prune need not know it. Errors:
    `SourceError` where an entry went away meanwhile.
    """
    root = to_bytes(prefix)
    found: dict[str, int] = {}
    path = ""
    try:
        info = os.lstat(root)
        found[""] = info.st_blocks * 512
        base = root + b"/"
        for path in inventory.entries:
            found[path] = os.lstat(base + to_bytes(path)).st_blocks * 512
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror}",
            where=f"{prefix}/{printable(path)}",
            remedy="Let nothing change the environment while it is audited",
        ) from error
    return found, info.st_size


def make_items(
    inventory: Inventory,
    sizes: Sizes,
    overlay: Overlay = NOTHING_OVER,
    *,
    excluded: Collection[str] = (),
    untouched: Collection[str] = (),
    root: bool = False,
) -> tuple[Item, ...]:
    """The items of an environment in its order, without the *excluded* paths.

    *untouched* are the paths that no trace touched; *root* adds the root folder itself, under the
    empty path, as ``du`` counts it.
    """
    categories = Categories()
    labels: dict[int, tuple[str, str]] = {}
    links = _links_inside(inventory.entries.values())
    counted = _counted(inventory.entries.values(), overlay.removed)
    items: list[Item] = []
    if root:
        items.append(Item("", "folder", sizes.root, sizes.disk.get("", 0), "", "", "folders"))
    disk, compressed, strippable = sizes.disk, sizes.compressed, sizes.strippable
    rules, removed, owners = overlay.rules, overlay.removed, inventory.owners
    for path, entry in inventory.entries.items():
        if path in excluded:
            continue
        kind = entry.kind
        first, shared = True, False
        if entry.links > 1 and kind != "folder":
            identity = entry.identity
            shared = entry.links > links[identity]
            first = counted[identity] == path
        held = owners.get(path, ())
        package, distribution = _labels(held, labels) if held and kind != "folder" else ("", "")
        items.append(
            Item(
                path,
                kind,
                entry.size if first else 0,
                disk.get(path, 0) if first else 0,
                package,
                distribution,
                categories.of(path, kind),
                compressed.get(path, 0) if first else 0,
                strippable.get(path, 0) if first else 0,
                rules.get(path, ""),
                path in removed,
                shared,
                path in untouched,
            )
        )
    return tuple(items)


def _links_inside(entries: Collection[Entry]) -> dict[tuple[int, int], int]:
    """How many paths of the environment each hard-linked file has."""
    found: dict[tuple[int, int], int] = {}
    for entry in entries:
        if entry.links > 1 and entry.kind != "folder":
            found[entry.identity] = found.get(entry.identity, 0) + 1
    return found


def _counted(entries: Collection[Entry], removed: Collection[str]) -> dict[tuple[int, int], str]:
    """The path that a hard-linked file is counted with: the first that stays, else the first.

    So what a plan takes away counts only where the last path goes.
    """
    found: dict[tuple[int, int], str] = {}
    for entry in entries:
        if entry.links > 1 and entry.kind != "folder":
            held = found.setdefault(entry.identity, entry.path)
            if held in removed and entry.path not in removed:
                found[entry.identity] = entry.path
    return found


def _labels(owners: tuple[Owner, ...], known: dict[int, tuple[str, str]]) -> tuple[str, str]:
    """The package an entry counts for, and its Python distribution.

    The tuples of an inventory live as long as it does, so their ids tell them apart.
    """
    found = known.get(id(owners))
    if found is None:
        record = next((o for o in owners if isinstance(o, Record)), None)
        distribution = next((o for o in owners if not isinstance(o, Record)), None)
        package = record or distribution
        found = known[id(owners)] = (
            package.label if package else "",
            distribution.label if distribution else "",
        )
    return found
