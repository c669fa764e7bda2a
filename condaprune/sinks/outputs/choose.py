"""Chooses the sink for a run: in place, or the output that ``-o`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from condaprune.errors import UsageProblem
from condaprune.model import Outcome, Plan, Progress
from condaprune.sinks.base import CarryOut, Sink
from condaprune.sources.base import Source
from condaprune.sources.prefix import PrefixSource, check_not_own

if TYPE_CHECKING:
    from condaprune.sinks.inplace.sink import InPlaceSink


class WholeSink:
    """An output that is written in one go, as sink."""

    def __init__(self, output: CarryOut) -> None:
        self._output = output

    def begin(self, plan: Plan, source: Source) -> WholeRun:
        """See `Sink`."""
        return WholeRun(self._output, plan, source)

    def close(self) -> None:
        """Nothing is held."""


class WholeRun:
    """The run of a `WholeSink`: all is done by `apply`."""

    def __init__(self, output: CarryOut, plan: Plan, source: Source) -> None:
        self._output = output
        self._plan = plan
        self._source = source

    def apply(self, progress: Progress) -> None:
        """See `Run`."""
        self._outcome = self._output.carry_out(self._plan, self._source, progress)

    def commit(self) -> Outcome:
        """See `Run`."""
        return self._outcome

    def undo(self) -> None:
        """The output cleaned up after itself."""


def choose_sink(
    source: Source,
    output: str | None,
    *,
    force: bool,
    allow_self: bool,
    **options: object,
) -> Sink:
    """The sink for *output*, or the prefix of *source* where that is None.

    Errors: `UsageProblem` for an archive without an output, `ProtectedPathError` for condaprune's
    own environment, `SinkError` for an output that cannot be written.
    """
    if output is not None:
        from condaprune.sinks.outputs.archive import open_sink

        prefix = source.prefix if isinstance(source, PrefixSource) else ""
        return WholeSink(open_sink(output, force=force, prefix=prefix, **options))  # type: ignore[arg-type]
    return choose_in_place(source, allow_self=allow_self)


def choose_in_place(
    source: Source, *, allow_self: bool, verified: bool = False, undoable: bool = False
) -> InPlaceSink:
    """The prefix of *source* as sink. Errors: `UsageProblem`, `ProtectedPathError`."""
    if not isinstance(source, PrefixSource):
        raise UsageProblem(
            "an archive cannot be pruned in place",
            where=source.label,
            remedy="Name the archive or folder to write with -o",
        )
    if not allow_self:
        check_not_own(source.prefix)
    from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink

    return InPlaceSink(InPlaceOptions(verified=verified, undoable=undoable))
