"""What watches a run: one file a recorder, one line here that registers it.

Recorders are started in the order of `ORDER` and stopped in the reverse one, so that what one
of them does to the prefix (resetting times, reading folders) is not seen by another.
"""

from __future__ import annotations

from condaprune.errors import UsageProblem, nearest
from condaprune.live.trace.recorders.base import Recorder

ORDER = ("atime", "inotify", "strace", "audit")


def make_recorder(name: str, prefix: str, scratch: str) -> Recorder:
    """The recorder called *name* for the real path *prefix*; *scratch* is a folder of its own.

    Errors: `UsageProblem` for an unknown name.
    """
    if name == "inotify":
        from condaprune.live.trace.recorders.inotify import InotifyRecorder

        return InotifyRecorder(prefix)
    if name == "strace":
        from condaprune.live.trace.recorders.strace import StraceRecorder

        return StraceRecorder(prefix, scratch)
    if name == "atime":
        from condaprune.live.trace.recorders.atime import AtimeRecorder

        return AtimeRecorder(prefix)
    if name == "audit":
        from condaprune.live.trace.recorders.audit import AuditRecorder

        return AuditRecorder(prefix, scratch)
    raise UsageProblem(
        f"there is no recorder {name!r}", where="--recorder", remedy=nearest(name, ORDER)
    )
