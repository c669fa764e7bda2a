"""The report of a prune as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from condaprune.model import Outcome, Plan
from condaprune.paths import printable
from condaprune.planning.account import Account, Row
from condaprune.report.layout import Show, share, size, table

_TOP_KEPT = 10


@dataclass(frozen=True, slots=True)
class Prune:
    """A plan with its account, and its outcome where it was carried out (None: a dry run)."""

    plan: Plan
    account: Account
    outcome: Outcome | None


def prune(prune: Prune, show: Show) -> str:
    """The report: before, after, saved, a row a rule, what was kept against a rule and why."""
    return "\n".join(_lines(prune, show.verbose)) + "\n"


def _lines(prune: Prune, verbose: int) -> Iterator[str]:
    plan, account, outcome = prune.plan, prune.account, prune.outcome
    done = "would be pruned" if outcome is None else "pruned"
    part = share(account.saved_bytes, account.bytes_before)
    yield f"{printable(plan.inventory.label)} {done} with profile {plan.profile}"
    yield ""
    yield f"  before  {size(account.bytes_before):>8}  {account.files_before:>8,} files"
    yield f"  after   {size(account.bytes_after):>8}  {account.files_after:>8,} files"
    yield f"  saved   {size(account.saved_bytes):>8}  {account.saved_files:>8,} files  {part:>7}"
    if outcome is not None and outcome.output:
        packed = f", {size(outcome.output_size)}" if outcome.output_size else ""
        yield f"  written {printable(outcome.output)}{packed}"
    if account.shared_bytes:
        shared = size(account.shared_bytes)
        yield f"  {shared} of that is shared with files outside the environment by hard links"
        yield "  (the package cache): the disk gets it back when those files go too"
    rows = list(account.rules)
    if account.rewritten.files:
        rows.append(account.rewritten)
    if rows:
        yield ""
        yield from _rows("rule", rows, account.bytes_before)
    if account.kept:
        yield ""
        yield from _rows("kept against a rule", account.kept, account.bytes_before)
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


def _rows(title: str, rows: Sequence[Row], whole: int) -> Iterator[str]:
    yield from table(
        title,
        (("files", 8), ("bytes", 8), ("share", 7)),
        (
            (printable(row.name), (f"{row.files:,}", size(row.bytes), share(row.bytes, whole)))
            for row in rows
        ),
    )


def _reasons(plan: Plan, verbose: int) -> Iterator[str]:
    """The largest files that a guard or a trace keeps against a rule, with the reason."""
    entries = plan.inventory.entries
    kept = [
        (entries[path], decision)
        for path, decision in plan.decisions.items()
        if decision.because
        and decision.wanted
        and not decision.remove
        and entries[path].kind != "folder"
    ]
    kept.sort(key=lambda pair: (-pair[0].size, pair[0].path))
    shown = kept if verbose else kept[:_TOP_KEPT]
    if shown:
        yield ""
        yield "  kept against a rule, largest first"
    for entry, decision in shown:
        yield f"  {size(entry.size):>8}  {printable(entry.path)}"
        reason = f"{decision.name or decision.basis}: {printable(decision.because)}"
        yield f"            {reason} (wanted by {decision.wanted})"
    if len(kept) > len(shown):
        yield f"  ... and {len(kept) - len(shown):,} more (-v shows all, `condaprune explain` any)"
