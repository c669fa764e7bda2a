"""The account of a plan: every byte counted once, and all numbers of all reports come from it.

Bytes are apparent bytes of files and links; folders count none. A hard-linked file counts for the
first of its paths that stays, or else for the first: it is freed only when every path in the
environment goes or is written anew. So the rows add up to the difference between before and after,
to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from condaprune.edit import Edit
from condaprune.model import Decision, Entry, Inventory, Outcome, Plan

STRIPPED = "--strip"
"""The row for symbols and debug data: the files stay, without them."""
REWRITTEN = "rewritten"
UNPLANNED = "not done as planned"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the account: `files` and links, and their apparent `bytes`."""

    name: str
    files: int
    bytes: int


class Count:
    """What each entry of an environment counts before, and after a plan if there is one."""

    def __init__(self, inventory: Inventory, plan: Plan | None = None) -> None:
        self._entries = inventory.entries
        self._plan = plan
        self.edits: Mapping[str, Edit] = {} if plan is None else {e.path: e for e in plan.edits}
        self.groups = _groups(inventory.entries.values())
        """The files with more than one path in the environment, by identity."""
        self._first = {
            identity: next((e.path for e in group if not self._leaves(e)), group[0].path)
            for identity, group in self.groups.items()
        }
        self.repeated_bytes = sum(e.size for g in self.groups.values() for e in g[1:])
        """What the further paths of hard-linked files would count if each path did."""

    def before(self, entry: Entry) -> int:
        """The bytes an entry counts as it is."""
        if entry.kind == "folder":
            return 0
        if entry.links < 2 or self._first.get(entry.identity, entry.path) == entry.path:
            return entry.size
        return 0

    def freed(self, entry: Entry) -> int:
        """The bytes that the plan frees at an entry; negative where it writes more."""
        if not self._leaves(entry):
            return 0
        edit = self.edits.get(entry.path)
        return self.before(entry) - (edit.size(entry.size) if edit is not None else 0)

    def after(self, entry: Entry) -> int:
        """The bytes an entry counts once the plan is carried out."""
        return self.before(entry) - self.freed(entry)

    def added(self) -> list[Edit]:
        """The edits that make a file which was not there before."""
        return [edit for edit in self.edits.values() if edit.path not in self._entries]

    def is_shared(self, entry: Entry) -> bool:
        """Whether hard links outside the environment (a package cache) hold a file too."""
        if entry.links < 2 or entry.kind == "folder":
            return False
        return entry.links > len(self.groups.get(entry.identity, (entry,)))

    def _leaves(self, entry: Entry) -> bool:
        """Whether this path no longer leads to the file that it leads to now."""
        gone = self._plan is not None and self._plan.removes(entry.path)
        return gone or entry.path in self.edits


@dataclass(frozen=True, slots=True)
class Account:
    """Files and bytes before and after, and where the difference lies.

    `rules` are the rows that free bytes, largest first, `STRIPPED` among them; `rewritten` is what
    other edited files lost (positive) or gained (negative); `kept` the rows of what stays against
    a rule, by what kept it; `shared_bytes` the part of the freed bytes that hard links outside the
    environment (the package cache) still hold. `count` says the same of single entries.
    """

    files_before: int
    bytes_before: int
    files_after: int
    bytes_after: int
    rules: tuple[Row, ...]
    rewritten: Row
    kept: tuple[Row, ...]
    shared_bytes: int
    count: Count

    @property
    def saved_bytes(self) -> int:
        """Bytes before less bytes after."""
        return self.bytes_before - self.bytes_after

    @property
    def saved_files(self) -> int:
        """Files before less files after."""
        return self.files_before - self.files_after


def make_account(plan: Plan, outcome: Outcome | None = None) -> Account:
    """The account of a plan, or with *outcome* of what was measured when it was carried out.

    What a run in place could not do as planned has a row of its own, so that the rows always add
    up to the measured difference.
    """
    count = Count(plan.inventory, plan)
    entries = [e for e in plan.inventory.entries.values() if e.kind != "folder"]
    before = sum([e.size for e in entries]) - count.repeated_bytes
    removed = _Removed(plan, count)
    stripped, rewritten = _edited(plan, count)
    rules = [*removed.rows(), *([stripped] if stripped.files else [])]
    after = before - sum(row.bytes for row in rules) - rewritten.bytes
    own_files = own_bytes = 0
    if outcome is not None:
        own_files, own_bytes = outcome.own_files, outcome.own_bytes
        after += own_bytes
        if not outcome.output and outcome.bytes_after != after:
            rules.append(Row(UNPLANNED, 0, after - outcome.bytes_after))
            after = outcome.bytes_after
    written = rewritten.files + (1 if own_bytes else 0)
    return Account(
        files_before=len(entries),
        bytes_before=before,
        files_after=len(entries) - removed.files + len(count.added()) + own_files,
        bytes_after=after,
        rules=_in_order(rules),
        rewritten=Row(REWRITTEN, written, rewritten.bytes - own_bytes),
        kept=_kept(plan, count),
        shared_bytes=removed.shared,
        count=count,
    )


class _Removed:
    """What goes, by the rule or option that takes it."""

    def __init__(self, plan: Plan, count: Count) -> None:
        self.files = self.shared = 0
        self._rows: dict[str, tuple[int, int]] = {}
        entries = plan.inventory.entries
        # There are few decisions, each for many entries, and most files have one path.
        plain: dict[int, list[int]] = {}
        linked: list[tuple[Entry, Decision]] = []
        decisions: dict[int, Decision] = {}
        for path, decision in plan.decisions.items():
            entry = entries[path]
            if not decision.remove or entry.kind == "folder":
                continue
            if entry.links > 1:
                if entry.identity in count.groups:
                    linked.append((entry, decision))
                    continue
                self.shared += entry.size
            sizes = plain.get(id(decision))
            if sizes is None:
                sizes = plain[id(decision)] = []
                decisions[id(decision)] = decision
            sizes.append(entry.size)
        for key, sizes in plain.items():
            self._add(decisions[key].name, len(sizes), sum(sizes))
        for entry, decision in linked:
            freed = count.freed(entry)
            self._add(decision.name, 1, freed)
            self.shared += freed if count.is_shared(entry) else 0

    def _add(self, name: str, files: int, size: int) -> None:
        before = self._rows.get(name, (0, 0))
        self._rows[name] = (before[0] + files, before[1] + size)
        self.files += files

    def rows(self) -> list[Row]:
        return [Row(name, files, size) for name, (files, size) in self._rows.items()]


def _edited(plan: Plan, count: Count) -> tuple[Row, Row]:
    """The rows of stripped and of otherwise written files."""
    entries = plan.inventory.entries
    rows = {STRIPPED: (0, 0), REWRITTEN: (0, 0)}
    for edit in plan.edits:
        entry = entries.get(edit.path)
        freed = count.freed(entry) if entry is not None else -edit.size(0)
        files, size = rows[edit_row(edit)]
        rows[edit_row(edit)] = (files + 1, size + freed)
    return Row(STRIPPED, *rows[STRIPPED]), Row(REWRITTEN, *rows[REWRITTEN])


def edit_row(edit: Edit) -> str:
    """The row that an edit counts for: `STRIPPED` or `REWRITTEN`."""
    return STRIPPED if edit.patch is not None and edit.patch.end is not None else REWRITTEN


def _kept(plan: Plan, count: Count) -> tuple[Row, ...]:
    entries = plan.inventory.entries
    rows: dict[str, list[int]] = {}
    for path, decision in plan.decisions.items():
        if decision.wanted and not decision.remove and entries[path].kind != "folder":
            row = rows.setdefault(_keeper(decision), [0, 0])
            row[0] += 1
            row[1] += count.before(entries[path])
    return _in_order(Row(name, files, size) for name, (files, size) in rows.items())


def _keeper(decision: Decision) -> str:
    if decision.basis == "keep":
        return f"--keep {decision.name}"
    return f"{decision.basis} {decision.name}".strip()


def _groups(entries: Iterable[Entry]) -> dict[tuple[int, int], list[Entry]]:
    """The files that have more than one path in the environment, with all of them."""
    seen: dict[tuple[int, int], Entry] = {}
    groups: dict[tuple[int, int], list[Entry]] = {}
    for entry in [e for e in entries if e.links > 1 and e.kind == "file"]:
        first = seen.setdefault(entry.identity, entry)
        if first is not entry:
            groups.setdefault(entry.identity, [first]).append(entry)
    return groups


def _in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.bytes, -row.files, row.name)))
