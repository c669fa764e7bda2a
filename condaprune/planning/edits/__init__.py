"""The files that a plan rewrites or adds: a kind of edit is one file here, and one call."""

from __future__ import annotations

from collections.abc import Container

from condaprune.model import Edit, Inventory, Progress
from condaprune.planning.edits.lists import list_edits
from condaprune.planning.terms import Terms
from condaprune.sources.base import Contents


def make_edits(
    inventory: Inventory,
    contents: Contents,
    removed: Container[str],
    terms: Terms,
    progress: Progress,
) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """All edits of a plan that removes *removed*, and notes on them.

    Errors: `SourceError` for unreadable files.
    """
    changed: dict[str, tuple[str, int]] = {}
    edits: list[Edit] = []
    notes: tuple[str, ...] = ()
    if terms.strip:
        from condaprune.planning.edits.strip import strip

        progress("symbols", 0, 0)
        edits, changed = strip(inventory, contents, removed)
    edits += list_edits(inventory, contents, removed, changed=changed, slim=terms.slim_records)
    if terms.hash_bytecode:
        from condaprune.planning.edits.bytecode import hash_edits

        progress("bytecode", 0, 0)
        hashed, notes = hash_edits(inventory, contents, removed)
        edits += hashed
    return tuple(edits), notes
