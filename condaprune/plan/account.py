"""What a plan frees, by rule and by guard; every byte counted once.

A hard-linked file is counted with the first of its paths; it is freed only when all its paths in
the environment go, and counts for the rule that took the first. So the rows add up to the
difference between before and after, to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from condaprune.model import Decision, Entry, Outcome, Plan

STRIPPED = "--strip"
"""The row of what symbols and debug data took: its files stay, without them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the account: `files` and links, and their apparent `bytes`."""

    name: str
    files: int
    bytes: int
    because: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Files and bytes before and after, and where the difference lies.

    `rules` are the rows that free bytes, largest first, `STRIPPED` among them; `rewritten` what
    other edited files lost (positive) or gained (negative); `kept` the rows of what stays against
    a rule, by what kept it; `shared_bytes` the part of the freed bytes that other hard links
    outside of the environment (the package cache) still hold.
    """

    files_before: int
    bytes_before: int
    files_after: int
    bytes_after: int
    rules: tuple[Row, ...]
    rewritten: Row
    kept: tuple[Row, ...]
    shared_bytes: int

    @property
    def saved_bytes(self) -> int:
        """Bytes before less bytes after."""
        return self.bytes_before - self.bytes_after


def make_account(plan: Plan, outcome: Outcome | None = None) -> Account:
    """The account of a plan, or with *outcome* of what was measured when it was carried out.

    What a run in place could not do as planned has a row of its own, so that the rows always add
    up to the measured difference.
    """
    everything = plan.inventory.entries
    entries = [e for e in everything.values() if e.kind != "folder"]
    groups = _groups(entries)
    before = sum([e.size for e in entries])
    before -= sum(e.size for group in groups.values() for e in group[1:])
    files: dict[str, int] = {}
    freed: dict[str, int] = {}
    kept: dict[str, list[int]] = {}
    shared = 0
    # There are few decisions, each for many entries.
    tallies: dict[int, tuple[Decision, list[int], list[Entry]]] = {}
    for path, decision in plan.decisions.items():
        entry = everything[path]
        if entry.kind == "folder":
            continue
        tally = tallies.get(id(decision))
        if tally is None:
            tally = tallies[id(decision)] = (decision, [], [])
        if entry.links > 1 and decision.remove:
            tally[2].append(entry)
        else:
            tally[1].append(entry.size)
    for decision, sizes, linked in tallies.values():
        name = decision.name
        if not decision.remove:
            if decision.wanted:
                row = kept.setdefault(_keeper(decision.basis, name), [0, 0])
                row[0] += len(sizes)
                row[1] += sum(sizes)
            continue
        files[name] = files.get(name, 0) + len(sizes) + len(linked)
        goes = sum(sizes)
        for entry in linked:
            group = groups.get((entry.device, entry.inode))
            if group is None or (
                group[0].path == entry.path and all(plan.removes(e.path) for e in group)
            ):
                goes += entry.size
                if entry.links > len(group or (entry,)):
                    shared += entry.size
        freed[name] = freed.get(name, 0) + goes
    files_after = len(entries) - sum(files.values())
    after = before - sum(freed.values())
    rewritten = stripped = cut = 0
    for edit in plan.edits:
        old = everything.get(edit.path) if edit.replaces else None
        # A file that has another path here is not freed by replacing one of them.
        freed_by_edit = old.size if old and len(groups.get(old.identity, (old,))) == 1 else 0
        less = freed_by_edit - edit.size(old.size if old else 0)
        if edit.patch is not None and edit.patch.end is not None:
            stripped, cut = stripped + 1, cut + less
        else:
            rewritten += less
        files_after += 0 if edit.replaces else 1
    own = outcome.own_bytes if outcome is not None else 0
    rows = [(name, files[name], freed.get(name, 0)) for name in files]
    rules = list(_rows([*rows, (STRIPPED, stripped, cut)] if stripped else rows))
    planned = after - rewritten - cut + own
    if outcome is not None and not outcome.output and outcome.bytes_after != planned:
        rules.append(Row("not done as planned", 0, planned - outcome.bytes_after))
        planned = outcome.bytes_after
    written = len(plan.edits) - stripped + (1 if own else 0)
    return Account(
        files_before=len(entries),
        bytes_before=before,
        files_after=files_after + (outcome.own_files if outcome is not None else 0),
        bytes_after=planned,
        rules=tuple(rules),
        rewritten=Row("rewritten", written, rewritten - own),
        kept=_rows((name, count, size) for name, (count, size) in kept.items()),
        shared_bytes=shared,
    )


def _groups(entries: Iterable[Entry]) -> dict[tuple[int, int], list[Entry]]:
    """The files that have more than one path in the environment, with all of them."""
    seen: dict[tuple[int, int], Entry] = {}
    groups: dict[tuple[int, int], list[Entry]] = {}
    for entry in [e for e in entries if e.links > 1 and e.kind == "file"]:
        identity = (entry.device, entry.inode)
        first = seen.setdefault(identity, entry)
        if first is not entry:
            groups.setdefault(identity, [first]).append(entry)
    return groups


def _keeper(basis: str, name: str) -> str:
    if basis == "keep":
        return f"--keep {name}"
    return f"{basis} {name}".strip()


def _rows(rows: Iterable[tuple[str, int, int]]) -> tuple[Row, ...]:
    made = [Row(name, count, size) for name, count, size in rows]
    return tuple(sorted(made, key=lambda row: (-row.bytes, -row.files, row.name)))
