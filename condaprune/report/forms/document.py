"""Audits, comparisons and verdicts as JSON; docs/audit.schema.json describes that of an audit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from condaprune.report.audit.saved import SCHEMA, to_json
from condaprune.report.layout import Show, ratio
from condaprune.version import __version__

if TYPE_CHECKING:
    from condaprune.report.audit.check import Verdict
    from condaprune.report.audit.compare import Change, Comparison
    from condaprune.report.audit.model import Audit, Row


def audit_as_json(audit: Audit, show: Show) -> Iterator[str]:
    """The document of an audit; it can be audited and compared again."""
    yield to_json(audit, files=show.files).removesuffix("\n")


def comparison_as_json(comparison: Comparison, _show: Show) -> Iterator[str]:
    """The comparison with all its changes."""
    return document(
        "diff",
        {
            "before": comparison.before.label,
            "after": comparison.after.label,
            "measures": comparison.measures,
            "total": _change(comparison.total, comparison),
            "views": {
                name: [_change(change, comparison) for change in changes]
                for name, changes in comparison.views.items()
            },
        },
    )


def verdict_as_json(verdict: Verdict, _show: Show) -> Iterator[str]:
    """The verdict with all its findings."""
    return document(
        "check",
        {
            "environment": verdict.audit.label,
            "baseline": verdict.baseline.label if verdict.baseline else None,
            "passed": not verdict.failed,
            "checks": [
                {
                    "scope": finding.limit.scope,
                    "name": finding.limit.name,
                    "kind": finding.kind,
                    "measure": finding.limit.measure,
                    "passed": finding.kept,
                    "actual": finding.actual,
                    "limit": finding.allowed,
                    "over": finding.over,
                    "baseline": finding.base,
                    "text": finding.text,
                    "message": finding.limit.message,
                }
                for finding in verdict.findings
            ],
            "grew_most": [
                {
                    "name": change.name,
                    "before": change.before.bytes if change.old else None,
                    "after": change.after.bytes,
                    "delta": change.grown,
                    "version_before": change.before.version,
                    "version_after": change.after.version,
                }
                for change in verdict.grew
            ],
        },
    )


def document(name: str, data: Mapping[str, object]) -> Iterator[str]:
    """A document with the head of its format."""
    tool = {"name": "condaprune", "version": __version__}
    head = {"format": f"condaprune-{name}", "schema": SCHEMA, "tool": tool}
    yield json.dumps({**head, **data}, indent=1)


def _change(change: Change, comparison: Comparison) -> dict[str, object]:
    base = change.before.bytes
    grown = ratio(100 * change.grown, base) if base else math.inf
    return {
        "name": change.name,
        "before": _side(change.before, comparison) if change.old else None,
        "after": _side(change.after, comparison) if change.new else None,
        "delta": change.grown,
        "percent": round(grown, 2) if math.isfinite(grown) else None,
    }


def _side(row: Row, comparison: Comparison) -> dict[str, object]:
    data: dict[str, object] = {"version": row.version} if row.version else {}
    data["files"] = row.files
    data.update((name, row.of(name)) for name in comparison.measures)
    return data
