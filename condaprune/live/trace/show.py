"""A trace for people: its runs, then one line an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from condaprune.errors import TraceError, UsageProblem, nearest
from condaprune.model import Inventory, Owner
from condaprune.paths import printable, sort_key
from condaprune.traces.trace import KINDS, Run, Trace, shown


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
    owned = _owned(trace, package, prefix) if package else None
    chosen = [
        path
        for path in sorted(trace.entries, key=sort_key)
        if (kind is None or kind in trace.entries[path].kinds) and (owned is None or path in owned)
    ]
    for run in trace.header.runs:
        yield from _describe(run)
    yield (
        f"{len(chosen)} of {len(trace.entries)} entries"
        if package or kind
        else (f"{len(chosen)} entries")
    )
    yield ""
    for path in chosen:
        entry = trace.entries[path]
        kinds = ",".join(known for known in KINDS if known in entry.kinds)
        asked = f"  <- {', '.join(sorted(entry.askers))}" if entry.askers else ""
        yield f"{entry.count:>7}  {kinds:<14}  {printable(path)}{asked}"


def _describe(run: Run) -> Iterator[str]:
    yield f"prefix      {printable(run.prefix)}"
    if run.command:
        yield f"command     {shown(run.command)}"
    ended = {
        "exit": f"exit code {run.exit_code}",
        "signal": f"exit code {run.exit_code}, ended by a signal that was passed on",
        "time": f"exit code {run.exit_code}, ended when its time was up",
        "attached": "attached to what ran",
        "imported": "imported",
    }[run.ended]
    yield f"ended       {ended}" + (f" after {run.duration:.1f} s" if run.duration else "")
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


def _owned(trace: Trace, package: str, prefix: str | None) -> frozenset[str]:
    """The entries that a package owns, those it would own by bytecode included."""
    from condaprune.errors import SourceError
    from condaprune.names import canonical_name
    from condaprune.sources.prefix import PrefixSource

    where = prefix or trace.header.prefix
    try:
        inventory = PrefixSource(where).inventory()
    except SourceError as error:
        raise TraceError(
            f"who owns what cannot be read: {error.what}",
            where=where,
            remedy="Name the environment with `--prefix ENV`",
        ) from error
    wanted = canonical_name(package.rpartition(":")[2])
    found = _by_name(inventory)
    if wanted not in found:
        raise UsageProblem(
            f"there is no package {package!r} in {where}",
            where="--package",
            remedy=nearest(wanted, [*found]),
        )
    return frozenset(found[wanted])


def _by_name(inventory: Inventory) -> Mapping[str, list[str]]:
    from condaprune.names import canonical_name

    found: dict[str, list[str]] = {}
    packages: list[Owner] = [*inventory.records, *inventory.distributions]
    for package in packages:
        found.setdefault(canonical_name(package.name), [])
    for path, owners in inventory.owners.items():
        for name in {canonical_name(owner.name) for owner in owners}:
            found[name].append(path)
    return found
