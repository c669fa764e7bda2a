"""The single steps of a run: remove one entry, put one back, write one file, set one time.

Each step may have been done before, in whole or in part, by a run that was killed: a step finds
out, and ends in the same state. An entry is touched only while it is as the journal says.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from condaprune.errors import SinkError
from condaprune.files import NotRegularError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.copies import (
    Matches,
    content,
    copy_aside,
    has_rights,
    remove_part,
    take_over,
)
from condaprune.sinks.inplace.filesystem import (
    Folders,
    closing,
    delete,
    give,
    ignoring,
    write_all,
)
from condaprune.sinks.inplace.journal import CHANGED, Fingerprint, Journal, Rewrite
from condaprune.sinks.inplace.state import NEW_FOLDER, State
from condaprune.sinks.planned import Changed, planned

_NEW = b"new"
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}
_NOT_THERE = {errno.ENOTDIR, errno.ELOOP}
_HAS_RIGHTS = "has rights of its own, which no run that was interrupted gives to a new content"
_NOT_A_FILE = {errno.ELOOP, errno.ENXIO, errno.ENODEV}
"""What opening something else says that came in the place of a file just now."""


@dataclass(slots=True)
class Tally:
    """The entries that a run could not remove, each with the reason.

    `kept` had changed and are left alone on purpose, `stuck` the system refused to remove. `copied`
    counts entries that had to be copied to be set aside, `unforeseen` those that were gone
    already, and folders with something unknown in them. `bare` are files that were written without
    an extended attribute which they had, each with the name of one.
    """

    kept: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, OSError] = field(default_factory=dict)
    copied: int = 0
    unforeseen: int = 0
    bare: dict[str, str] = field(default_factory=dict)

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
                self._set_aside(name, where, b"%d" % number, original)
            else:
                delete(self._system, name, where, is_folder=is_folder)
        except Changed:
            self.tally.kept[original.path] = CHANGED
        except OSError as error:
            gone = isinstance(error, FileNotFoundError)
            if gone or (is_folder and error.errno in _NOT_EMPTY):
                self.tally.unforeseen += 1  # what has something in it stays
            else:
                self.tally.stuck[original.path] = error

    def _set_aside(self, name: bytes, where: int, aside: bytes, original: Fingerprint) -> None:
        system, is_folder = self._system, original.kind == "folder"
        matches = partial(original.matches, resumed=self._resumed)
        if is_folder:
            with closing(system, system.enter(name, where)) as handle:
                if system.names(handle):
                    raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        try:
            self._move_aside(name, where, aside, matches)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # An overlay's lower folder, or a mount: copied, then removed where it was.
            for lost in copy_aside(system, name, where, aside, self._state.moved, matches):
                self.tally.bare.setdefault(original.path, lost)
            if not matches(system.lstat(name, where)):
                delete(system, aside, self._state.moved, is_folder=is_folder)
                raise Changed from None
            self.tally.copied += 1
            delete(system, name, where, is_folder=is_folder)

    def make_folders(self) -> None:
        """Make the folders that new files need, each in the state folder, where nobody can put
        another one in its place before it is given away."""
        system, state = self._system, self._state.folder
        for path in self._journal.made:
            where, name = self._locate(path)
            with contextlib.suppress(FileNotFoundError):  # left by an earlier attempt
                system.rmdir(NEW_FOLDER, state)
            system.mkdir(NEW_FOLDER, state, 0o755)
            with closing(system, system.enter(NEW_FOLDER, state)) as handle:
                give(system, handle, self._journal.owner)
                system.chmod(handle, 0o755)
            try:
                system.rename(NEW_FOLDER, state, name, where)
            except OSError as error:
                if error.errno not in _NOT_EMPTY:  # else it is there already
                    raise
                system.rmdir(NEW_FOLDER, state)

    def write(self, number: int, rewrite: Rewrite) -> None:
        """Write a file in the state folder, sync it, then rename it over the one it replaces.

        The old file is opened once, and all that the new one has of it comes from there. It is
        never written into: the package cache may share it by a hard link.
        """
        where, name = self._locate(rewrite.path)
        aside = b"e%d" % number if self._journal.mode == "move" else b""
        try:
            self._write(aside, name, where, rewrite)
        except Changed:
            self.tally.kept[rewrite.path] = CHANGED
        except OSError as error:
            if not isinstance(error, NotRegularError) and error.errno not in _NOT_A_FILE:
                raise
            self.tally.kept[rewrite.path] = CHANGED

    def _write(self, aside: bytes, name: bytes, where: int, rewrite: Rewrite) -> None:
        system, original = self._system, rewrite.replaces
        try:
            old, is_aside = self._open_old(aside, name, where)
        except FileNotFoundError:
            if original is not None:
                raise Changed from None
            self._make(rewrite)
        else:
            with closing(system, old):
                info = system.fstat(old)
                if original is not None and original.matches(info, self._resumed):
                    if self._resumed and rewrite.patch and has_rights(system, old, info):
                        if is_aside:
                            system.rename(aside, self._state.moved, name, where)
                        self.tally.kept[rewrite.path] = _HAS_RIGHTS
                        return
                    self._make(rewrite, old, info)
                    if aside and not is_aside:
                        self._move_aside(name, where, aside, partial(_is_inode, info))
                elif original is None and self._resumed:
                    self._make(rewrite)  # over what the interrupted run wrote
                elif rewrite.wrote(b"".join(content(system, old, info))):
                    return
                else:
                    raise Changed
        system.rename(_NEW, self._state.folder, name, where)

    def _open_old(self, aside: bytes, name: bytes, where: int) -> tuple[int, bool]:
        """A handle of the file to replace, and whether an interrupted run has set it aside."""
        if aside:
            with contextlib.suppress(FileNotFoundError):
                return self._system.open_file(aside, self._state.moved), True
        return self._system.open_file(name, where), False

    def _make(
        self, rewrite: Rewrite, old: int | None = None, info: os.stat_result | None = None
    ) -> None:
        """Write the new file in the state folder; *old* is open, with the stat *info*.

        Errors: `Changed` where the old content is not what the rewrite was made from.
        """
        system, folder, patch = self._system, self._state.folder, rewrite.patch
        with contextlib.suppress(FileNotFoundError):  # left by an earlier attempt
            system.unlink(_NEW, folder)
        with closing(system, system.create(_NEW, folder)) as new:
            if old is None or info is None:
                write_all(system, new, rewrite.data)
                give(system, new, rewrite.owner)
                system.chmod(new, rewrite.mode & 0o777)
            else:
                pieces = planned(content(system, old, info), rewrite.source)
                if patch is None:
                    deque(pieces, maxlen=0)
                for data in (rewrite.data,) if patch is None else patch.apply(pieces):
                    write_all(system, new, data)
                whole = patch is not None and bool(rewrite.source)
                for lost in take_over(system, old, new, info, whole=whole):
                    self.tally.bare.setdefault(rewrite.path, lost)
            system.touch(new, rewrite.mtime_ns, rewrite.mtime_ns)
            system.sync(new)

    def _move_aside(self, name: bytes, where: int, aside: bytes, matches: Matches) -> None:
        """Set an entry aside by a rename. Errors: `Changed` where it was another one, which is
        back then; `OSError`."""
        system, moved = self._system, self._state.moved
        system.rename(name, where, aside, moved)
        if not matches(system.lstat(aside, moved)):
            system.rename(aside, moved, name, where)
            raise Changed

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
        present = {*self._system.names(self._state.moved)}
        for number in numbers:
            if b"%d" % number in present:
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
        known = {b"%d" % n: removal for n, removal in enumerate(self._journal.removals)}
        remove_part(system, moved)
        for name in system.names(moved):
            original = known.get(name)
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


def _is_inode(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
