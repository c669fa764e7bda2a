"""The report of a prune: as text, and as the manifest, its machine-readable record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from condaprune.model import Outcome, Plan
from condaprune.planning.account import Account, Row
from condaprune.report.layout import Column, Show, share, size, table
from condaprune.version import __version__

SCHEMA = 1
"""The schema of a manifest."""
_TOP_KEPT = 10


@dataclass(frozen=True, slots=True)
class Prune:
    """A plan with its account, and its outcome where it was carried out (None: a dry run)."""

    plan: Plan
    account: Account
    outcome: Outcome | None


def prune_as_text(prune: Prune, show: Show) -> Iterator[str]:
    """The report: before, after, saved, a row a rule, what was kept against a rule and why."""
    plan, account, outcome = prune.plan, prune.account, prune.outcome
    done = "would be pruned" if outcome is None else "pruned"
    part = share(account.saved_bytes, account.bytes_before)
    yield f"{plan.inventory.label} {done} with profile {plan.profile}"
    yield from ("", f"  before  {size(account.bytes_before):>8}  {account.files_before:>8,} files")
    yield f"  after   {size(account.bytes_after):>8}  {account.files_after:>8,} files"
    yield f"  saved   {size(account.saved_bytes):>8}  {account.saved_files:>8,} files  {part:>7}"
    if outcome is not None and outcome.output:
        packed = f", {size(outcome.output_size)}" if outcome.output_size else ""
        yield f"  written {outcome.output}{packed}"
    if account.shared_bytes:
        shared = size(account.shared_bytes)
        yield f"  {shared} of that is shared with files outside the environment by hard links"
        yield "  (the package cache): the disk gets it back when those files go too"
    rewritten = (account.rewritten,) if account.rewritten.files else ()
    yield from _rows("rule", account, (*account.rules, *rewritten))
    yield from _rows("kept against a rule", account, account.kept)
    yield from _reasons(plan, show.verbose)
    if plan.guards_off:
        yield from ("", f"guards switched off: {', '.join(plan.guards_off)}")
    for note in plan.notes:
        yield from ("", f"note: {note}")
    if show.verbose > 1:
        yield ""
        yield from (f"removed {e.path}" for e in plan.removed())


def _rows(title: str, account: Account, rows: Sequence[Row]) -> Iterator[str]:
    columns: list[Column[Row]] = [
        Column("files", 8, lambda row: f"{row.files:,}"),
        Column("bytes", 8, lambda row: size(row.bytes)),
        Column("share", 7, lambda row: share(row.bytes, account.bytes_before)),
    ]
    if rows:
        yield ""
        yield from table(title, columns, ((row.name, row) for row in rows))


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
        yield from ("", "  kept against a rule, largest first")
    for entry, decision in shown:
        yield f"  {size(entry.size):>8}  {entry.path}"
        reason = f"{decision.name or decision.basis}: {decision.because}"
        yield f"            {reason} (wanted by {decision.wanted})"
    if len(kept) > len(shown):
        yield f"  ... and {len(kept) - len(shown):,} more (-v shows all, `condaprune explain` any)"


def prune_as_json(prune: Prune, _show: Show) -> Iterator[str]:
    """The manifest."""
    yield json.dumps(make_manifest(prune.plan, prune.account, prune.outcome), indent=1)


def make_manifest(plan: Plan, account: Account, outcome: Outcome | None) -> dict[str, Any]:
    """The manifest as JSON-ready data, `schema` 1; docs/manifest.md describes each field.

    Bytes of a path that are not UTF-8 become lone surrogates (Python's ``surrogateescape``).
    """
    inventory = plan.inventory
    entries = inventory.entries
    # With the announced breakage of a rule, which `verify` does not count as a loss.
    announced = {rule.id: {"risk": rule.risk, "breaks": list(rule.breaks)} for rule in plan.rules}
    return {
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        "environment": {
            "label": inventory.label,
            "prefix": inventory.prefix,
            "platform": inventory.layout.platform,
            "python": inventory.layout.python,
            "packages": sorted(f"{owner.label}=={owner.version}" for owner in inventory.packages),
        },
        "dry_run": outcome is None,
        "profile": plan.profile,
        "guards": {"ran": list(plan.guards), "off": list(plan.guards_off)},
        "before": {"files": account.files_before, "bytes": account.bytes_before},
        "after": {"files": account.files_after, "bytes": account.bytes_after},
        "saved": {
            "files": account.saved_files,
            "bytes": account.saved_bytes,
            "shared_bytes": account.shared_bytes,
        },
        "output": None if outcome is None or not outcome.output else _output(outcome),
        "rules": [{**asdict(row), **announced.get(row.name, {})} for row in account.rules],
        "rewritten": {
            "files": account.rewritten.files,
            "bytes": account.rewritten.bytes,
            "paths": [
                {
                    "path": edit.path,
                    "bytes": edit.size(entries[edit.path].size if edit.path in entries else 0),
                    "because": edit.because,
                }
                for edit in plan.edits
            ],
        },
        "kept": [asdict(row) for row in account.kept],
        "kept_against_a_rule": [
            {
                "path": path,
                "wanted": decision.wanted,
                "basis": decision.basis,
                "name": decision.name,
                "because": decision.because,
            }
            for path, decision in sorted(plan.decisions.items())
            if decision.wanted and not decision.remove
        ],
        "removed": [
            {
                "path": entry.path,
                "kind": entry.kind,
                "bytes": account.count.freed(entry),
                "rule": plan.decision(entry.path).name,
            }
            for entry in plan.removed()
        ],
        "notes": list(plan.notes),
    }


def _output(outcome: Outcome) -> dict[str, Any]:
    return {
        "path": outcome.output,
        "bytes": outcome.output_size,
        "format": outcome.format,
        "content_bytes": outcome.content_bytes,
        "compressor": outcome.compressor,
        "added": list(outcome.added),
        "notes": list(outcome.notes),
    }
