"""The state folder of a run: where its journal lies, and how far it has come.

The journal's name tells the phase, and a rename takes it from one to the next, so that there is no
moment at which it is not clear what is to be done after an interruption.

The folder changes the modification time of the prefix. That time is noted in an attribute of the
prefix before and taken off after, so that not even it is lost by an interruption.
"""

from __future__ import annotations

import contextlib
import enum
import errno
from dataclasses import dataclass
from typing import Literal

from condaprune.errors import SinkError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.format import Journal, dump, load
from condaprune.sources.walk import STATE_FOLDER

FOLDER = to_bytes(STATE_FOLDER)
MOVED = b"moved"
_PREFIX = b"journal."
_PART = b"journal.part"
_FINISHED = b"finished"
_MARK = "user.condaprune.mtime"
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.EINVAL, errno.ENOSYS}


class Phase(enum.Enum):
    """How far a run has come.

    APPLY: being carried out, or waiting for its verification. KEPT: carried out, and what went is
    still set aside. UNDO: being taken back. DROP: verified, what was set aside is being deleted.
    """

    APPLY = "apply"
    KEPT = "kept"
    UNDO = "undo"
    DROP = "drop"

    @property
    def file(self) -> bytes:
        """The name of the journal in this phase."""
        return _PREFIX + self.value.encode("ascii")


Left = Literal["nothing", "begun", "finished"]
"""What a run without a journal left: nothing, one that had not begun, one that was finished."""


@dataclass(frozen=True, slots=True)
class Found:
    """A run that was left in the state folder: its phase and its journal."""

    phase: Phase
    journal: Journal


class State:
    """The prefix of a run, locked, with its state folder. Close it to release the lock.

    Errors: `SinkError` where another run has the lock or the prefix cannot be opened.
    """

    def __init__(self, filesystem: Filesystem, prefix: str, label: str = "") -> None:
        self.filesystem = filesystem
        self.prefix = prefix
        self.label = label or prefix
        try:
            self.root = filesystem.open_root(to_bytes(prefix))
        except OSError as error:
            raise self.error("cannot be opened", error) from error
        self._folder = -1
        self._moved = -1
        try:
            self._lock()
        except BaseException:
            self.close()
            raise

    def _lock(self) -> None:
        try:
            free = self.filesystem.lock(self.root)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise self.error("cannot be locked", error) from error
            return  # a network file system without locks: the checks before each removal remain
        if not free:
            raise SinkError(
                "another run of condaprune is at work on this environment, nothing was touched",
                where=self.label,
                remedy="Wait until it is done and run condaprune again",
            )

    def close(self) -> None:
        """Release the lock and all handles."""
        for handle in (self._moved, self._folder, self.root):
            if handle >= 0:
                self.filesystem.close(handle)
        self._moved = self._folder = self.root = -1

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> int:
        """The handle of the state folder. Errors: `OSError`."""
        if self._folder < 0:
            self._folder = self.filesystem.enter(FOLDER, self.root)
        return self._folder

    @property
    def moved(self) -> int:
        """The handle of the folder that holds what was set aside. Errors: `OSError`."""
        if self._moved < 0:
            self._moved = self.filesystem.enter(MOVED, self.folder)
        return self._moved

    def find(self) -> Found | None:
        """The run that was left here, if its journal was complete. Errors: `SinkError`."""
        try:
            names = self.filesystem.names(self.folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.error("the state folder cannot be opened", error, STATE_FOLDER) from error
        for phase in Phase:
            if phase.file in names:
                where = f"{self.label}/{STATE_FOLDER}/{phase.file.decode()}"
                try:
                    data = self.filesystem.read(phase.file, self.folder)
                except OSError as error:
                    raise self.error("cannot be read", error, STATE_FOLDER) from error
                return Found(phase, load(data, where))
        return None

    def begin(self, journal: Journal) -> None:
        """Write a journal down, synced; the rename at the end is where the run is committed to.

        Errors: `SinkError`; the prefix is as it was then.
        """
        try:
            self._write(journal)
        except OSError as error:
            with contextlib.suppress(OSError):  # the next run clears up
                self.clear(journal)
            raise self.error("the journal cannot be written, nothing was touched", error) from error

    def _write(self, journal: Journal) -> None:
        system = self.filesystem
        time = journal.root_mtime_ns
        if time is not None:
            system.mark(self.root, _MARK, str(time).encode("ascii"))
        system.mkdir(FOLDER, self.root, 0o700)
        if journal.mode == "move":
            system.mkdir(MOVED, self.folder, 0o700)
        handle = system.create(_PART, self.folder)
        try:
            view = memoryview(dump(journal))
            while view:
                view = view[system.write(handle, view[: 1 << 20]) :]
            system.sync(handle)
        finally:
            system.close(handle)
        system.rename(_PART, self.folder, Phase.APPLY.file, self.folder)
        system.sync(self.folder)
        system.sync(self.root)

    def turn(self, old: Phase, new: Phase) -> None:
        """Take the run from one phase to the next. Errors: `SinkError`."""
        try:
            self.filesystem.rename(old.file, self.folder, new.file, self.folder)
            self.filesystem.sync(self.folder)
        except OSError as error:
            raise self.error("the journal cannot be renamed", error, STATE_FOLDER) from error

    def conclude(self, phase: Phase) -> None:
        """Note that a run is finished: there is nothing left to do but to clear up."""
        system = self.filesystem
        system.rename(phase.file, self.folder, _FINISHED, self.folder)
        noted = system.marked(self.root, _MARK)
        if noted:
            system.mark(self.root, _MARK, noted + _FINISHED)

    def clear(self, journal: Journal | None = None) -> Left:
        """Remove the state folder, the journal first, and give the prefix its time back.

        What was set aside must be gone by then. Returns what was there to clear.
        Errors: `OSError`, and `SinkError` where things are still set aside.
        """
        system = self.filesystem
        noted = system.marked(self.root, _MARK)
        digits = noted.removesuffix(_FINISHED)
        time = int(digits) if digits.isdigit() else None
        if time is None and journal is not None:
            time = journal.root_mtime_ns
        found = self._remove()
        if found == "begun" and noted.endswith(_FINISHED):
            found = "finished"
        if time is not None:
            with contextlib.suppress(PermissionError):  # somebody else's, that we may write in
                system.touch(self.root, system.stat(self.root).st_atime_ns, time)
        if noted:
            system.unmark(self.root, _MARK)
        return found

    def _remove(self) -> Left:
        system = self.filesystem
        try:
            names = system.names(self.folder)
        except FileNotFoundError:
            return "nothing"
        if MOVED in names and system.names(self.moved):
            if not any(phase.file in names for phase in Phase):
                raise SinkError(
                    "what an earlier run set aside is here, but its journal is gone",
                    where=f"{self.label}/{STATE_FOLDER}/{MOVED.decode()}",
                    remedy="Install the environment anew",
                )
            raise OSError(errno.ENOTEMPTY, "something is still set aside")
        last = [name for name in (MOVED, _FINISHED) if name in names]
        for name in [*(name for name in names if name not in last), *last]:
            if name == MOVED:
                system.rmdir(MOVED, self.folder)
            else:
                system.unlink(name, self.folder)
        system.rmdir(FOLDER, self.root)
        for handle in (self._moved, self._folder):
            if handle >= 0:
                system.close(handle)
        self._moved = self._folder = -1
        return "finished" if _FINISHED in names else "begun"

    def error(self, what: str, error: OSError, path: str = "") -> SinkError:
        """The typed error for a failed call on *path* (empty for the prefix)."""
        where = f"{self.label}/{printable(path)}" if path else self.label
        return SinkError(f"{what}: {error.strerror}", where=where, remedy=_remedy(error))


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space on this file system; the journal needs a few megabytes"
    if error.errno == errno.EROFS:
        return "Write to an archive with -o, or mount the file system writable"
    if error.errno == errno.EPERM:
        return "Take the immutable attribute off (chattr -i), or keep the file with --keep"
    if error.errno == errno.EACCES:
        return "Run condaprune as a user who may write there, or write to an archive with -o"
    return "Run condaprune again once nothing else changes the environment"
