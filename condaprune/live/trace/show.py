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
_OVERFLOW = "events were lost: the trace is incomplete and cannot be used"


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
        askers = f"  <- {printable(', '.join(sorted(entry.askers)))}" if entry.askers else ""
        yield f"{entry.count:>7}  {kinds:<14}  {printable(path)}{askers}"


def _describe(run: Run) -> Iterator[str]:
    after = f" after {run.duration:.1f} s" if run.duration else ""
    where = f" on {run.filesystem}" if run.filesystem else ""
    names = ", ".join(printable(path) for path in run.changed[:3])
    facts = [
        ("prefix", printable(run.prefix)),
        ("command", command_text(run.command)),
        ("ended", f"{_ENDINGS[run.ended].format(code=run.exit_code)}{after}"),
        ("recorder", f"{', '.join(run.recorders)}{where}"),
        ("started", run.started),
        ("overflow", _OVERFLOW if run.overflow else ""),
        ("canary", run.canary),
        (
            "changed",
            f"{run.changes} entries of the prefix while it ran: {names}" if run.changes else "",
        ),
        *(("note", note) for note in run.notes),
    ]
    return (f"{name:<12}{printable(fact)}" for name, fact in facts if fact)


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
