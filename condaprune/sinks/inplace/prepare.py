"""Turns a plan into the journal of a run: the entries that are still as planned, in order."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator

from condaprune.edit import Edit
from condaprune.errors import SinkError, UsageProblem
from condaprune.files import open_regular
from condaprune.model import Entry, Plan, unique_bytes
from condaprune.paths import ancestors, parent, printable, to_bytes
from condaprune.proc import mount_points_below
from condaprune.sinks.inplace.filesystem import entry_stat
from condaprune.sinks.inplace.journal import (
    CHANGED,
    STATUS,
    Fingerprint,
    Journal,
    Mode,
    Pruning,
    Rewrite,
)
from condaprune.sinks.inplace.obstacles import check_places
from condaprune.sinks.inplace.status import Measured, measure, read_status_file
from condaprune.sources.owners import source_of_bytecode
from condaprune.version import __version__

_SECOND = 1_000_000_000
_LONGEST = 4000  # digits that Python makes a number of
_LAST_SECOND = ((1 << 63) - 1) // _SECOND
_READ_ONLY = (
    "this folder is read-only",
    "Run condaprune as a user who may write there, or write to an archive with -o",
)
_IMMUTABLE = (
    "this is marked as immutable or append-only",
    "Remove the mark (chattr -i -a), or keep it with --keep",
)


def make_journal(
    plan: Plan, *, mode: Mode, verified: bool
) -> tuple[Journal | None, dict[str, str]]:
    """The journal for a plan, None where there is nothing to do, and the entries that stay
    although the plan removes them: path -> why.

    Everything is looked at before the first change. Errors: `SinkError` for entries that are
    immutable or read-only, and for a file to rewrite that is no longer the one of the plan.
    """
    root = to_bytes(plan.inventory.prefix)
    label = plan.inventory.label
    entries = plan.inventory.entries
    stamp = _stamp()
    edits = [edit for edit in plan.edits if _differs(root, edit)]
    written = [*(edit.path for edit in edits), STATUS]
    pinned = {folder for path in written for folder in ancestors(path)}
    removals, kept, locked = _removals(plan, root, pinned)
    if not removals and not edits:
        return None, kept
    touched = {parent(path) for path in (*written, *(removal.path for removal in removals))}
    touched |= {removal.path for removal in removals if removal.kind == "folder"}
    touched |= {parent(path) for path in pinned - entries.keys()}
    replaced = {edit.path for edit in edits if edit.replaces or _is_file(entries.get(edit.path))}
    check_places(label, root, pinned, written, replaced)
    _check_writable(label, root, touched, locked)
    _check_mounts(plan, (*written, *(removal.path for removal in removals)))
    rewrites = tuple(_rewrites(plan, root, edits, stamp))
    info = os.stat(root)
    owner = (info.st_uid, info.st_gid)
    made = sorted(pinned - entries.keys(), key=to_bytes)
    times = {path: entries[path].mtime_ns for path in touched if path in entries}
    times |= {"": info.st_mtime_ns, **dict.fromkeys(made, stamp)}
    journal = Journal(
        mode=mode,
        verified=verified,
        removals=tuple(removals),
        rewrites=rewrites,
        status=_status(plan, root, owner, stamp),
        made=tuple(made),
        times=tuple(sorted(times.items(), key=lambda pair: to_bytes(pair[0]))),
        stamp_ns=stamp,
        owner=owner,
        facts=Pruning(
            version=__version__,
            profile=plan.profile,
            rules=tuple(sorted({plan.decisions[removal.path].name for removal in removals})),
            files_before=sum(entry.kind != "folder" for entry in entries.values()),
            bytes_before=unique_bytes(entries.values()),
        ),
    )
    return journal, kept


def _removals(
    plan: Plan, root: bytes, pinned: set[str]
) -> tuple[list[Fingerprint], dict[str, str], list[str]]:
    """The entries that go, in order; those that stay, with the reason; those that are locked."""
    kept: dict[str, str] = {}
    removals: list[Fingerprint] = []
    locked: list[str] = []
    for entry in plan.removed():
        if entry.path == STATUS or (entry.kind == "folder" and entry.path in pinned):
            continue
        original = Fingerprint.of(entry)
        try:
            info = entry_stat(root + b"/" + to_bytes(entry.path))
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone already, as it should be
        if not original.matches(info):
            kept[entry.path] = CHANGED
            continue
        removals.append(original)
        if info.locked:
            locked.append(entry.path)
    return sorted(removals, key=_turn), kept, locked


def _turn(removal: Fingerprint) -> tuple[int, int, str]:
    """When an entry goes, so that the prefix stays usable meanwhile.

    First entries that point at others: links and scripts; then the lists and metadata of packages;
    then files, a source right after its bytecode; folders last, the deepest first. Otherwise they
    stay in the order of the inventory.
    """
    path = removal.path
    if removal.kind == "folder":
        return 3, -path.count("/"), ""
    if removal.kind == "link" or path.startswith("bin/"):
        return 0, 0, ""
    if path.startswith("conda-meta/") or ".dist-info/" in path or ".egg-info" in path:
        return 1, 0, ""
    source = source_of_bytecode(path) if path.endswith(".pyc") else ""
    return 2, 0, source or path + "\0"


def _check_writable(label: str, root: bytes, folders: set[str], locked: Iterable[str]) -> None:
    """Refuse folders that may not be written in, and entries that are *locked*. Errors:
    `SinkError`."""
    problems = dict.fromkeys(locked, _IMMUTABLE)
    for path in folders:
        where = os.path.join(root, to_bytes(path))
        if not os.access(where, os.W_OK | os.X_OK) and os.path.isdir(where):
            problems[path] = _READ_ONLY
            continue
        with contextlib.suppress(OSError):
            if entry_stat(where).locked:
                problems.setdefault(path, _IMMUTABLE)
    if problems:
        path = min(problems)
        what, remedy = problems[path]
        where_shown = f"{label}/{printable(path)}".rstrip("/")
        raise SinkError(f"{what}, nothing was touched", where=where_shown, remedy=remedy)


def _is_file(entry: Entry | None) -> bool:
    return entry is not None and entry.kind == "file"


def _check_mounts(plan: Plan, paths: Iterable[str]) -> None:
    """Refuse to change what lies on a mount that was made since the plan. Errors: `SinkError`."""
    points = mount_points_below(plan.inventory.prefix)
    for path in paths if points else ():
        point = next((p for p in (*ancestors(path), path) if p in points), None)
        if point is not None:
            raise SinkError(
                "something was mounted here while the plan was made, nothing was touched",
                where=f"{plan.inventory.label}/{printable(point)}",
                remedy="Unmount it, or run condaprune again to leave it alone",
            )


def _rewrites(plan: Plan, root: bytes, edits: Iterable[Edit], stamp: int) -> Iterator[Rewrite]:
    """The rewrites for *edits*. Errors: `SinkError` for a file that is not the one of the plan."""
    for edit in edits:
        entry = plan.inventory.entries.get(edit.path)
        original = Fingerprint.of(entry) if entry else None
        try:
            info = os.lstat(os.path.join(root, to_bytes(edit.path)))
        except OSError:
            same, info = entry is None, os.stat(root)
        else:
            same = original is not None and original.matches(info)
        if not same:
            raise SinkError(
                "this file was changed while the plan was made, nothing was touched",
                where=f"{plan.inventory.label}/{printable(edit.path)}",
                remedy="Run condaprune again once nothing else changes the environment",
            )
        # The old time stays: nothing depends on a newer one, and the result is reproducible.
        mtime_ns = entry.mtime_ns if entry else stamp
        owner = (info.st_uid, info.st_gid)
        yield Rewrite(
            edit.path, edit.data, edit.mode, mtime_ns, owner, original, edit.patch, edit.source
        )


def _differs(root: bytes, edit: Edit) -> bool:
    """Whether a file is still to be written; one that has the content already is left alone."""
    path = os.path.join(root, to_bytes(edit.path))
    try:
        with open(open_regular(path), "rb") as stream:
            if edit.patch is not None:
                return stream.read(len(edit.patch.head)) != edit.patch.head
            return stream.read(len(edit.data) + 1) != edit.data
    except OSError:
        return True


def _status(plan: Plan, root: bytes, owner: tuple[int, int], stamp: int) -> Rewrite:
    entry = plan.inventory.entries.get(STATUS)
    if entry is None or entry.kind != "file":
        return Rewrite(STATUS, b"", 0o644, stamp, owner, None)
    old = read_status_file(plan.inventory.prefix, plan.inventory.label)
    return Rewrite(STATUS, old, 0o644, stamp, owner, Fingerprint.of(entry))


def _stamp() -> int:
    """The time of new files: SOURCE_DATE_EPOCH, else now. Errors: `UsageProblem`."""
    if not os.environ.get("SOURCE_DATE_EPOCH"):
        return time.time_ns()
    from condaprune.sinks.outputs.members import source_date_epoch

    long = len(os.environ["SOURCE_DATE_EPOCH"]) > _LONGEST
    if long or (source_date_epoch() or 0) > _LAST_SECOND:
        raise UsageProblem(
            "this is later than the time of any file can be",
            where="SOURCE_DATE_EPOCH",
            remedy="Set it to seconds since 1970, or unset it",
        )
    return (source_date_epoch() or 0) * _SECOND


def foresee(plan: Plan, journal: Journal) -> Measured | None:
    """What `measure` will find when all of a plan's journal was carried out.

    None where the environment is no longer the one of the plan.
    """
    removed = {original.path for original in journal.removals}
    written = {rewrite.path: rewrite for rewrite in journal.rewrites}
    entries = plan.inventory.entries
    for edit in plan.edits:
        if edit.path in written:
            continue  # the others were found to have their new content already
        entry = entries.get(edit.path)
        if entry is None or entry.size != edit.size(entry.size):
            return None
    left: list[Entry] = []
    for path, entry in entries.items():
        if path in removed or path in written:
            continue
        if entry.kind != "folder" and path != STATUS and plan.removes(path):
            return None  # changed, or gone already
        left.append(entry)
    stays = measure(left)
    sizes = sum(rewrite.size for rewrite in written.values())
    return Measured(stays.files + len(written), stays.bytes + sizes)
