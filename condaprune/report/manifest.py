"""The manifest: the machine-readable record of a plan as carried out."""

from __future__ import annotations

from typing import Any

from condaprune.model import Outcome, Plan, Rule
from condaprune.planning.account import Account, Row
from condaprune.version import __version__

SCHEMA = 1


def make_manifest(plan: Plan, account: Account, outcome: Outcome | None) -> dict[str, Any]:
    """The manifest as JSON-ready data, `schema` 1; docs/manifest.md describes each field.

    Bytes of a path that are not UTF-8 become lone surrogates (Python's ``surrogateescape``).
    """
    inventory = plan.inventory
    by_id = {rule.id: rule for rule in plan.rules}
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
        "rules": [_rule_row(row, by_id.get(row.name)) for row in account.rules],
        "rewritten": {
            "files": account.rewritten.files,
            "bytes": account.rewritten.bytes,
            "paths": [
                {
                    "path": edit.path,
                    "bytes": edit.size(_old_size(plan, edit.path)),
                    "because": edit.because,
                }
                for edit in plan.edits
            ],
        },
        "kept": [_row(row) for row in account.kept],
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


def _old_size(plan: Plan, path: str) -> int:
    entry = plan.inventory.entries.get(path)
    return entry.size if entry is not None else 0


def _row(row: Row) -> dict[str, Any]:
    return {"name": row.name, "files": row.files, "bytes": row.bytes}


def _rule_row(row: Row, rule: Rule | None) -> dict[str, Any]:
    """A rule's row with its announced breakage, which `verify` does not count as a loss."""
    if rule is None:
        return _row(row)
    return {**_row(row), "risk": rule.risk, "breaks": list(rule.breaks)}
