"""What watches a run: one file a recorder, and one line here that registers it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from condaprune.errors import UsageProblem, nearest

if TYPE_CHECKING:
    from condaprune.live.trace.recorders.base import Recorder

# name (and module) -> class. Recorders are started in this order and stopped in the reverse one,
# so that what one of them does to the prefix (resetting times, reading folders) is not seen by
# another.
_RECORDERS = {
    "atime": "AtimeRecorder",
    "inotify": "InotifyRecorder",
    "strace": "StraceRecorder",
    "audit": "AuditRecorder",
}
NAMES = tuple(_RECORDERS)
FALLBACKS = ("inotify", "strace", "atime")
"""What ``auto`` takes: the first of these that works here."""


def make_recorder(name: str, prefix: str, scratch: str) -> Recorder:
    """The recorder called *name* for the real path *prefix*; *scratch* is a folder for its files.

    Errors: `UsageProblem` for an unknown name.
    """
    if name not in _RECORDERS:
        raise UsageProblem(
            f"there is no recorder {name!r}", where="--recorder", remedy=nearest(name, NAMES)
        )
    module = import_module(f"{__name__}.{name}")
    recorder: Recorder = getattr(module, _RECORDERS[name])(prefix, scratch)
    return recorder
