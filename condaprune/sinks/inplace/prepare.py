"""Turns a plan into the journal of a run: what is still as planned, in the order it goes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from condaprune.errors import SinkError
from condaprune.model import Edit, Entry, Plan, unique_bytes
from condaprune.paths import parent, printable, to_bytes
from condaprune.sinks.inplace.attributes import look
from condaprune.sinks.inplace.format import Facts, Journal, Known, Mode, Rewrite
from condaprune.sinks.inplace.status import STATUS
from condaprune.sinks.inplace.steps import matches
from condaprune.sources.owners import source_of_bytecode
from condaprune.version import __version__


def make_journal(
    plan: Plan, prefix: str, *, mode: Mode, verified: bool
) -> tuple[Journal | None, dict[str, str]]:
    """The journal for a plan, None where there is nothing to do, and what stays: path -> why.

    Everything is looked at before the first change. Errors: `SinkError` for what is immutable or
    read-only, and for a file to rewrite that is no longer the one of the plan.
    """
    root = to_bytes(prefix)
    label = plan.inventory.label
    rewrites = [edit for edit in plan.edits if _differs(root, edit)]
    pinned = {folder for edit in rewrites for folder in _above(edit.path)} | set(_above(STATUS))
    removals, kept, locked = _removals(plan, root, pinned)
    if not removals and not rewrites:
        return None, kept
    gone = {known.path: known.kind for known in removals}
    touched = {parent(path) for path in gone}
    touched |= {parent(edit.path) for edit in rewrites} | {parent(STATUS)}
    touched |= {path for path, kind in gone.items() if kind == "folder"}
    _check_writable(label, root, touched, locked)
    _check_unchanged(plan, root, rewrites)
    info = os.stat(root)
    stamp = _stamp()
    owner = (info.st_uid, info.st_gid)
    made = _missing(plan, [*(edit.path for edit in rewrites), STATUS])
    times = _times(plan, touched | {""}, info, root)
    times += [(path, stamp) for path in made]
    for path in made:  # what a folder is made in changes its time too
        above = parent(path)
        if above not in made and above not in dict(times):
            times += _times(plan, {above}, info, root)
    journal = Journal(
        mode=mode,
        verified=verified,
        removals=tuple(removals),
        rewrites=tuple(_rewrite(plan, root, edit, owner, stamp) for edit in rewrites),
        status=_status(plan, root, owner, stamp),
        made=tuple(made),
        times=tuple(sorted(times, key=lambda pair: to_bytes(pair[0]))),
        stamp_ns=stamp,
        owner=owner,
        facts=Facts(
            version=__version__,
            profile=plan.profile,
            rules=tuple(sorted({plan.decisions[path].name for path in gone})),
            files_before=sum(e.kind != "folder" for e in plan.inventory.entries.values()),
            bytes_before=unique_bytes(plan.inventory.entries.values()),
        ),
    )
    return journal, kept


def _removals(
    plan: Plan, root: bytes, pinned: set[str]
) -> tuple[list[Known], dict[str, str], list[str]]:
    """What goes, in order; what stays, with the reason; what the system does not let go of."""
    kept: dict[str, str] = {}
    found: list[Known] = []
    locked: list[str] = []
    for entry in plan.removed():
        if entry.path == STATUS or (entry.kind == "folder" and entry.path in pinned):
            continue
        known = Known.of(entry)
        try:
            info = look(root + b"/" + to_bytes(entry.path))
        except (FileNotFoundError, NotADirectoryError):
            continue  # vanished: what was asked for
        if not matches(info, known, resumed=False):
            kept[entry.path] = "changed since the plan was made"
            continue
        found.append(known)
        if info.locked:
            locked.append(entry.path)
    return _ordered(found), kept, locked


def _ordered(found: Iterable[Known]) -> list[Known]:
    """The order in which entries go, so that the prefix stays usable while they do.

    First what points at others: links and scripts; then the lists and metadata of packages; then
    files, a source right after its bytecode; folders last, the deepest first. *found* is in the
    order of an inventory, and so is what nothing else tells apart.
    """
    pointing: list[Known] = []
    lists: list[Known] = []
    files: list[Known] = []
    folders: list[Known] = []
    for known in found:
        path = known.path
        if known.kind == "folder":
            folders.append(known)
        elif known.kind == "link" or path.startswith("bin/"):
            pointing.append(known)
        elif path.startswith("conda-meta/") or ".dist-info/" in path or ".egg-info" in path:
            lists.append(known)
        else:
            files.append(known)
    files.sort(key=_beside_bytecode)
    folders.sort(key=lambda known: -known.path.count("/"))
    return [*pointing, *lists, *files, *folders]


def _beside_bytecode(known: Known) -> str:
    path = known.path
    if path.endswith(".pyc"):
        return source_of_bytecode(path) or path
    return path + "\0"


def _check_writable(label: str, root: bytes, folders: set[str], locked: Iterable[str]) -> None:
    """Refuse what would not let go: *folders* that are removed or changed in, what is *locked*."""
    refused = dict.fromkeys(locked, "marked as immutable or append-only")
    for path in folders:
        where = root + b"/" + to_bytes(path) if path else root
        if not os.access(where, os.W_OK | os.X_OK) and os.path.isdir(where):
            refused[path] = "read-only"
        elif path not in refused and _is_locked(where):
            refused[path] = "marked as immutable or append-only"
    if not refused:
        return
    path = min(refused)
    if refused[path] == "read-only":
        raise SinkError(
            "this folder is read-only, nothing was touched",
            where=_shown(label, path),
            remedy="Run condaprune as a user who may write there, or write to an archive with -o",
        )
    raise SinkError(
        "this is marked as immutable or append-only, nothing was touched",
        where=_shown(label, path),
        remedy="Take the mark off (chattr -i -a), or keep it with --keep",
    )


def _is_locked(path: bytes) -> bool:
    try:
        return look(path).locked
    except OSError:
        return False


def _shown(label: str, path: str) -> str:
    return f"{label}/{printable(path)}".rstrip("/")


def _check_unchanged(plan: Plan, root: bytes, edits: Iterable[Edit]) -> None:
    for edit in edits:
        path = os.path.join(root, to_bytes(edit.path))
        try:
            info = os.lstat(path)
        except OSError:
            same = not edit.replaces
        else:
            same = edit.replaces and matches(
                info, Known.of(plan.inventory.entries[edit.path]), resumed=False
            )
        if not same:
            raise SinkError(
                "this file was changed while the plan was made, nothing was touched",
                where=f"{plan.inventory.label}/{printable(edit.path)}",
                remedy="Run condaprune again once nothing else changes the environment",
            )


def _differs(root: bytes, edit: Edit) -> bool:
    """Whether a file is yet to be written; one that has the content already is left alone."""
    path = os.path.join(root, to_bytes(edit.path))
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return True
        with open(path, "rb") as stream:
            if edit.patch is not None:
                return stream.read(len(edit.patch.head)) != edit.patch.head
            return stream.read() != edit.data
    except OSError:
        return True


def _rewrite(plan: Plan, root: bytes, edit: Edit, owner: tuple[int, int], stamp: int) -> Rewrite:
    known: Entry | None = plan.inventory.entries.get(edit.path) if edit.replaces else None
    if known is None:
        return Rewrite(edit.path, edit.data, edit.mode, stamp, owner, None)
    info = os.lstat(os.path.join(root, to_bytes(edit.path)))
    held = (info.st_uid, info.st_gid)
    # The old time stays: nothing depends on a newer one, and the result is reproducible.
    what = Known.of(known)
    return Rewrite(edit.path, edit.data, edit.mode, known.mtime_ns, held, what, edit.patch)


def _status(plan: Plan, root: bytes, owner: tuple[int, int], stamp: int) -> Rewrite:
    entry = plan.inventory.entries.get(STATUS)
    if entry is None or entry.kind != "file":
        return Rewrite(STATUS, b"", 0o644, stamp, owner, None)
    with open(os.path.join(root, to_bytes(STATUS)), "rb") as stream:
        old = stream.read()
    return Rewrite(STATUS, old, 0o644, stamp, owner, Known.of(entry))


def _missing(plan: Plan, paths: Iterable[str]) -> list[str]:
    """The folders that new files need and the environment lacks, parents first."""
    entries = plan.inventory.entries
    found = {folder for path in paths for folder in _above(path) if folder not in entries}
    return sorted(found, key=to_bytes)


def _above(path: str) -> list[str]:
    """The folders that a path lies in, but for the prefix."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _times(
    plan: Plan, folders: Iterable[str], info: os.stat_result, root: bytes
) -> list[tuple[str, int]]:
    entries = plan.inventory.entries
    found: list[tuple[str, int]] = []
    for path in folders:
        if not path:
            found.append((path, info.st_mtime_ns))
        elif path in entries:
            found.append((path, entries[path].mtime_ns))
    return found


def _stamp() -> int:
    """The time of new files: SOURCE_DATE_EPOCH, else now."""
    import time

    try:
        return int(os.environ.get("SOURCE_DATE_EPOCH", "")) * 1_000_000_000
    except ValueError:
        return time.time_ns()
