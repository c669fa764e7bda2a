"""What `condaprune status` tells of a prefix; it is only read, and not locked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from condaprune.errors import SinkError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.inplace.state import Phase
from condaprune.sinks.inplace.status import STATUS, Pruning, read_status
from condaprune.sources.walk import STATE_FOLDER

_WORDS = {
    Phase.APPLY: "a run is under way or was interrupted: the next `condaprune ENV` ends it",
    Phase.UNDO: "an undo is under way or was interrupted: the next `condaprune ENV` ends it",
    Phase.DROP: "a verified run is being finished: the next `condaprune ENV` ends it",
}


@dataclass(frozen=True, slots=True)
class Told:
    """The runs on a prefix, oldest first, when the last one was (seconds since the epoch, or
    None), whether it can be undone, and what is left undone (empty: nothing)."""

    runs: tuple[Pruning, ...]
    when: int | None
    undoable: bool
    pending: str


def read_prefix(prefix: str) -> Told:
    """What the prefix at a real path tells. Errors: `SinkError` where it cannot be read."""
    root = to_bytes(prefix)
    data, when = b"", None
    try:
        with open(os.path.join(root, to_bytes(STATUS)), "rb") as stream:
            data = stream.read()
            when = int(os.fstat(stream.fileno()).st_mtime)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unreadable(prefix, STATUS, error) from error
    try:
        names = os.listdir(os.path.join(root, to_bytes(STATE_FOLDER)))
    except FileNotFoundError:
        return Told(read_status(data), when, False, "")
    except OSError as error:
        raise _unreadable(prefix, STATE_FOLDER, error) from error
    held = {os.fsencode(name) for name in names}
    phase = next((phase for phase in Phase if phase.file in held), None)
    undoable = phase is Phase.KEPT
    if phase is None:
        pending = "an interrupted run left its traces: the next `condaprune ENV` removes them"
    else:
        pending = _WORDS.get(phase, "")
    return Told(read_status(data), when, undoable, pending)


def _unreadable(prefix: str, path: str, error: OSError) -> SinkError:
    return SinkError(
        f"cannot be read: {error.strerror}",
        where=f"{printable(prefix)}/{path}",
        remedy="Run condaprune as the user who owns the environment",
    )


def to_json(told: Told) -> dict[str, Any]:
    """The answer as JSON-ready data, `schema` 1; `pruned_at` is seconds since the epoch."""
    return {
        "schema": 1,
        "pruned_at": told.when,
        "undoable": told.undoable,
        "pending": told.pending,
        "runs": [
            {
                "version": run.version,
                "profile": run.profile,
                "rules": list(run.rules),
                "files_before": run.files_before,
                "files_after": run.files_after,
                "bytes_before": run.bytes_before,
                "bytes_after": run.bytes_after,
            }
            for run in told.runs
        ],
    }
