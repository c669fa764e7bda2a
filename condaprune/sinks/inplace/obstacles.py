"""What would stop a run halfway, looked for before its first change."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable

from condaprune.errors import SinkError
from condaprune.model import Plan
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.filesystem import entry_stat
from condaprune.sinks.inplace.journal import Journal

_FORMS = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file"}
_BLOCK = 4096
_FILES = 4
"""The most files that a run has beside those of the prefix: its folders, its journal, a new file.
"""


def check_places(
    label: str, root: bytes, folders: Iterable[str], files: Iterable[str], replaced: Container[str]
) -> None:
    """Refuse a prefix in which *files* cannot be written, which lie in *folders*.

    Of those that the plan has not *replaced*, none may be anything but a file. Errors: `SinkError`.
    """
    device = os.stat(root).st_dev
    for path in sorted(folders, key=to_bytes):
        info = _lstat(root, path)
        if info is None:
            continue  # it is made
        if not stat.S_ISDIR(info.st_mode):
            raise _refusal(
                label, path, f"is {_form(info)} in the place of a folder that this run writes to",
                "Put a folder in its place, or write to an archive with -o",
            )  # fmt: skip
        if info.st_dev != device:
            raise _refusal(
                label, path, "is on another file system, and this run writes to it",
                "Unmount it, or write to an archive with -o",
            )  # fmt: skip
    for path in files:
        info = _lstat(root, path)
        if info is None:
            continue
        if path not in replaced and not stat.S_ISREG(info.st_mode):
            raise _refusal(
                label, path, f"is {_form(info)} in the place of a file that this run writes",
                "Move it away, or write to an archive with -o",
            )  # fmt: skip
        if entry_stat(root + b"/" + to_bytes(path)).locked:
            raise _refusal(
                label, path, "is to be rewritten, and is marked as immutable or append-only",
                "Remove the mark (chattr -i -a), or write to an archive with -o",
            )  # fmt: skip


def space_needed(plan: Plan, journal: Journal) -> int:
    """The bytes that the rewrites of a journal take up at the most, while old files are there."""
    entries = plan.inventory.entries
    used = most = 0
    for rewrite in journal.rewrites:
        size = _rounded(rewrite.size)
        most = max(most, used + size)
        old = entries.get(rewrite.path) if rewrite.replaces is not None else None
        goes = journal.mode == "unlink" and old is not None and old.links == 1
        used += size - (_rounded(old.size) if goes and old is not None else 0)
    return max(0, most) + _rounded(len(journal.status.data) + _BLOCK)


def check_space(handle: int, label: str, size: int) -> None:
    """Refuse a file system without room for *size* bytes. Errors: `SinkError`."""
    try:
        system = os.fstatvfs(handle)
    except OSError:
        return
    free = (system.f_bfree if os.geteuid() == 0 else system.f_bavail) * system.f_frsize
    # Some file systems do not say how much there is of either.
    if system.f_blocks and free < _rounded(size):
        what = f"this run takes up {size:,} bytes while it goes on, and {free:,} are free"
    elif system.f_files and system.f_ffree < _FILES:
        what = "the file system has no room for more files"
    else:
        return
    raise _refusal(label, "", what, "Free some space on this file system")


def _rounded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _lstat(root: bytes, path: str) -> os.stat_result | None:
    try:
        return os.lstat(os.path.join(root, to_bytes(path)))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _form(info: os.stat_result) -> str:
    return _FORMS.get(stat.S_IFMT(info.st_mode), "a FIFO, a socket or a device")


def _refusal(label: str, path: str, what: str, remedy: str) -> SinkError:
    where = f"{printable(label)}/{printable(path)}".rstrip("/")
    return SinkError(f"{what}, nothing was touched", where=where, remedy=remedy)
