"""The prefix itself as sink: journalled, and undone by its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from condaprune.errors import SinkError
from condaprune.model import Outcome, Plan, Progress, unique_bytes
from condaprune.paths import printable
from condaprune.processes import running_from
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.prepare import foresee, make_journal
from condaprune.sinks.inplace.run import JournalRun, recover_locked
from condaprune.sinks.inplace.state import State
from condaprune.sinks.inplace.surroundings import in_lower_layer, is_overlay
from condaprune.sources.base import Source

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class InPlaceOptions:
    """How a run in place is carried out.

    `verified` is for a run that is looked at between `apply` and `commit`: interrupted in between,
    it is undone. `undoable` keeps the removed entries after the `commit`. With either, entries are
    set aside by renames; without, they are unlinked in an order that keeps the prefix usable.
    """

    verified: bool = False
    undoable: bool = False
    filesystem: Filesystem = field(default_factory=Filesystem)


class InPlaceSink:
    """Carries a plan out in the prefix it was made for, whole or not at all."""

    def __init__(self, options: InPlaceOptions | None = None) -> None:
        self._options = options or InPlaceOptions()
        self._state: State | None = None
        self._notes: list[str] = []
        self._stale = False

    def begin(self, plan: Plan, source: Source) -> InPlaceRun:
        """Lock the prefix, recover an interrupted run, and write the journal.

        Errors: `SinkError`; the prefix is as it was then.
        """
        state = self._state or self._open(plan)
        options = self._options
        journal, kept = make_journal(
            plan,
            state.prefix,
            mode="move" if options.verified or options.undoable else "unlink",
            verified=options.verified,
        )
        if journal is None:
            return InPlaceRun(plan, None, kept, self._notes)
        _refuse_undoable(state)
        state.begin(journal)
        foreseen = None if self._stale else foresee(plan, journal)
        run = JournalRun(state, journal, foreseen=foreseen)
        return InPlaceRun(plan, run, kept, self._notes, undoable=options.undoable)

    def _open(self, plan: Plan) -> State:
        prefix, label = plan.inventory.prefix, plan.inventory.label
        state = self._state = State(self._options.filesystem, prefix, label)
        recovered = recover_locked(state)
        self._stale = bool(recovered)  # the inventory was taken before
        self._notes = [recovered] if recovered else []
        self._notes += [*notes_before(prefix), *note_on_layers(prefix, plan)]
        return state

    def close(self) -> None:
        """Release the lock."""
        if self._state is not None:
            self._state.close()
            self._state = None


class InPlaceRun:
    """A plan that is carried out in its prefix.

    `changes` is the run of its journal, of which single removals can be restored; None where there
    is nothing to do.
    """

    def __init__(
        self,
        plan: Plan,
        changes: JournalRun | None,
        kept: Mapping[str, str],
        notes: list[str],
        *,
        undoable: bool = False,
    ) -> None:
        self.changes = changes
        self._plan = plan
        self._kept = kept
        self._notes = notes
        self._undoable = undoable

    def apply(self, progress: Progress) -> None:
        """Remove and rewrite. Errors: `SinkError`."""
        if self.changes:
            self.changes.apply(progress)

    def undo(self) -> None:
        """Put everything back. A run that unlinks is left as it is: the next one finishes it.

        Errors: `SinkError`.
        """
        if self.changes and self.changes.journal.mode == "move":
            self.changes.undo()

    def commit(self) -> Outcome:
        """Make the run final, or keep it undoable, and measure it. Errors: `SinkError`."""
        run = self.changes
        if run is None:
            size = unique_bytes(self._plan.inventory.entries.values())
            return Outcome(size, size, notes=(*self._notes, *note_on_kept(self._kept)))
        if self._undoable:
            run.keep()
        else:
            run.finish()
        kept = {**self._kept, **run.tally.kept}
        return Outcome(
            bytes_before=run.journal.pruning.bytes_before,
            bytes_after=run.bytes_after,
            notes=(*self._notes, *note_on_kept(kept), *self._notes_after(run)),
            own_files=run.status_added.files,
            own_bytes=run.status_added.bytes,
        )

    def _notes_after(self, run: JournalRun) -> list[str]:
        notes: list[str] = []
        if run.tally.copied:
            entries = _count(run.tally.copied, "entry", "entries")
            notes.append(f"{entries} had to be copied to be set aside: no rename across layers")
        elif run.journal.mode == "move" and is_overlay(self._plan.inventory.prefix):
            notes.append(
                "on an overlay file system, setting aside copies each file of a lower layer first"
            )
        if self._undoable:
            notes.append(
                "the removed files are set aside in .condaprune and take up space until "
                "`condaprune undo --forget`; `condaprune undo` puts them back"
            )
        return notes


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
    if not is_overlay(prefix):
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


def note_on_kept(kept: Mapping[str, str]) -> list[str]:
    """A note on entries that stayed although the plan removes them; *kept* maps them to why."""
    if not kept:
        return []
    path, why = next(iter(kept.items()))
    more = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
    return [f"kept {printable(path)}, which {why}{more}"]


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _refuse_undoable(state: State) -> None:
    """Refuse a prefix with an undoable run. Errors: `SinkError`."""
    if state.find() is not None:
        raise SinkError(
            "an earlier run with --undoable still holds the files it removed, nothing was touched",
            where=state.label,
            remedy="Undo it with `condaprune undo`, or delete them with "
            "`condaprune undo --forget`, then run condaprune again",
        )
