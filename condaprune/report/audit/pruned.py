"""An environment's items as a plan would leave them: without what goes, with what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from condaprune.model import Edit, Plan
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.model import Item

_BLOCK = 4096


def as_pruned(items: Iterable[Item], plan: Plan) -> tuple[Item, ...]:
    """The items that stay, and the files that the prune writes or shortens.

    `disk` of a written file is whole blocks of 4 KiB, `compressed` is 0 for a new one; folders
    keep the size that they have, as they do in place.
    """
    written = {edit.path: edit for edit in plan.edits}
    found = [_rewritten(item, written) for item in items if not item.removed]
    known = {item.path for item in found}
    categories = Categories()
    for path, edit in written.items():
        if path not in known:
            size = edit.size(0)
            category = categories.of(path, "file")
            found.append(Item(path, "file", size, _blocks(size), "", "", category))
    return tuple(sorted(found, key=lambda item: item.path))


def _rewritten(item: Item, written: Mapping[str, Edit]) -> Item:
    edit = written.get(item.path)
    if edit is None:
        return item
    size = edit.size(item.bytes)
    return replace(item, bytes=size, disk=_blocks(size) if item.disk else 0)


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
