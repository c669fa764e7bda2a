"""What was made or changed since a run, in the way of its undo: found before anything is put back.

Bytecode is no obstacle: Python writes it whenever a module is imported.
"""

from __future__ import annotations

import contextlib
import os
import stat

from condaprune.errors import SinkError
from condaprune.files import open_regular
from condaprune.paths import ancestors, printable, to_bytes
from condaprune.sinks.inplace.filesystem import Filesystem, Folders
from condaprune.sinks.inplace.journal import Fingerprint, Journal, Rewrite

_SHOWN = 5
_PART = b"part"  # a copy that was interrupted
_ABOVE = "a folder that it lay in is something else now"
_MADE = "something else was made there since"
_CHANGED = "it was changed since"
_GONE = "the folder that it lay in is gone"
_FORMS = {"file": stat.S_IFREG, "link": stat.S_IFLNK, "folder": stat.S_IFDIR}


def check_aside(journal: Journal, names: list[bytes], filesystem: Filesystem, moved: int) -> None:
    """Refuse entries set aside that are not those of the journal. Errors: `ValueError`, OSError."""
    forms = {b"e%d" % number: stat.S_IFREG for number in range(len(journal.rewrites) + 1)}
    forms |= {b"%d" % n: _FORMS[removal.kind] for n, removal in enumerate(journal.removals)}
    for name in names:
        form = stat.S_IFMT(filesystem.lstat(name, moved).st_mode)
        if name != _PART and forms.get(name) != form:
            raise ValueError(f"{printable(os.fsdecode(name))!r} was not set aside by it")


def conflicts(
    journal: Journal, names: list[bytes], filesystem: Filesystem, folders: Folders
) -> dict[str, str]:
    """The entries that an undo would have to overwrite, or cannot put back: path -> why.

    *names* are those of the entries set aside. Errors: OSError.
    """
    aside = {*names}
    removals = journal.removals
    back = {r.path for number, r in enumerate(removals) if b"%d" % number in aside}
    found: dict[str, str] = {}
    for number, original in enumerate(removals):
        if b"%d" % number in aside:
            why = _in_the_way(original, back, filesystem, folders)
            if why:
                found[original.path] = why
    for number, rewrite in enumerate((*journal.rewrites, journal.status)):
        replaced = rewrite.replaces is not None
        if replaced and b"e%d" % number not in aside:
            continue  # not written yet, or put back before
        is_status = number == len(journal.rewrites)
        why = _rewritten(rewrite, filesystem, folders, any_content=is_status)
        if why:
            found[rewrite.path] = why
    return found


def refuse_conflicts(found: dict[str, str], label: str, remedy: str) -> None:
    """Errors: `SinkError` for any conflicts; nothing is put back then."""
    if not found:
        return
    path, why = min(found.items())
    names = ", ".join(map(printable, sorted(found)[1:_SHOWN]))
    more = f" (and {len(found) - 1:,} more: {names})" if len(found) > 1 else ""
    raise SinkError(
        f"cannot be put back as it was: {why}{more}; nothing was touched",
        where=f"{printable(label)}/{printable(path)}",
        remedy=remedy,
    )


def _in_the_way(
    original: Fingerprint, back: set[str], filesystem: Filesystem, folders: Folders
) -> str:
    folder, _, name = original.path.rpartition("/")
    try:
        info = filesystem.lstat(to_bytes(name), folders(folder))
    except FileNotFoundError:
        return _parent_gone(folder, back, folders)
    except OSError:
        return _ABOVE
    if original.kind == "folder":
        return "" if stat.S_ISDIR(info.st_mode) else _MADE
    if original.matches(info, resumed=True) or _is_bytecode(original.path, info):
        return ""
    return _MADE


def _parent_gone(folder: str, back: set[str], folders: Folders) -> str:
    """Why nothing can be put back into a folder; nothing where it is there, or comes back too."""
    missing = next((p for p in (*ancestors(folder), folder) if not _is_there(p, folders)), None)
    return "" if missing is None or missing in back else _GONE


def _is_there(folder: str, folders: Folders) -> bool:
    with contextlib.suppress(FileNotFoundError):
        folders(folder)
        return True
    return False


def _rewritten(
    rewrite: Rewrite, filesystem: Filesystem, folders: Folders, *, any_content: bool
) -> str:
    folder, _, name = rewrite.path.rpartition("/")
    try:
        where = folders(folder)
        info = filesystem.lstat(to_bytes(name), where)
    except FileNotFoundError:
        return "" if rewrite.replaces is None else _parent_gone(folder, set(), folders)
    except OSError:
        return _ABOVE
    if not stat.S_ISREG(info.st_mode):
        return _MADE
    if any_content or _is_bytecode(rewrite.path, info):
        return ""
    if info.st_size == rewrite.size and _is_written(rewrite, to_bytes(name), where):
        return ""
    same = rewrite.replaces is not None and rewrite.replaces.matches(info, resumed=True)
    return "" if same else _CHANGED


def _is_written(rewrite: Rewrite, name: bytes, folder: int) -> bool:
    """Whether a file of the right size has the new content; of a patch, its two ends."""
    patch = rewrite.patch
    head, tail = (rewrite.data, b"") if patch is None else (patch.head, patch.tail)
    handle = open_regular(name, folder=folder)
    try:
        end = max(0, rewrite.size - len(tail))
        return _read(handle, len(head), 0) == head and _read(handle, len(tail), end) == tail
    finally:
        os.close(handle)


def _read(handle: int, size: int, at: int) -> bytes:
    data = b""
    while len(data) < size and (more := os.pread(handle, size - len(data), at + len(data))):
        data += more
    return data


def _is_bytecode(path: str, info: os.stat_result) -> bool:
    return path.endswith(".pyc") and stat.S_ISREG(info.st_mode)
