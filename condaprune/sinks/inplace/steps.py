"""The single steps of a run: remove one entry, put one back, write one file, set one time.

Each step may have been done before, in whole or in part, by a run that was killed: a step finds
out, and ends in the same state. An entry is touched only while it is as the journal says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from condaprune.errors import SinkError
from condaprune.model import Buffer
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.filesystem import (
    Folders,
    closing,
    copy_aside,
    delete,
    give,
    ignoring,
    remove_part,
    write_all,
)
from condaprune.sinks.inplace.journal import CHANGED, Fingerprint, Journal, Rewrite
from condaprune.sinks.inplace.state import State

_NEW = b"new"
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}
_NOT_THERE = {errno.ENOTDIR, errno.ELOOP}


@dataclass(slots=True)
class Tally:
    """The entries that a run could not remove, each with the reason.

    `kept` had changed and are left alone on purpose, `stuck` the system refused to remove. `copied`
    counts entries that had to be copied to be set aside, `unforeseen` those that were gone
    already, and folders with something unknown in them.
    """

    kept: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, OSError] = field(default_factory=dict)
    copied: int = 0
    unforeseen: int = 0

    @property
    def as_planned(self) -> bool:
        """Whether this run removed all that it had to."""
        return not (self.kept or self.stuck or self.unforeseen)


class Steps:
    """The steps of one journal. *resumed* is true where another process began the run."""

    def __init__(self, state: State, journal: Journal, *, resumed: bool) -> None:
        self._state = state
        self._system = state.filesystem
        self._journal = journal
        self._resumed = resumed
        self._folder = Folders(state.filesystem, state.root)
        self.tally = Tally()

    def release(self) -> None:
        """Close the handles of folders."""
        self._folder.release()

    def _locate(self, path: str) -> tuple[int, bytes]:
        """The handle of the folder that a path lies in, and its name there. Errors: `OSError`."""
        folder, _, name = path.rpartition("/")
        return self._folder(folder), to_bytes(name)

    # -- forward

    def remove(self, number: int) -> None:
        """Remove an entry: delete it, or set it aside under its number."""
        original = self._journal.removals[number]
        is_folder = original.kind == "folder"
        try:
            where, name = self._locate(original.path)
            info = self._system.lstat(name, where)
        except FileNotFoundError:
            self.tally.unforeseen += 1
            return  # gone already, as it should be
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            self.tally.kept[original.path] = CHANGED  # a folder above it became something else
            return
        if not original.matches(info, self._resumed):
            self.tally.kept[original.path] = CHANGED
            return
        if is_folder:
            self._folder.forget(original.path)
        try:
            if self._journal.mode == "move":
                self._set_aside(name, where, b"%d" % number, is_folder)
            else:
                delete(self._system, name, where, is_folder=is_folder)
        except OSError as error:
            gone = isinstance(error, FileNotFoundError)
            if gone or (is_folder and error.errno in _NOT_EMPTY):
                self.tally.unforeseen += 1  # what has something in it stays
            else:
                self.tally.stuck[original.path] = error

    def _set_aside(self, name: bytes, where: int, aside: bytes, is_folder: bool) -> None:
        system = self._system
        if is_folder:
            with closing(system, system.enter(name, where)) as handle:
                if system.names(handle):
                    raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        try:
            system.rename(name, where, aside, self._state.moved)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # An overlay's lower folder, or a mount: copied, then removed where it was.
            copy_aside(system, name, where, aside, self._state.moved)
            self.tally.copied += 1
            delete(system, name, where, is_folder=is_folder)

    def make_folders(self) -> None:
        """Make the folders that new files need."""
        for path in self._journal.made:
            where, name = self._locate(path)
            with contextlib.suppress(FileExistsError):
                self._system.mkdir(name, where, 0o755)
            with closing(self._system, self._system.enter(name, where)) as handle:
                give(self._system, handle, self._journal.owner)
                self._system.chmod(handle, 0o755)

    def write(self, number: int, rewrite: Rewrite) -> None:
        """Write a file in the state folder, sync it, then rename it over the one it replaces.

        The old file is never written into: the package cache may share it by a hard link.
        """
        system = self._system
        where, name = self._locate(rewrite.path)
        aside = b"e%d" % number
        if not self._make_room(aside, name, where, rewrite):
            return
        content: Iterable[Buffer] = (rewrite.data,)
        if rewrite.patch is not None:
            moved = self._journal.mode == "move"
            old = (aside, self._state.moved) if moved else (name, where)
            content = rewrite.patch.apply(system.pieces(*old))
        folder = self._state.folder
        with contextlib.suppress(FileNotFoundError):  # left by an earlier attempt
            system.unlink(_NEW, folder)
        with closing(system, system.create(_NEW, folder)) as handle:
            for data in content:
                write_all(system, handle, data)
            give(system, handle, rewrite.owner)
            system.chmod(handle, rewrite.mode)
            system.touch(handle, rewrite.mtime_ns, rewrite.mtime_ns)
            system.sync(handle)
        system.rename(_NEW, folder, name, where)

    def _make_room(self, aside: bytes, name: bytes, where: int, rewrite: Rewrite) -> bool:
        """Set the old file aside where the run can be undone. False where it has to stay."""
        system = self._system
        move = self._journal.mode == "move"
        if move:
            with contextlib.suppress(FileNotFoundError):
                system.lstat(aside, self._state.moved)
                return True  # by the run that was interrupted
        try:
            info = system.lstat(name, where)
        except FileNotFoundError:
            if rewrite.patch is not None:
                self.tally.kept[rewrite.path] = CHANGED
            return rewrite.patch is None
        original = rewrite.replaces
        if original is not None and original.matches(info, self._resumed):
            if move:
                system.rename(name, where, aside, self._state.moved)
            return True
        if stat.S_ISREG(info.st_mode) and (original is None and self._resumed):
            return True
        if not stat.S_ISREG(info.st_mode) or not rewrite.wrote(system.read(name, where)):
            self.tally.kept[rewrite.path] = CHANGED
        return False

    def set_times(self) -> None:
        """Give every folder that the run touched the modification time it had."""
        for path, mtime_ns in self._journal.times:
            # EPERM: the time of a folder that belongs to somebody else cannot be set.
            with ignoring(_NOT_THERE | {errno.ENOENT, errno.EPERM}):
                handle = self._folder(path)
                info = self._system.fstat(handle)
                if info.st_mtime_ns != mtime_ns:
                    self._system.touch(handle, info.st_atime_ns, mtime_ns)

    # -- back

    def put_back(self, numbers: Iterable[int]) -> None:
        """Put entries back that were set aside; a folder must come before its content."""
        present = {int(name) for name in self._system.names(self._state.moved) if name.isdigit()}
        for number in numbers:
            if number in present:
                self._put_back(self._journal.removals[number], b"%d" % number)

    def _put_back(self, original: Fingerprint, aside: bytes) -> None:
        system = self._system
        moved = self._state.moved
        try:
            where, name = self._locate(original.path)
            with contextlib.suppress(FileNotFoundError):
                info = system.lstat(name, where)
                if original.kind != "folder" and original.matches(info, self._resumed):
                    system.unlink(aside, moved)  # copied, and the original not yet removed
                    return
            system.rename(aside, moved, name, where)
        except OSError as error:
            if original.kind == "folder" and error.errno in _NOT_EMPTY:
                system.rmdir(aside, moved)  # made anew meanwhile, and in use
                return
            raise SinkError(
                f"cannot be put back: {error.strerror}",
                where=f"{self._state.label}/{printable(original.path)}",
                remedy="Move away whatever is in its place, then run `condaprune undo` again",
            ) from error

    def unwrite(self, number: int, rewrite: Rewrite) -> None:
        """Put back the file that a rewrite replaced, or remove the file that was new."""
        system = self._system
        aside = b"e%d" % number
        with contextlib.suppress(FileNotFoundError):  # not written yet, or put back before
            where, name = self._locate(rewrite.path)
            if rewrite.replaces is not None:
                system.rename(aside, self._state.moved, name, where)
            else:
                system.unlink(name, where)

    def clear_aside(self) -> None:
        """Remove the remains of an interrupted copy, once all entries are back."""
        remove_part(self._system, self._state.moved)

    def unmake_folders(self) -> None:
        """Remove the folders that were made for new files, where nothing else is in them."""
        for path in reversed(self._journal.made):
            self._folder.forget(path)
            with ignoring(_NOT_EMPTY | {errno.ENOENT}):
                where, name = self._locate(path)
                self._system.rmdir(name, where)

    # -- the end

    def drop(self) -> None:
        """Delete the entries set aside. A folder goes back where it is no longer empty."""
        system = self._system
        moved = self._state.moved
        remove_part(system, moved)
        for name in system.names(moved):
            original = self._journal.removals[int(name)] if name.isdigit() else None
            if original is None or original.kind != "folder":
                system.unlink(name, moved)
                continue
            try:
                system.rmdir(name, moved)
            except OSError as error:
                if error.errno not in _NOT_EMPTY:
                    raise
                self.put_back([int(name)])
                self.tally.kept[original.path] = "something was put into it meanwhile"
