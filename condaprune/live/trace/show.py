"""A trace as text: its runs, then one line an entry."""

from __future__ import annotations

from collections.abc import Iterator

from condaprune.errors import SourceError, TraceError, UsageProblem, nearest
from condaprune.paths import printable, sort_key
from condaprune.sources.packages import make_graph
from condaprune.sources.prefix import PrefixSource
from condaprune.traces.trace import KINDS, Ending, Run, Trace, command_text

_ENDINGS: dict[Ending, str] = {
    "exit": "exit code {code}",
    "signal": "exit code {code}, ended by a signal that was passed on",
    "time": "exit code {code}, ended when its time was up",
    "attached": "attached to running processes",
    "imported": "imported",
}


def render_trace(
    trace: Trace, *, package: str | None = None, kind: str | None = None, prefix: str | None = None
) -> Iterator[str]:
    """The lines that ``condaprune trace show`` prints.

    *package* is the name of a conda package or a distribution, *kind* one of `KINDS`; both narrow
    the entries. Owners are read from *prefix*, or else from where the trace was recorded. Errors:
    `UsageProblem` for an unknown kind or package, `TraceError` where owners cannot be read.
    """
    if kind is not None and kind not in KINDS:
        raise UsageProblem(
            f"there is no kind {kind!r}", where="--kind", remedy=nearest(kind, KINDS)
        )
    owned = _owned(package, prefix or trace.prefix) if package else None
    chosen = [
        path
        for path in sorted(trace.entries, key=sort_key)
        if (kind is None or kind in trace.entries[path].kinds) and (owned is None or path in owned)
    ]
    for run in trace.runs:
        yield from _describe(run)
    total = f" of {len(trace.entries)}" if package or kind else ""
    yield f"{len(chosen)}{total} entries"
    yield ""
    for path in chosen:
        entry = trace.entries[path]
        kinds = ",".join(known for known in KINDS if known in entry.kinds)
        askers = f"  <- {', '.join(sorted(entry.askers))}" if entry.askers else ""
        yield f"{entry.count:>7}  {kinds:<14}  {printable(path)}{askers}"


def _describe(run: Run) -> Iterator[str]:
    yield f"prefix      {printable(run.prefix)}"
    if run.command:
        yield f"command     {command_text(run.command)}"
    after = f" after {run.duration:.1f} s" if run.duration else ""
    yield f"ended       {_ENDINGS[run.ended].format(code=run.exit_code)}{after}"
    where = f" on {run.filesystem}" if run.filesystem else ""
    yield f"recorder    {', '.join(run.recorders)}{where}"
    if run.started:
        yield f"started     {run.started}"
    if run.overflow:
        yield "overflow    events were lost: the trace is incomplete and cannot be used"
    if run.canary:
        yield f"canary      {run.canary}"
    if run.changes:
        names = ", ".join(printable(path) for path in run.changed[:3])
        yield f"changed     {run.changes} entries of the prefix while it ran: {names}"
    for note in run.notes:
        yield f"note        {note}"


def _owned(package: str, prefix: str) -> frozenset[str]:
    """The entries that a package owns, bytecode made since its installation included."""
    try:
        inventory = PrefixSource(prefix).inventory()
    except SourceError as error:
        raise TraceError(
            f"the packages of the environment cannot be read: {error.what}",
            where=prefix,
            remedy="Name the environment with `--prefix ENV`",
        ) from error
    graph = make_graph(inventory)
    labels = graph.find_all(package, "--package")
    return frozenset(
        path
        for path, owners in inventory.owners.items()
        if any(graph.label(owner) in labels for owner in owners)
    )
