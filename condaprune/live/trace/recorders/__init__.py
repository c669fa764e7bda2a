"""What watches a run: one file a recorder, and one line here that registers it.

Recorders are started in this order and stopped in the reverse one, so that what one of them does
to the prefix (resetting times, reading folders) is not seen by another.
"""

from __future__ import annotations

from condaprune.errors import UsageProblem, nearest
from condaprune.live.trace.recorders.atime import AtimeRecorder
from condaprune.live.trace.recorders.audit import AuditRecorder
from condaprune.live.trace.recorders.base import Recorder
from condaprune.live.trace.recorders.inotify import InotifyRecorder
from condaprune.live.trace.recorders.strace import StraceRecorder

RECORDERS: tuple[type[Recorder], ...] = (
    AtimeRecorder,
    InotifyRecorder,
    StraceRecorder,
    AuditRecorder,
)
NAMES = tuple(recorder.name for recorder in RECORDERS)
FALLBACKS = (InotifyRecorder.name, StraceRecorder.name, AtimeRecorder.name)
"""What ``auto`` takes: the first of these that works here."""


def make_recorder(name: str, prefix: str, scratch: str) -> Recorder:
    """The recorder called *name* for the real path *prefix*; *scratch* is a folder for its files.

    Errors: `UsageProblem` for an unknown name.
    """
    for recorder in RECORDERS:
        if recorder.name == name:
            return recorder(prefix, scratch)
    raise UsageProblem(
        f"there is no recorder {name!r}", where="--recorder", remedy=nearest(name, NAMES)
    )
