"""Chooses the sink for a run: in place, or the output that ``-o`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from condaprune.errors import UsageProblem
from condaprune.sinks.base import CarryOut as Sink
from condaprune.sources.base import Source
from condaprune.sources.prefix import PrefixSource, check_not_own

if TYPE_CHECKING:
    from condaprune.sinks.inplace.sink import InPlaceOptions


def choose_sink(
    source: Source,
    output: str | None,
    *,
    force: bool,
    allow_self: bool,
    in_place: InPlaceOptions | None = None,
    **options: object,
) -> Sink:
    """The sink for *output*, or the prefix of *source* where that is None.

    Errors: `UsageProblem` for an archive without an output, `ProtectedPathError` for condaprune's
    own environment, `SinkError` for an output that cannot be written.
    """
    if output is not None:
        from condaprune.sinks.outputs.archive import open_sink

        prefix = source.prefix if isinstance(source, PrefixSource) else ""
        return open_sink(output, force=force, prefix=prefix, **options)  # type: ignore[arg-type]
    if not isinstance(source, PrefixSource):
        raise UsageProblem(
            "an archive cannot be pruned in place",
            where=source.label,
            remedy="Name the archive or folder to write with -o",
        )
    if not allow_self:
        check_not_own(source.prefix)
    from condaprune.sinks.inplace.sink import InPlaceSink

    return InPlaceSink(in_place)
