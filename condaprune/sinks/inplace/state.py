"""The state folder of a run: it holds the journal, and says how far the run has come.

The journal's name is the phase, and a rename takes it from one phase to the next, so that after an
interruption at any moment it is clear what is to be done.

The folder changes the modification time of the prefix. That time is noted in an attribute of the
prefix before and taken off after, so that not even it is lost by an interruption.
"""

from __future__ import annotations

import contextlib
import errno
import re
import stat
from collections.abc import Iterator
from itertools import count
from typing import Literal

from condaprune.errors import SinkError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace import ledger
from condaprune.sinks.inplace.filesystem import (
    Filesystem,
    Folders,
    closing,
    delete,
    ignoring,
    write_all,
)
from condaprune.sinks.inplace.journal import LIMIT, Journal, Phase, dump, is_time
from condaprune.sinks.inplace.leftover import (
    DISCARD,
    MOVED,
    Accept,
    Leftover,
    check_folder,
    read_leftover,
)
from condaprune.sinks.inplace.obstacles import check_space
from condaprune.sources.prefix import STATE_FOLDER

FOLDER = to_bytes(STATE_FOLDER)
NEW_FOLDER = b"new-folder"
_OWN = {phase.file for phase in Phase} | {b"journal.part", b"new", b"finished", MOVED, NEW_FOLDER}
MOVED_PATH = f"{STATE_FOLDER}/moved"
_PART = b"journal.part"
_FINISHED = b"finished"
_DISCARDED = b"condaprune-set-aside"
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
_REMEDY = (
    "Run condaprune again once nothing else changes the environment; --discard-journal gives up "
    "a run that cannot end"
)
_TIME = re.compile(rb"-?[0-9]{1,28}")  # nanoseconds

Traces = Literal["nothing", "begun", "finished"]
"""The traces without a journal: none, those of a run that had not begun, or had finished."""


class State:
    """The prefix of a run, locked, with its state folder. Close it to release the lock.

    *accept* says which journals are carried out. `noted` is false where the journal that was begun
    could not be noted as ours, so that it will not be known again. Errors: `SinkError` where
    another run has the lock or the prefix cannot be opened.
    """

    def __init__(
        self, filesystem: Filesystem, prefix: str, label: str = "", accept: Accept = "own"
    ) -> None:
        self.filesystem = filesystem
        self.prefix = prefix
        self.label = label or prefix
        self.noted = True
        self._accept = accept
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
        return self._folders(MOVED_PATH)

    @property
    def folders(self) -> Folders:
        """The folders of the prefix, the state folder included."""
        return self._folders

    def find(self) -> Leftover | None:
        """The run that was left here, if its journal was complete, and is to be carried out.

        Errors: `SinkError`; `ForeignJournal` for a journal that is not ours and not accepted.
        """
        with self.typed_errors("the state folder cannot be read", STATE_FOLDER):
            try:
                check_folder(self.filesystem.lstat(FOLDER, self.root), self.label)
                leftover = read_leftover(self.folder, self.prefix, self.label)
            except FileNotFoundError:
                return None
        if leftover is not None and not leftover.ours and self._accept != "any":
            raise leftover.refusal()
        return leftover

    def names_aside(self) -> list[bytes]:
        """The names of the entries set aside; none where nothing is. Errors: `OSError`."""
        with contextlib.suppress(FileNotFoundError):
            return self.filesystem.names(self.moved)
        return []

    def discard(self) -> str:
        """Give up the run that was left here: what is elsewhere in the prefix stays as it is.

        A state folder with nothing but a journal in it goes; otherwise it gets a name in plain
        sight, so that nothing set aside is lost. Returns a sentence on what was done, empty where
        there is no state folder. Errors: `SinkError`.
        """
        system = self.filesystem
        with self.typed_errors("the journal cannot be discarded", STATE_FOLDER):
            try:
                info = system.lstat(FOLDER, self.root)
            except FileNotFoundError:
                return ""
            if stat.S_ISDIR(info.st_mode) and self._is_bare():
                self.clear()
                return "the journal of an earlier run is discarded; nothing else was touched"
            name = self._free_name()
            self._folders.release()
            system.rename(FOLDER, self.root, name, self.root)
            system.unmark(self.root, _MARK)
            ledger.strike(self.prefix)
        return (
            "the journal of an earlier run is discarded; what it had set aside is in "
            f"{name.decode()}, delete it when you need nothing of it"
        )

    def _is_bare(self) -> bool:
        """Whether nothing is in the state folder but a journal."""
        system = self.filesystem
        with contextlib.suppress(PermissionError, NotADirectoryError):
            names = system.names(self.folder)
            files = (name for name in names if name != MOVED)
            return _OWN.issuperset(names) and not (
                any(stat.S_ISDIR(system.lstat(name, self.folder).st_mode) for name in files)
                or (MOVED in names and system.names(self.moved))
            )
        return False

    def _free_name(self) -> bytes:
        taken = {*self.filesystem.names(self.root)}
        names = (_DISCARDED + (b"-%d" % number if number else b"") for number in count())
        return next(name for name in names if name not in taken)

    def begin(self, journal: Journal, space: int = 0) -> None:
        """Write a journal down, synced; the rename at the end is where the run is committed to.

        *space* is what the run takes up besides, in bytes. Errors: `SinkError`; the prefix is as
        it was then.
        """
        data = dump(journal)
        if len(data) > LIMIT:
            raise SinkError(
                f"the journal of this run would be larger than {LIMIT:,} bytes, nothing was "
                "touched",
                where=self.label,
                remedy="Write to an archive with -o, or prune in steps with --select",
            )
        check_space(self.root, self.label, len(data) + space)
        try:
            self._write(journal, data)
        except OSError as error:
            with contextlib.suppress(OSError):  # the next run clears up
                self.clear(journal)
            raise self.error("the journal cannot be written, nothing was touched", error) from error

    def _write(self, journal: Journal, data: bytes) -> None:
        system = self.filesystem
        time = journal.root_mtime_ns
        if time is not None:
            system.mark(self.root, _MARK, str(time).encode("ascii"))
        system.mkdir(FOLDER, self.root, 0o700)
        if journal.mode == "move":
            system.mkdir(MOVED, self.folder, 0o700)
        with closing(system, system.create(_PART, self.folder)) as handle:
            write_all(system, handle, data)
            system.sync(handle)
        self.noted = ledger.note(self.prefix, data)
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
        time = _time(noted.removesuffix(_FINISHED))
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
        if MOVED in names and system.names(self.moved):
            if not any(phase.file in names for phase in Phase):
                raise SinkError(
                    "the entries that an earlier run set aside are here, but its journal is gone",
                    where=f"{self.label}/{MOVED_PATH}",
                    remedy="Install the environment anew; " + DISCARD,
                )
            raise OSError(errno.ENOTEMPTY, "some entries are still set aside")
        for name in sorted(names, key=lambda name: (name == _FINISHED, name == MOVED)):
            delete(system, name, self.folder, is_folder=name in (MOVED, NEW_FOLDER))
        ledger.strike(self.prefix)
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


def _time(noted: bytes) -> int | None:
    """The time that was noted at the prefix; None for what no run notes."""
    if not _TIME.fullmatch(noted):
        return None
    time = int(noted)
    return time if is_time(time) else None
