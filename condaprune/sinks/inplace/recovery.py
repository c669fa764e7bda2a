"""What becomes of a run that was interrupted, or that is to be undone."""

from __future__ import annotations

import os

from condaprune.errors import SinkError
from condaprune.model import Progress, no_progress
from condaprune.paths import to_bytes
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.run import Run
from condaprune.sinks.inplace.state import FOLDER, Found, Left, Phase, State


class CannotUndo(SinkError):
    """There is nothing to put back: the answer is no."""

    exit_code = 1


def recover(
    prefix: str,
    label: str = "",
    *,
    filesystem: Filesystem | None = None,
    progress: Progress = no_progress,
) -> str:
    """End a run that was interrupted, by its journal.

    *prefix* is the real path. Returns one sentence on what was done, empty where there was
    nothing to do. Errors: `SinkError`.
    """
    with State(filesystem or Filesystem(), prefix, label) as state:
        return recover_locked(state, progress)


def recover_locked(state: State, progress: Progress = no_progress) -> str:
    """`recover` for a caller that holds the lock."""
    found = state.find()
    if found is None:
        return _CLEARED[_clear(state)]
    run = Run(state, found.journal, resumed=True)
    if found.phase is Phase.KEPT:
        return ""
    if found.phase is Phase.DROP:
        run.finish(Phase.DROP)
        return "an earlier run was interrupted after its verification; it is finished now"
    if found.phase is Phase.UNDO:
        run.undo(Phase.UNDO)
        return "an earlier run was interrupted while it was undone; it is undone now"
    if found.journal.verified:
        run.undo(Phase.APPLY)
        return "an earlier run was interrupted before its verification had passed; it is undone"
    run.apply(progress)
    if found.journal.mode == "move":
        run.settle()
    else:
        run.finish(Phase.APPLY)
    return "an earlier run was interrupted; it is finished now"


def is_pending(prefix: str) -> bool:
    """Whether a run on the prefix is under way, or was interrupted; nothing is touched."""
    folder = os.path.join(to_bytes(prefix), FOLDER)
    return os.path.isdir(folder) and not os.path.lexists(os.path.join(folder, Phase.KEPT.file))


def undo(
    prefix: str,
    label: str = "",
    *,
    forget: bool = False,
    filesystem: Filesystem | None = None,
) -> str:
    """Put everything back that the last run set aside; with *forget* delete it instead.

    Returns one sentence on what was done. Errors: `CannotUndo` where nothing is set aside (and
    nothing is touched then), `SinkError`.
    """
    with State(filesystem or Filesystem(), prefix, label) as state:
        found = state.find()
        if found is None:
            if _clear(state) == "begun":
                return "the interrupted run had not begun to remove; its traces are gone"
            raise CannotUndo(
                "there is no run that could be undone",
                where=state.label,
                remedy="Only a run with --undoable keeps what it removes; install the "
                "environment anew",
            )
        _refuse(state, found)
        run = Run(state, found.journal, resumed=True)
        if forget and found.phase is Phase.KEPT:
            run.finish(found.phase)
            return "what was set aside is deleted; the run cannot be undone any more"
        run.undo(found.phase)
        return "the environment is as it was before the run"


def _refuse(state: State, found: Found) -> None:
    if found.journal.mode == "unlink":
        raise CannotUndo(
            "the interrupted run deletes for good and cannot be undone, nothing was touched",
            where=state.label,
            remedy="Run condaprune on it to finish the run, or install the environment anew",
        )
    if found.phase is Phase.DROP:
        raise CannotUndo(
            "the run is verified and what it had set aside is partly deleted, nothing was touched",
            where=state.label,
            remedy="Run condaprune on it to finish the run",
        )


_CLEARED = {
    "nothing": "",
    "begun": "an earlier run was interrupted before it began to remove; its traces are gone",
    "finished": "an earlier run was interrupted at its very end; it is finished now",
}


def _clear(state: State) -> Left:
    try:
        return state.clear()
    except OSError as error:
        raise state.error("the traces of an interrupted run cannot be removed", error) from error
