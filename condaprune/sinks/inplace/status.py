"""The status of a prefix: a small file about its runs, and what `condaprune status` says.

The file lies in a folder of its own below ``conda-meta``: conda and scanners take every
``conda-meta/*.json`` for the record of a package. It holds no wall-clock time, so that the same run
gives the same bytes; the time of the last run is the file's modification time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from condaprune.errors import SinkError
from condaprune.files import NotRegularError, read_regular
from condaprune.model import Entry, unique_bytes
from condaprune.parse import parse_json
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.filesystem import Filesystem, Folders
from condaprune.sinks.inplace.journal import STATUS, Phase, Pruning, read
from condaprune.sinks.inplace.leftover import Leftover, peek
from condaprune.sources.prefix import STATE_FOLDER

SCHEMA = 1
_LIMIT = 16 << 20
_MOST = 1 << 63
_PENDING = {
    Phase.APPLY: "a run is under way or was interrupted: the next `condaprune ENV` ends it",
    Phase.UNDO: "an undo is under way or was interrupted: the next `condaprune ENV` ends it",
    Phase.DROP: "a verified run is being finished: the next `condaprune ENV` ends it",
    Phase.KEPT: "",
    None: "an interrupted run left its traces: the next `condaprune ENV` removes them",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """How much of an environment is left after a run: files and links, and their bytes."""

    files: int
    bytes: int


def measure(entries: Iterable[Entry]) -> Measured:
    """Files and bytes of an environment, leaving out the status file that records them."""
    counted = [e for e in entries if e.kind != "folder" and e.path != STATUS]
    return Measured(len(counted), unique_bytes(counted))


def add_pruning(old: bytes, pruning: Pruning) -> bytes:
    """The status file with one more run; *old* is its content so far, or empty."""
    runs = [asdict(run) for run in (*read_status(old), pruning)]
    return (json.dumps({"schema": SCHEMA, "runs": runs}, indent=1) + "\n").encode("ascii")


def read_status(data: bytes) -> tuple[Pruning, ...]:
    """The runs in a status file, oldest first; none where it cannot be read."""
    try:
        raw = parse_json(data)
        runs = raw["runs"] if isinstance(raw, dict) else ()
        found = tuple(read(Pruning, run) for run in runs)
    except (ValueError, KeyError, TypeError):
        return ()
    return found if all(map(_is_plausible, found)) else ()


def _is_plausible(run: Pruning) -> bool:
    numbers = (run.files_before, run.files_after, run.bytes_before, run.bytes_after)
    return all(0 <= number < _MOST for number in numbers)


def read_status_file(prefix: str, label: str) -> bytes:
    """The content of the status file of a prefix, reached through no link; empty without one.

    Errors: `SinkError` where it cannot be read.
    """
    data = b""
    with _reading(label, STATUS):
        data, _ = _read_file(to_bytes(prefix))
    return data


def _read_file(root: bytes) -> tuple[bytes, int]:
    """The content of the status file, and its time in seconds."""
    system = Filesystem()
    handle = system.open_root(root)
    folders = Folders(system, handle)
    try:
        folder, _, name = STATUS.rpartition("/")
        where = folders(folder)
        time = int(os.stat(name, dir_fd=where, follow_symlinks=False).st_mtime)
        return read_regular(name, _LIMIT, folder=where), time
    finally:
        folders.release()
        system.close(handle)


@dataclass(frozen=True, slots=True)
class PrefixStatus:
    """The runs on a prefix, oldest first, when the last one was (seconds since the epoch, or
    None), whether it can be undone, and what is left to do (empty: nothing)."""

    runs: tuple[Pruning, ...]
    when: int | None
    undoable: bool
    pending: str

    def to_json(self) -> dict[str, Any]:
        """JSON-ready data, `schema` 1; `pruned_at` is seconds since the epoch."""
        return {
            "schema": SCHEMA,
            "pruned_at": self.when,
            "undoable": self.undoable,
            "pending": self.pending,
            "runs": [asdict(run) for run in self.runs],
        }


def read_prefix(prefix: str) -> PrefixStatus:
    """The status of the prefix at a real path, which is only read, and not locked.

    Errors: `SinkError` where it cannot be read.
    """
    runs: tuple[Pruning, ...] = ()
    when = None
    with _reading(prefix, STATUS):
        data, when = _read_file(to_bytes(prefix))
        runs = read_status(data)
    phase, pending = pending_run(prefix)
    return PrefixStatus(runs, when, phase is Phase.KEPT and not pending, pending)


def pending_run(prefix: str, label: str = "") -> tuple[Phase | None, str]:
    """The phase of the run that was left in the prefix, None where no journal is there, and what
    is left to do of it (empty: nothing).

    The prefix is only read, and not locked. Errors: `SinkError` where it cannot be read.
    """
    label = label or prefix
    present, leftover = _peek(prefix, label)
    if leftover is None:
        return None, _PENDING[None] if present else ""
    if leftover.ours:
        return leftover.phase, _PENDING[leftover.phase]
    refusal = leftover.refusal()
    return leftover.phase, f"{refusal.what}. {refusal.remedy}"


def _peek(prefix: str, label: str) -> tuple[bool, Leftover | None]:
    try:
        return peek(prefix, label)
    except OSError as error:
        raise _unreadable(label, STATE_FOLDER, error) from error


@contextmanager
def _reading(prefix: str, path: str) -> Iterator[None]:
    """What is not there is passed over. Errors: `SinkError` where it cannot be read."""
    try:
        yield
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(prefix, path, error) from error


def _unreadable(prefix: str, path: str, error: OSError) -> SinkError:
    return SinkError(
        f"cannot be read: {error.strerror}",
        where=f"{printable(prefix)}/{path}",
        remedy="Move it away"
        if isinstance(error, NotRegularError)
        else "Run condaprune as the user who owns the environment",
    )
