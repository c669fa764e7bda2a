"""The state folder of a run: it holds the journal, and says how far the run has come.

The journal's name is the phase, and a rename takes it from one phase to the next, so that after an
interruption at any moment it is clear what is to be done.

The folder changes the modification time of the prefix. That time is noted in an attribute of the
prefix before and taken off after, so that not even it is lost by an interruption.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from condaprune.errors import SinkError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.filesystem import (
    Filesystem,
    Folders,
    closing,
    delete,
    ignoring,
    write_all,
)
from condaprune.sinks.inplace.journal import Journal, Phase, dump, load
from condaprune.sources.prefix import STATE_FOLDER

FOLDER = to_bytes(STATE_FOLDER)
_MOVED = b"moved"
_MOVED_PATH = f"{STATE_FOLDER}/moved"
_PART = b"journal.part"
_FINISHED = b"finished"
_MARK = "user.condaprune.mtime"
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.EINVAL, errno.ENOSYS}
_SPACE = "Free some space on this file system; the journal needs a few megabytes"
_REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EROFS: "Write to an archive with -o, or mount the file system writable",
    errno.EPERM: "Take the immutable attribute off (chattr -i), or keep the file with --keep",
    errno.EACCES: "Run condaprune as a user who may write there, or write to an archive with -o",
}
_REMEDY = "Run condaprune again once nothing else changes the environment"

Traces = Literal["nothing", "begun", "finished"]
"""The traces without a journal: none, those of a run that had not begun, or had finished."""


@dataclass(frozen=True, slots=True)
class Leftover:
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
        with self.typed_errors("cannot be opened"):
            self.root = filesystem.open_root(to_bytes(prefix))
        self._folders = Folders(filesystem, self.root)
        try:
            self._lock()
        except BaseException:
            self.close()
            raise

    def _lock(self) -> None:
        free = True  # without locks (network file systems) the checks before each removal remain
        with self.typed_errors("cannot be locked"), ignoring(_NO_LOCKS):
            free = self.filesystem.lock(self.root)
        if not free:
            raise SinkError(
                "another run of condaprune is working on this environment, nothing was touched",
                where=self.label,
                remedy="Wait until it is done and run condaprune again",
            )

    def close(self) -> None:
        """Release the lock and all handles."""
        self._folders.release()
        self.filesystem.close(self.root)

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> int:
        """The handle of the state folder. Errors: `OSError`."""
        return self._folders(STATE_FOLDER)

    @property
    def moved(self) -> int:
        """The handle of the folder with the entries set aside. Errors: `OSError`."""
        return self._folders(_MOVED_PATH)

    def find(self) -> Leftover | None:
        """The run that was left here, if its journal was complete. Errors: `SinkError`."""
        with self.typed_errors("the state folder cannot be opened", STATE_FOLDER):
            try:
                names = self.filesystem.names(self.folder)
            except FileNotFoundError:
                return None
        for phase in Phase:
            if phase.file in names:
                where = f"{self.label}/{STATE_FOLDER}/{phase.file.decode()}"
                with self.typed_errors("cannot be read", STATE_FOLDER):
                    data = self.filesystem.read(phase.file, self.folder)
                return Leftover(phase, load(data, where))
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
            system.mkdir(_MOVED, self.folder, 0o700)
        with closing(system, system.create(_PART, self.folder)) as handle:
            write_all(system, handle, dump(journal))
            system.sync(handle)
        system.rename(_PART, self.folder, Phase.APPLY.file, self.folder)
        system.sync(self.folder)
        system.sync(self.root)

    def turn(self, old: Phase, new: Phase) -> None:
        """Take the run from one phase to the next. Errors: `SinkError`."""
        with self.typed_errors("the journal cannot be renamed", STATE_FOLDER):
            self.filesystem.rename(old.file, self.folder, new.file, self.folder)
            self.filesystem.sync(self.folder)

    def conclude(self, phase: Phase) -> None:
        """Note that a run is finished: there is nothing left to do but to clear up."""
        system = self.filesystem
        system.rename(phase.file, self.folder, _FINISHED, self.folder)
        noted = system.marked(self.root, _MARK)
        if noted:
            system.mark(self.root, _MARK, noted + _FINISHED)

    def clear(self, journal: Journal | None = None) -> Traces:
        """Remove the state folder, the journal first, and give the prefix its time back.

        Nothing may be set aside any more. Returns the traces that were there to clear.
        Errors: `OSError`, and `SinkError` where entries are still set aside.
        """
        system = self.filesystem
        noted = system.marked(self.root, _MARK)
        digits = noted.removesuffix(_FINISHED)
        time = int(digits) if digits.isdigit() else None
        if time is None and journal is not None:
            time = journal.root_mtime_ns
        traces = self._remove()
        if traces == "begun" and noted.endswith(_FINISHED):
            traces = "finished"
        if time is not None:
            with contextlib.suppress(PermissionError):  # somebody else's, that we may write in
                system.touch(self.root, system.fstat(self.root).st_atime_ns, time)
        if noted:
            system.unmark(self.root, _MARK)
        return traces

    def clear_up(self) -> Traces:
        """`clear` after a run that left no journal. Errors: `SinkError`."""
        with self.typed_errors("the traces of an interrupted run cannot be removed"):
            return self.clear()

    def _remove(self) -> Traces:
        system = self.filesystem
        try:
            names = system.names(self.folder)
        except FileNotFoundError:
            return "nothing"
        if _MOVED in names and system.names(self.moved):
            if not any(phase.file in names for phase in Phase):
                raise SinkError(
                    "the entries that an earlier run set aside are here, but its journal is gone",
                    where=f"{self.label}/{_MOVED_PATH}",
                    remedy="Install the environment anew",
                )
            raise OSError(errno.ENOTEMPTY, "some entries are still set aside")
        for name in sorted(names, key=lambda name: (name == _FINISHED, name == _MOVED)):
            delete(system, name, self.folder, is_folder=name == _MOVED)
        system.rmdir(FOLDER, self.root)
        self._folders.release()
        return "finished" if _FINISHED in names else "begun"

    @contextlib.contextmanager
    def typed_errors(self, what: str, path: str = "") -> Iterator[None]:
        """Raise `error` for an `OSError` inside."""
        try:
            yield
        except OSError as error:
            raise self.error(what, error, path) from error

    def error(self, what: str, error: OSError, path: str = "") -> SinkError:
        """The typed error for a failed call on *path* (empty for the prefix)."""
        where = f"{self.label}/{printable(path)}".rstrip("/")
        remedy = _REMEDIES.get(error.errno or 0, _REMEDY)
        return SinkError(f"{what}: {error.strerror}", where=where, remedy=remedy)
