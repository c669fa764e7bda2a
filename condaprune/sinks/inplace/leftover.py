"""What a run left in the state folder: its journal, how far it had come, and whose it is."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Literal

from condaprune.errors import SinkError
from condaprune.files import NotRegularError, read_regular
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace import ledger
from condaprune.sinks.inplace.journal import LIMIT, Journal, Phase, load
from condaprune.sinks.inplace.walls import check
from condaprune.sources.prefix import STATE_FOLDER

Accept = Literal["own", "any", "none"]
"""Which journals a run carries out: only those of this user's own runs, any, or none: what is
found is discarded."""

MOVED = b"moved"
DISCARD = (
    "`condaprune undo ENV --discard-journal` gives it up, and leaves the rest of the environment "
    "as it is"
)
_TRUST = (
    "If you know who began that run (you, perhaps, with another home folder), let "
    "`condaprune ENV --trust-journal` end it, or `condaprune undo ENV --trust-journal`; "
)
_NAMED = 3
_SHOWN = 16 << 20
"""A journal of somebody else is parsed to say what it would do up to this size, in bytes."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class ForeignJournal(SinkError):
    """A journal that no run of this user has written, or whose run has ended."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A journal as it was found: the phase of its run, its bytes, and whether it is `ours`.

    `where` is how messages name it.
    """

    phase: Phase
    data: bytes
    ours: bool
    where: str

    def journal(self) -> Journal:
        """What the journal says, within what a journal may say.

        Errors: `SinkError` where it is damaged, or says more.
        """
        journal = load(self.data, self.where)
        try:
            check(journal, self.phase)
        except ValueError as error:
            raise SinkError(
                f"this journal says what no run of condaprune does: {error}",
                where=self.where,
                remedy=DISCARD,
            ) from error
        return journal

    def refusal(self) -> SinkError:
        """The error about a journal that is not ours: what it would do, and what can be done."""
        does = f"it has {len(self.data):,} bytes"
        if len(self.data) <= _SHOWN:
            try:
                does = self._does(self.journal())
            except SinkError as error:
                return error
        return ForeignJournal(
            f"this journal does not come from a run of yours; {does}",
            where=self.where,
            remedy=_TRUST + DISCARD,
        )

    def _does(self, journal: Journal) -> str:
        going, written = len(journal.removals), [r.path for r in journal.rewrites]
        if self.phase in (Phase.KEPT, Phase.DROP):
            return f"it has set aside {going:,} entries"
        if self.phase is Phase.UNDO or journal.verified:
            return f"it would put back {going:,} entries"
        names = ", ".join(map(printable, written[:_NAMED])) + ", ..." * (len(written) > _NAMED)
        rewrites = f" ({names})" if written else ""
        return f"it would remove {going:,} entries and write {len(written) + 1:,} files{rewrites}"


def read_leftover(folder: int, prefix: str, label: str) -> Leftover | None:
    """The journal in an open state folder; None where there is none.

    Errors: `SinkError` for two journals, and for what is no regular file of at most `LIMIT` bytes;
    OSError.
    """
    present = [phase for phase in Phase if phase.file in map(os.fsencode, os.listdir(folder))]
    if not present:
        return None
    phase = present[0]
    where = f"{printable(label)}/{STATE_FOLDER}/{phase.file.decode()}"
    if len(present) > 1:
        raise _odd("there is more than one journal", where)
    try:
        info = os.stat(phase.file, dir_fd=folder, follow_symlinks=False)
        data = read_regular(phase.file, LIMIT, folder=folder)
    except NotRegularError as error:
        raise _odd(f"this journal {_said(error)}", where) from error
    owned = _is_ours(info) and _is_ours(os.fstat(folder))
    return Leftover(phase, data, owned and ledger.is_noted(prefix, data), where)


def peek(prefix: str, label: str) -> tuple[bool, Leftover | None]:
    """Whether there is a state folder, and the journal in it; it is only read, and not locked.

    Errors: `SinkError` for anything but a folder in its place, as in `read_leftover`; OSError.
    """
    path = os.path.join(to_bytes(prefix), to_bytes(STATE_FOLDER))
    try:
        check_folder(os.lstat(path), label)
        handle = os.open(path, _FOLDER)
    except FileNotFoundError:
        return False, None
    try:
        return True, read_leftover(handle, prefix, label)
    finally:
        os.close(handle)


def check_folder(info: os.stat_result, label: str) -> None:
    """Refuse a state folder that is none. Errors: `SinkError`."""
    if not stat.S_ISDIR(info.st_mode):
        form = "a link" if stat.S_ISLNK(info.st_mode) else "a file"
        raise _odd(
            f"is {form}, not the folder in which a run keeps its journal",
            f"{printable(label)}/{STATE_FOLDER}",
        )


def _odd(what: str, where: str) -> SinkError:
    return SinkError(what, where=where, remedy=DISCARD)


def _said(error: OSError) -> str:
    said = error.strerror or "cannot be read"
    return f"is {said}" if said.startswith("larger") else said


def _is_ours(info: os.stat_result) -> bool:
    """Whether nobody but this user and root could have written there."""
    others = info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return info.st_uid in (os.geteuid(), 0) and not others
