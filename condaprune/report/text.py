"""The report of a prune as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.model import Outcome, Plan
from condaprune.paths import printable
from condaprune.planning.account import Account, Row
from condaprune.report.units import share, size

_TOP_KEPT = 10


def render(plan: Plan, account: Account, outcome: Outcome | None, *, verbose: int = 0) -> str:
    """The report: before, after, saved, a row a rule, what was kept against a rule and why.

    *outcome* is None for a dry run.
    """
    return "\n".join(_lines(plan, account, outcome, verbose)) + "\n"


def _lines(plan: Plan, account: Account, outcome: Outcome | None, verbose: int) -> Iterator[str]:
    what = "would be pruned" if outcome is None else "pruned"
    yield f"{printable(plan.inventory.label)} {what} with profile {plan.profile}"
    yield ""
    yield f"  before  {size(account.bytes_before):>8}  {account.files_before:>8,} files"
    yield f"  after   {size(account.bytes_after):>8}  {account.files_after:>8,} files"
    yield (
        f"  saved   {size(account.saved_bytes):>8}  "
        f"{account.files_before - account.files_after:>8,} files"
        f"  {share(account.saved_bytes, account.bytes_before):>7}"
    )
    if outcome is not None and outcome.output:
        packed = f", {size(outcome.output_size)}" if outcome.output_size else ""
        yield f"  written {printable(outcome.output)}{packed}"
    if account.shared_bytes:
        yield (
            f"  {size(account.shared_bytes)} of what goes is shared with files outside of the "
            "environment by hard links"
        )
        yield "  (the package cache): the disk gets that back when those go too"
    rows = list(account.rules)
    if account.rewritten.files:
        rows.append(account.rewritten)
    if rows:
        yield ""
        yield from _table("rule", rows, account.bytes_before)
    if account.kept:
        yield ""
        yield from _table("kept against a rule", account.kept, account.bytes_before)
        yield from _reasons(plan, verbose)
    if plan.guards_off:
        yield ""
        yield f"guards switched off: {', '.join(plan.guards_off)}"
    for note in plan.notes:
        yield ""
        yield f"note: {note}"
    if verbose > 1:
        yield ""
        yield from (f"removed {printable(e.path)}" for e in plan.removed())


def _table(title: str, rows: Sequence[Row], whole: int) -> Iterator[str]:
    width = max(len(title), *(len(row.name) for row in rows))
    yield f"  {title:<{width}}     files     bytes    share"
    for row in rows:
        yield (
            f"  {printable(row.name):<{width}}  {row.files:>8,}  {size(row.bytes):>8}  "
            f"{share(row.bytes, whole):>7}"
        )


def _reasons(plan: Plan, verbose: int) -> Iterator[str]:
    """The largest files that a guard, a trace or a keep holds against a rule, with the reason."""
    entries = plan.inventory.entries
    held = [
        (entries[path], decision)
        for path, decision in plan.decisions.items()
        if decision.because
        and decision.wanted
        and not decision.remove
        and entries[path].kind != "folder"
    ]
    held.sort(key=lambda pair: (-pair[0].size, pair[0].path))
    shown = held if verbose else held[:_TOP_KEPT]
    if shown:
        yield ""
        yield "  kept against a rule, largest first"
    for entry, decision in shown:
        yield f"  {size(entry.size):>8}  {printable(entry.path)}"
        reason = f"{decision.name}: {printable(decision.because)}"
        yield f"            {reason} (wanted by {decision.wanted})"
    if len(held) > len(shown):
        yield f"  ... and {len(held) - len(shown):,} more (-v shows all, `condaprune explain` any)"
