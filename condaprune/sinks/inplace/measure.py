"""How many files and bytes a run leaves: by a walk, or by what the plan knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from condaprune.model import Entry, Plan, unique_bytes
from condaprune.sinks.inplace.format import Journal, Rewrite
from condaprune.sinks.inplace.status import STATUS


@dataclass(frozen=True, slots=True)
class Measured:
    """What is left of an environment after a run: files and links, and their bytes."""

    files: int
    bytes: int


def measure(entries: Iterable[Entry]) -> Measured:
    """Files and bytes of an environment, leaving out the status file that tells them."""
    counted = [e for e in entries if e.kind != "folder" and e.path != STATUS]
    return Measured(len(counted), unique_bytes(counted))


def foresee(plan: Plan, journal: Journal) -> Measured | None:
    """What `measure` will find when all of a plan's journal was carried out.

    None where the environment is not the one of the plan any more.
    """
    removed = {known.path for known in journal.removals}
    written = {rewrite.path: rewrite for rewrite in journal.rewrites}
    entries = plan.inventory.entries
    for edit in plan.edits:
        if edit.path in written:
            continue  # the others were found to have their new content already
        known = entries.get(edit.path)
        if known is None or known.size != edit.size(known.size):
            return None
    going = {path for path, decision in plan.decisions.items() if decision.remove}
    left: list[Entry] = []
    for path, entry in entries.items():
        if path in removed or path in written:
            continue
        if entry.kind != "folder" and path in going and path != STATUS:
            return None  # changed, or gone already
        left.append(entry)
    stays = measure(left)
    return Measured(stays.files + len(written), stays.bytes + sum(map(_size, written.values())))


def _size(rewrite: Rewrite) -> int:
    if rewrite.patch is None or rewrite.replaces is None:
        return len(rewrite.data)
    return rewrite.patch.size(rewrite.replaces.size)
