"""Notes for the user on a run in place: who uses the prefix, its layers, the entries that stay."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from condaprune.model import Plan
from condaprune.paths import printable, to_bytes
from condaprune.proc import mount_of, running_from
from condaprune.sinks.attributes import note_on_lost
from condaprune.sinks.inplace.steps import Tally

NOT_NOTED = (
    "there is no private folder to note this run in (XDG_STATE_HOME, or a home folder of your own "
    "that can be written to, and outside of the environment): its journal will not be known as "
    "yours, and `condaprune undo` will ask for --trust-journal"
)
_SHOWN = 5
_SAMPLE = 200


def notes_before(prefix: str) -> list[str]:
    """A note on the processes that use the prefix."""
    running = running_from(prefix)
    if not running:
        return []
    shown = ", ".join(f"{number} {printable(path)}" for number, path in running[:_SHOWN])
    more = f" and {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
    count = _count(len(running), "process uses", "processes use")
    advice = "files that are loaded go on working, files loaded later may be gone: restart them"
    return [f"{count} this environment: {shown}{more}; {advice}"]


def note_on_layers(prefix: str, plan: Plan) -> list[str]:
    """A note where the removed files seem to lie in a lower layer, so that the image keeps them."""
    if mount_of(prefix).kind != "overlay":
        return []
    paths = [entry.path for entry in plan.removed() if entry.kind == "file"]
    if not in_lower_layer(prefix, paths):
        return []
    note = (
        "this environment was installed in an earlier layer, which keeps the files removed here: "
        "this image gets no smaller. Take the environment into a final stage with COPY --from, "
        "or install and prune in one RUN"
    )
    return [note]


def notes_after(prefix: str, tally: Tally, *, moved: bool, undoable: bool) -> list[str]:
    """Notes on how the removed entries were set aside, where they were *moved*."""
    notes: list[str] = []
    if tally.copied:
        entries = _count(tally.copied, "entry", "entries")
        notes.append(f"{entries} had to be copied to be set aside: no rename across layers")
    elif moved and mount_of(prefix).kind == "overlay":
        notes.append(
            "on an overlay file system, setting aside copies each file of a lower layer first"
        )
    notes += note_on_lost(tally.bare, "could not be kept")
    if undoable:
        notes.append(
            "the removed files are set aside in .condaprune and take up space until "
            "`condaprune undo --forget`; `condaprune undo` puts them back"
        )
    return notes


def note_on_kept(kept: Mapping[str, str]) -> list[str]:
    """A note on entries that stayed although the plan removes them; *kept* maps them to why."""
    if not kept:
        return []
    path, why = next(iter(kept.items()))
    more = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
    return [f"kept {printable(path)}, which {why}{more}"]


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def in_lower_layer(prefix: str, paths: Sequence[str]) -> bool:
    """Whether entries of a prefix seem to lie in a lower layer of an overlay, most of them.

    There removing them hides them and frees nothing. Where the upper layer is in sight that is
    looked up; in a container, what was changed before its first process began is from below.
    """
    mount = mount_of(prefix)
    if mount.kind != "overlay" or not paths:
        return False
    sample = [f"{prefix}/{path}" for path in paths[:: max(1, len(paths) // _SAMPLE)]]
    upper = mount.option("upperdir")
    if upper and os.path.isdir(to_bytes(upper)):
        start = len(mount.point)
        below = [not os.path.lexists(to_bytes(f"{upper}/{path[start:]}")) for path in sample]
    else:
        began = _container_start()
        below = [_changed(path) < began for path in sample]
    return 2 * sum(below) > len(below)


def _changed(path: str) -> float:
    try:
        return os.lstat(to_bytes(path)).st_ctime
    except OSError:
        return float("inf")


def _container_start() -> float:
    """When process 1 began, in seconds since the epoch and not too late; 0 where unknown."""
    try:
        with open("/proc/1/stat", "rb") as stream:
            ticks = int(stream.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", "rb") as stream:
            (boot,) = (line.split()[1] for line in stream if line.startswith(b"btime "))
    except (OSError, ValueError, IndexError):
        return 0.0
    return int(boot) + ticks / os.sysconf("SC_CLK_TCK") - 1
