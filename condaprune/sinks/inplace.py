"""The prefix itself as sink: what the plan removes is unlinked where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from condaprune.errors import SinkError
from condaprune.model import (
    Edit,
    Outcome,
    Plan,
    Progress,
    parent,
    printable,
    to_bytes,
    unique_bytes,
)
from condaprune.sources.base import Source
from condaprune.sources.walk import walk

_TEMPORARY = b".condaprune-new"


class InPlaceSink:
    """Carries a plan out in the prefix it was made for.

    Lists are rewritten before the files they name go; a rewritten file is replaced, never
    written into, since the package cache may share it by a hard link. Folders are opened without
    following links, so that a folder swapped for a link leads nowhere.
    """

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Remove, rewrite, and measure what is left. Errors: `SinkError`."""
        prefix = to_bytes(plan.inventory.prefix)
        removed = plan.removed()
        folders = {parent(e.path) for e in removed} | {parent(e.path) for e in plan.edits}
        _check_writable(plan.inventory.label, prefix, folders)
        with _folder_handles(prefix) as folder:
            for edit in plan.edits:
                _write(folder, edit)
            for done, entry in enumerate(reversed(removed)):
                name = to_bytes(entry.path.rpartition("/")[2])
                try:
                    if entry.kind == "folder":
                        os.rmdir(name, dir_fd=folder(parent(entry.path)))
                    else:
                        os.unlink(name, dir_fd=folder(parent(entry.path)))
                except FileNotFoundError:
                    pass  # already gone: what was asked for
                except OSError as error:
                    raise SinkError(
                        f"cannot be removed: {error.strerror}",
                        where=f"{plan.inventory.label}/{printable(entry.path)}",
                        remedy="Run condaprune again once nothing else changes the environment",
                    ) from error
                if not done % 1000:
                    progress("remove", done, len(removed))
        progress("remove", len(removed), len(removed))
        return Outcome(
            files_removed=sum(e.kind != "folder" for e in removed),
            bytes_before=unique_bytes(plan.inventory.entries.values()),
            bytes_after=unique_bytes(walk(prefix).values()),
        )


def _check_writable(label: str, prefix: bytes, folders: set[str]) -> None:
    for path in sorted(folders):
        if not os.access(os.path.join(prefix, to_bytes(path)), os.W_OK | os.X_OK):
            raise SinkError(
                "this folder is read-only, nothing was touched",
                where=f"{label}/{printable(path)}".rstrip("/"),
                remedy="Run condaprune as a user who may write there, "
                "or write to an archive with -o",
            )


@contextmanager
def _folder_handles(prefix: bytes) -> Iterator[_Folders]:
    folders = _Folders(prefix)
    try:
        yield folders
    finally:
        folders.close()


class _Folders:
    """Handles of folders inside the prefix, opened step by step without following links."""

    _FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

    def __init__(self, prefix: bytes) -> None:
        self._root = os.open(prefix, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._path = ""
        self._handle = self._root

    def __call__(self, path: str) -> int:
        """The handle of a folder, valid until the next call."""
        if path != self._path:
            handle = self._root
            for name in path.split("/") if path else ():
                below = os.open(to_bytes(name), self._FLAGS, dir_fd=handle)
                if handle != self._root:
                    os.close(handle)
                handle = below
            if self._handle != self._root:
                os.close(self._handle)
            self._path, self._handle = path, handle
        return self._handle

    def close(self) -> None:
        if self._handle != self._root:
            os.close(self._handle)
        os.close(self._root)


def _write(folder: _Folders, edit: Edit) -> None:
    """Replace a file by one with new content: written beside it, synced, renamed over it."""
    where = folder(parent(edit.path))
    name = to_bytes(edit.path.rpartition("/")[2])
    temporary = name + _TEMPORARY
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o600, dir_fd=where)
    try:
        view = memoryview(edit.data)
        while view:
            view = view[os.write(handle, view) :]
        os.fchmod(handle, edit.mode)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(temporary, name, src_dir_fd=where, dst_dir_fd=where)
