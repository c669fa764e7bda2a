"""Turns an inventory into items: every byte counted once, by every measure that can be had."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from condaprune.errors import SourceError
from condaprune.model import Inventory, Owner, Plan, Record
from condaprune.paths import to_bytes
from condaprune.planning.account import Count, edit_row
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.model import Item, Measure

_BLOCK = 4096

Sizes = Mapping[Measure, Mapping[str, int]]
"""The measures that were taken besides apparent bytes, each by path.

`disk` has the root folder's under the empty path, the others only the files that have any.
"""


def disk_sizes(prefix: str, inventory: Inventory) -> Mapping[str, int]:
    """Bytes on disk by path, the root folder's under the empty one.

    A pass of its own over the entries, since a prune need not know them. Errors: `SourceError`
    where an entry went away meanwhile.
    """
    root = to_bytes(prefix) + b"/"
    blocks: dict[str, int] = {}
    path = ""
    try:
        for path in ("", *inventory.entries):
            blocks[path] = os.lstat(root + to_bytes(path)).st_blocks * 512
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror}",
            where=f"{prefix}/{path}",
            remedy="Let nothing change the environment while it is audited",
        ) from error
    return blocks


def make_items(
    inventory: Inventory,
    sizes: Sizes,
    plan: Plan | None = None,
    *,
    excluded: Collection[str] = (),
    untouched: Collection[str] = (),
) -> tuple[Item, ...]:
    """The items of an environment in its order, without the *excluded* paths.

    With a *plan* each says what that frees, and files that it adds come last. *untouched* are the
    paths that no trace touched. With sizes on disk the root folder is an item, under the empty
    path.
    """
    count = Count(inventory, plan)
    categories = Categories()
    labels: dict[int, tuple[str, str]] = {}
    disk, compressed = sizes.get("disk", {}), sizes.get("compressed", {})
    strippable = sizes.get("strippable", {})
    items = [Item("", "folder", 0, "folders", disk=disk[""])] if disk else []
    for path, entry in inventory.entries.items():
        if path in excluded:
            continue
        kind = entry.kind
        size = count.before(entry)
        first = bool(size) or not entry.size or kind == "folder"
        owners = inventory.owners.get(path, ())
        package, distribution = _labels(owners, labels) if owners and kind != "folder" else ("", "")
        items.append(
            Item(
                path,
                kind,
                size,
                categories.of(path, kind),
                package,
                distribution,
                disk.get(path, 0) if first else 0,
                compressed.get(path, 0) if first else 0,
                strippable.get(path, 0) if first else 0,
                _rule(path, plan, count),
                plan is not None and plan.removes(path),
                count.is_shared(entry),
                path in untouched,
                count.freed(entry),
            )
        )
    for edit in count.added():
        if edit.path not in excluded:
            made = Item(edit.path, "file", 0, categories.of(edit.path, "file"), added=True)
            items.append(replace(made, rule=edit_row(edit), freed=-edit.size(0)))
    return tuple(items)


def as_pruned(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items as a plan that was laid over them leaves them.

    `disk` of a written file is whole blocks of 4 KiB, `compressed` is 0 for a new one; folders
    keep the size that they have, as they do in place.
    """
    left = []
    for item in items:
        if item.removed:
            continue
        size = item.bytes - item.freed
        written = bool(item.freed) or item.added
        disk = -(-size // _BLOCK) * _BLOCK if written and (item.disk or item.added) else item.disk
        left.append(replace(item, bytes=size, disk=disk, rule="", freed=0, added=False))
    return tuple(sorted(left, key=lambda item: item.path))


def _rule(path: str, plan: Plan | None, count: Count) -> str:
    if plan is None:
        return ""
    edit = count.edits.get(path)
    if edit is not None:
        return edit_row(edit)
    decision = plan.decision(path)
    return (decision.wanted or decision.name) if decision.name else ""


def _labels(owners: tuple[Owner, ...], cache: dict[int, tuple[str, str]]) -> tuple[str, str]:
    """The package an entry counts for, and its Python distribution.

    The tuples of an inventory live as long as it does, so their ids tell them apart.
    """
    labels = cache.get(id(owners))
    if labels is None:
        record = next((o.label for o in owners if isinstance(o, Record)), "")
        distribution = next((o.label for o in owners if not isinstance(o, Record)), "")
        labels = cache[id(owners)] = (record or distribution, distribution)
    return labels
