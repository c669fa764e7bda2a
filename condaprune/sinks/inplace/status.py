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
from condaprune.model import Entry, unique_bytes
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.journal import Phase, Pruning, read
from condaprune.sources.prefix import STATE_FOLDER

STATUS = "conda-meta/condaprune/status.json"
SCHEMA = 1
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
        return tuple(read(Pruning, run) for run in json.loads(data)["runs"])
    except (ValueError, KeyError, TypeError):
        return ()


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
    root = to_bytes(prefix)
    runs: tuple[Pruning, ...] = ()
    when, phase, pending = None, None, ""
    with _reading(prefix, STATUS), open(os.path.join(root, to_bytes(STATUS)), "rb") as stream:
        runs = read_status(stream.read())
        when = int(os.fstat(stream.fileno()).st_mtime)
    with _reading(prefix, STATE_FOLDER):
        names = os.listdir(os.path.join(root, to_bytes(STATE_FOLDER)))
        phase = next((phase for phase in Phase if phase.file in names), None)
        pending = _PENDING[phase]
    return PrefixStatus(runs, when, phase is Phase.KEPT, pending)


@contextmanager
def _reading(prefix: str, path: str) -> Iterator[None]:
    """What is not there is passed over. Errors: `SinkError` where it cannot be read."""
    try:
        yield
    except FileNotFoundError:
        return
    except OSError as error:
        raise SinkError(
            f"cannot be read: {error.strerror}",
            where=f"{printable(prefix)}/{path}",
            remedy="Run condaprune as the user who owns the environment",
        ) from error
