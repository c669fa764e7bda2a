"""What a run in place tells its user beside the report: one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

from condaprune.model import Plan
from condaprune.paths import printable
from condaprune.sinks.inplace.run import Run
from condaprune.sinks.inplace.surroundings import in_lower_layer, is_overlay, running_from

_SHOWN = 5


def notes_before(prefix: str) -> list[str]:
    """Notes that are known before anything goes: the processes that use the prefix."""
    running = running_from(prefix)
    if not running:
        return []
    shown = ", ".join(f"{number} {printable(path)}" for number, path in running[:_SHOWN])
    more = f" and {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
    count = _count(len(running), "process uses", "processes use")
    what = "what is loaded goes on working, what is loaded later may be gone: restart them"
    return [f"{count} this environment: {shown}{more}; {what}"]


def note_on_layers(prefix: str, plan: Plan) -> list[str]:
    """A note where what goes seems to lie in a lower layer, so that the image keeps it."""
    if not is_overlay(prefix):
        return []
    paths = [entry.path for entry in plan.removed() if entry.kind == "file"]
    if not in_lower_layer(prefix, paths):
        return []
    note = (
        "this environment was installed in an earlier layer, which keeps what is removed here: "
        "this image gets no smaller. Take the environment into a final stage with COPY --from, "
        "or install and prune in one RUN"
    )
    return [note]


def notes_after(
    notes: list[str], kept: Mapping[str, str], run: Run | None = None, *, aside: bool = False
) -> list[str]:
    """All notes of a run. *kept* maps entries that stayed to the reason."""
    found = [note for note in notes if note]
    if kept:
        path, why = next(iter(kept.items()))
        more = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
        found.append(f"kept {printable(path)}, which {why}{more}")
    if run is not None and run.journal.mode == "move":
        if run.tally.copied:
            entries = _count(run.tally.copied, "entry", "entries")
            found.append(f"{entries} had to be copied to be set aside: no rename across layers")
        elif is_overlay(run.prefix):
            found.append(
                "on an overlay file system, setting aside copies each file of a lower layer first"
            )
    if aside:
        found.append(
            "what was removed is set aside in .condaprune and takes up space until "
            "`condaprune undo --forget`; `condaprune undo` puts it back"
        )
    return found


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
