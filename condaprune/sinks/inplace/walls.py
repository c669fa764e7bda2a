"""What a journal may say: no more than the journal of a plan of its environment could.

A journal is carried out after its process has died, by what lies in a folder of the environment.
So it is input: these walls hold for every journal that is read, our own included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from condaprune.edit import Patch
from condaprune.formats.unpack_list import UNPACK
from condaprune.paths import ancestors, from_bytes, parent, printable, to_bytes
from condaprune.planning.edits.sbom import SBOM
from condaprune.sinks.inplace.journal import STATUS, Fingerprint, Journal, Phase, Rewrite, is_time
from condaprune.sources.prefix import STATE_FOLDER
from condaprune.sources.records import HISTORY

_MOST = 1 << 63
_KINDS = ("file", "link", "folder")
_BYTECODE_HEADER = 16
_ELF, _ELF_HEADERS = b"\x7fELF", (52, 64)
_LISTS = (".dist-info/RECORD", ".egg-info/RECORD")


def check(journal: Journal, phase: Phase) -> None:
    """Refuse a journal that no plan could have made. Errors: `ValueError` says what it says."""
    if journal.mode == "unlink" and (phase is not Phase.APPLY or journal.verified):
        raise ValueError("a run that deletes for good is to be undone")
    _check_paths(journal)
    _check_removals(journal.removals)
    for rewrite in journal.rewrites:
        _check_place(rewrite)
    if journal.status.path != STATUS or journal.status.patch is not None:
        raise ValueError("the status file lies elsewhere")
    _check_numbers(journal)


def tamed(journal: Journal, owner: tuple[int, int]) -> Journal:
    """The journal with modes that give nobody anything: no setuid, setgid and sticky bits, and
    new files of everybody's and *owner*'s, the owner of the prefix."""

    def plain(rewrite: Rewrite) -> Rewrite:
        mode = 0o644 if rewrite.replaces is None else rewrite.mode & 0o777
        return replace(rewrite, mode=mode, owner=owner)

    return replace(
        journal,
        owner=owner,
        status=plain(journal.status),
        rewrites=tuple(plain(rewrite) for rewrite in journal.rewrites),
    )


def _check_paths(journal: Journal) -> None:
    """Relative, normal, each once, none through another that is no folder, none in the state
    folder; folders to make and times to set only where something is written or goes."""
    written = [rewrite.path for rewrite in (*journal.rewrites, journal.status)]
    going = [removal.path for removal in journal.removals]
    paths = [*going, *written]
    for path in (*paths, *journal.made, *(path for path, _ in journal.times if path)):
        _check_path(path)
    if len({*paths}) != len(paths) or len({*journal.made}) != len(journal.made):
        raise ValueError("it has a path twice")
    folders = {removal.path for removal in journal.removals if removal.kind == "folder"}
    above = {folder for path in paths for folder in ancestors(path)}
    if through := above & ({*paths} - folders):
        raise ValueError(f"{printable(min(through))} is a file, and a folder")
    pinned = {folder for path in written for folder in ancestors(path)}
    if not {*journal.made} <= pinned or pinned & folders:
        raise ValueError("it makes or removes folders that no written file is for")
    if [*journal.made] != sorted(journal.made, key=to_bytes):
        raise ValueError("its folders are in disorder")
    timed = [path for path, _ in journal.times]
    touched = {"", *folders, *map(parent, paths), *journal.made, *map(parent, journal.made)}
    if len({*timed}) != len(timed) or not {*timed} <= touched:
        raise ValueError("it sets times of folders that it does not touch")


def _check_path(path: str) -> None:
    parts = path.split("/")
    odd = "\0" in path or from_bytes(to_bytes(path)) != path  # half of a surrogate pair
    if odd or not {"", ".", ".."}.isdisjoint(parts) or parts[0] == STATE_FOLDER:
        raise ValueError(f"{printable(path[:200])!r} is not the path of an entry")


def _check_removals(removals: Iterable[Fingerprint]) -> None:
    """Kinds that a plan removes; folders after all else, the deepest first."""
    depth = None
    for removal in removals:
        if removal.kind not in _KINDS:
            raise ValueError(f"{printable(removal.path)} is neither a file, a link nor a folder")
        levels = removal.path.count("/")
        if removal.kind == "folder":
            if depth is not None and levels > depth:
                raise ValueError("its folders are in disorder")
            depth = levels
        elif depth is not None:
            raise ValueError("its entries are in disorder")


def _check_place(rewrite: Rewrite) -> None:
    """Only what an edit of a plan writes, and only there."""
    path, patch = rewrite.path, rewrite.patch
    old = rewrite.replaces
    if old is None:
        allowed = patch is None and (path == SBOM or (path == HISTORY and not rewrite.data))
    elif old.path != path or (old.kind != "file" and path != HISTORY):
        allowed = False
    elif patch is not None:
        allowed = not rewrite.data and (_hashes(path, patch, old) or _cuts(patch, old))
    else:
        allowed = (
            path in (UNPACK, SBOM)
            or path.endswith(_LISTS)
            or (path == HISTORY and not rewrite.data)
            or (parent(path) == "conda-meta" and path.endswith(".json"))
        )
    if not allowed:
        raise ValueError(f"{printable(path)} is written, which no plan does in this way")


def _hashes(path: str, patch: Patch, old: Fingerprint) -> bool:
    """Whether a patch only replaces the head of bytecode."""
    whole = patch.end is None and not patch.tail and old.size >= _BYTECODE_HEADER
    return path.endswith(".pyc") and whole and len(patch.head) == _BYTECODE_HEADER


def _cuts(patch: Patch, old: Fingerprint) -> bool:
    """Whether a patch only takes the end off an ELF file."""
    end = patch.end
    return (
        patch.head.startswith(_ELF)
        and len(patch.head) in _ELF_HEADERS
        and end is not None
        and len(patch.head) <= end
        and end + len(patch.tail) < old.size
    )


def _check_numbers(journal: Journal) -> None:
    rewrites = (*journal.rewrites, journal.status)
    known = [*journal.removals, *(r.replaces for r in rewrites if r.replaces is not None)]
    facts = journal.facts
    sizes = [entry.size for entry in known] + [entry.inode for entry in known]
    sizes += [facts.files_before, facts.files_after, facts.bytes_before, facts.bytes_after]
    times = [entry.mtime_ns for entry in known] + [time for _, time in journal.times]
    times += [journal.stamp_ns, *(rewrite.mtime_ns for rewrite in rewrites)]
    # Numbers of inodes are unsigned, and some file systems use all of their bits.
    if not all(0 <= size < 2 * _MOST for size in sizes):
        raise ValueError("it has a size that no file has")
    if not all(map(is_time, times)):
        raise ValueError("it has a time that no file has")
