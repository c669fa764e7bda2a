"""The single steps of a run: take one entry away, put one back, write one file, set one time.

Each step may have been done before, in whole or in part, by a run that was killed: a step finds
out, and ends in the same state. An entry is touched only while it is what the journal says.
"""

from __future__ import annotations

import contextlib
import errno
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from condaprune.errors import SinkError
from condaprune.formats.patch import Buffer
from condaprune.paths import parent, printable, to_bytes
from condaprune.sinks.inplace.copying import copy_aside, remove_part
from condaprune.sinks.inplace.filesystem import Filesystem, Folders, own, write_file
from condaprune.sinks.inplace.format import Journal, Known, Rewrite
from condaprune.sinks.inplace.state import State

_NEW = b"new"
_FORMAT = 0o170000
_FORMS = {"folder": stat.S_IFDIR, "link": stat.S_IFLNK}
_CHANGED = "changed since the plan was made"
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}
_NOT_THERE = {errno.ENOTDIR, errno.ELOOP}


@dataclass(slots=True)
class Tally:
    """What a run could not do: entries that stay, each with the reason.

    `kept` are entries that had changed (left alone on purpose), `stuck` those that the system
    would not let go, `copied` how many had to be copied to be set aside, `unforeseen` how many were
    gone already, or were folders that something unknown is in.
    """

    kept: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, OSError] = field(default_factory=dict)
    copied: int = 0
    unforeseen: int = 0

    @property
    def as_planned(self) -> bool:
        """Whether everything went that was to go, by this run."""
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
        """Close the folder handle that is held."""
        self._folder.release()

    # -- forward

    def remove(self, number: int) -> None:
        """Take the entry of a removal away: unlinked, or set aside under its number."""
        known = self._journal.removals[number]
        above, _, text = known.path.rpartition("/")
        name = to_bytes(text)
        try:
            where = self._folder(above)
            found = self._system.look(name, where)
        except FileNotFoundError:
            self.tally.unforeseen += 1
            return  # gone already: what was asked for
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            self.tally.kept[known.path] = _CHANGED  # a folder above it became something else
            return
        if not matches(found, known, self._resumed):
            self.tally.kept[known.path] = _CHANGED
            return
        if known.kind == "folder":
            self._folder.forget(known.path)
        try:
            if self._journal.mode == "move":
                self._set_aside(name, where, b"%d" % number, known.kind == "folder")
            elif known.kind == "folder":
                self._system.rmdir(name, where)
            else:
                self._system.unlink(name, where)
        except FileNotFoundError:
            self.tally.unforeseen += 1
        except OSError as error:
            if error.errno in _NOT_EMPTY and known.kind == "folder":
                self.tally.unforeseen += 1
                return  # something in it stayed, so it stays
            self.tally.stuck[known.path] = error

    def _set_aside(self, name: bytes, where: int, aside: bytes, folder: bool) -> None:
        system = self._system
        if folder:
            handle = system.enter(name, where)
            try:
                if system.names(handle):
                    self.tally.unforeseen += 1
                    return  # something in it stayed, so it stays
            finally:
                system.close(handle)
        try:
            system.rename(name, where, aside, self._state.moved)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # An overlay's lower folder, or a mount: copied, then removed where it was.
            copy_aside(system, name, where, aside, self._state.moved)
            self.tally.copied += 1
            if folder:
                system.rmdir(name, where)
            else:
                system.unlink(name, where)

    def make_folders(self) -> None:
        """Make the folders that new files need."""
        for path in self._journal.made:
            where = self._folder(parent(path))
            name = to_bytes(path.rpartition("/")[2])
            with contextlib.suppress(FileExistsError):
                self._system.mkdir(name, where, 0o755)
            handle = self._system.enter(name, where)
            try:
                own(self._system, handle, self._journal.owner)
                self._system.chmod(handle, 0o755)
            finally:
                self._system.close(handle)

    def write(self, number: int, rewrite: Rewrite) -> None:
        """Write a file: beside the prefix's own, synced, then renamed over what it replaces.

        The old file is never written into: the package cache may share it by a hard link.
        """
        system = self._system
        name = to_bytes(rewrite.path.rpartition("/")[2])
        where = self._folder(parent(rewrite.path))
        aside = b"e%d" % number
        if not self._make_room(aside, name, where, rewrite):
            return
        content: Iterable[Buffer] = (rewrite.data,)
        if rewrite.patch is not None:
            moved = self._journal.mode == "move"
            old = system.pieces(*((aside, self._state.moved) if moved else (name, where)))
            content = rewrite.patch.apply(old)
        write_file(
            system,
            _NEW,
            self._state.folder,
            content,
            mode=rewrite.mode,
            mtime_ns=rewrite.mtime_ns,
            owner=rewrite.owner,
        )
        system.rename(_NEW, self._state.folder, name, where)

    def _make_room(self, aside: bytes, name: bytes, where: int, rewrite: Rewrite) -> bool:
        """Set the old file aside where the run can be undone. False where it is to stay."""
        system = self._system
        move = self._journal.mode == "move"
        if move and _exists(system, aside, self._state.moved):
            return True  # by the run that was interrupted
        try:
            found = system.look(name, where)
        except FileNotFoundError:
            if rewrite.patch is not None:
                self.tally.kept[rewrite.path] = _CHANGED
            return rewrite.patch is None
        known = rewrite.replaces
        if known is not None and matches(found, known, self._resumed):
            if move:
                system.rename(name, where, aside, self._state.moved)
            return True
        if stat.S_ISREG(found.st_mode) and (known is None and self._resumed):
            return True
        if not stat.S_ISREG(found.st_mode) or not _holds(system.read(name, where), rewrite):
            self.tally.kept[rewrite.path] = _CHANGED
        return False

    def set_times(self) -> None:
        """Give every folder that the run touched the modification time it had."""
        for path, mtime_ns in self._journal.times:
            self._set_time(path, mtime_ns)

    def _set_time(self, path: str, mtime_ns: int) -> None:
        try:
            handle = self._folder(path)
            found = self._system.stat(handle)
            if found.st_mtime_ns != mtime_ns:
                self._system.touch(handle, found.st_atime_ns, mtime_ns)
        except OSError as error:
            # A folder of somebody else's, that we may write in: its time cannot be set.
            if error.errno not in _NOT_THERE | {errno.ENOENT, errno.EPERM}:
                raise

    # -- back

    def put_back(self, numbers: Iterable[int]) -> None:
        """Put entries back that were set aside; folders must come before what lies in them."""
        present = {int(name) for name in self._system.names(self._state.moved) if name.isdigit()}
        for number in numbers:
            if number in present:
                self._put_back(self._journal.removals[number], b"%d" % number)

    def _put_back(self, known: Known, aside: bytes) -> None:
        system = self._system
        moved = self._state.moved
        name = to_bytes(known.path.rpartition("/")[2])
        try:
            where = self._folder(parent(known.path))
            try:
                found = system.look(name, where)
            except FileNotFoundError:
                pass
            else:
                if known.kind != "folder" and matches(found, known, self._resumed):
                    system.unlink(aside, moved)  # copied, and the original not yet removed
                    return
            system.rename(aside, moved, name, where)
        except OSError as error:
            if known.kind == "folder" and error.errno in _NOT_EMPTY:
                system.rmdir(aside, moved)  # made anew meanwhile, and in use
                return
            raise SinkError(
                f"cannot be put back: {error.strerror}",
                where=f"{self._state.label}/{printable(known.path)}",
                remedy="Move away what is in its place, then run `condaprune undo` again",
            ) from error

    def unwrite(self, number: int, rewrite: Rewrite) -> None:
        """Put back the file that a rewrite replaced, or remove the file that was new."""
        system = self._system
        name = to_bytes(rewrite.path.rpartition("/")[2])
        aside = b"e%d" % number
        try:
            where = self._folder(parent(rewrite.path))
        except FileNotFoundError:
            return
        if rewrite.replaces is not None:
            try:
                system.rename(aside, self._state.moved, name, where)
            except FileNotFoundError:
                return  # not replaced yet, or put back before
            return
        with contextlib.suppress(FileNotFoundError):
            system.unlink(name, where)

    def clear_aside(self) -> None:
        """Remove what is left of an interrupted copy, once all is put back."""
        if self._journal.mode == "move":
            remove_part(self._system, self._state.moved)

    def unmake_folders(self) -> None:
        """Remove the folders that were made for new files, where nothing else is in them."""
        for path in reversed(self._journal.made):
            self._unmake(path)

    def _unmake(self, path: str) -> None:
        self._folder.forget(path)
        try:
            self._system.rmdir(to_bytes(path.rpartition("/")[2]), self._folder(parent(path)))
        except OSError as error:
            if error.errno not in _NOT_EMPTY | {errno.ENOENT}:
                raise

    # -- the end

    def drop(self) -> None:
        """Delete what was set aside. A folder that something was put into meanwhile goes back."""
        system = self._system
        moved = self._state.moved
        remove_part(system, moved)
        for name in system.names(moved):
            known = self._journal.removals[int(name)] if name.isdigit() else None
            if known is None or known.kind != "folder":
                system.unlink(name, moved)
                continue
            try:
                system.rmdir(name, moved)
            except OSError as error:
                if error.errno not in _NOT_EMPTY:
                    raise
                self.put_back([int(name)])
                self.tally.kept[known.path] = "something was put into it meanwhile"


def _exists(system: Filesystem, name: bytes, folder: int) -> bool:
    try:
        system.look(name, folder)
    except FileNotFoundError:
        return False
    return True


def _holds(data: bytes, rewrite: Rewrite) -> bool:
    """Whether a file has the content to be written already."""
    if rewrite.patch is not None and rewrite.replaces is not None:
        return rewrite.patch.made(data, rewrite.replaces.size)
    return data == rewrite.data


class Found(Protocol):
    """What is asked of a stat."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...


def matches(found: Found, known: Known, resumed: bool) -> bool:
    """Whether an entry is still the one of the plan.

    A run that is resumed may see other inodes and coarser times: the prefix was copied with its
    journal, or committed to an image.
    """
    form = found.st_mode & _FORMAT
    if form != _FORMS.get(known.kind, stat.S_IFREG):
        return False
    if form == stat.S_IFDIR:
        return True
    if found.st_size != known.size:
        return False
    if found.st_mtime_ns == known.mtime_ns and (resumed or found.st_ino == known.inode):
        return True
    return resumed and _same_time(found, known.mtime_ns)


def _same_time(found: Found, mtime_ns: int) -> bool:
    whole = 1_000_000_000
    if found.st_mtime_ns % whole == 0:
        return found.st_mtime_ns // whole == mtime_ns // whole
    return found.st_mtime_ns == mtime_ns
