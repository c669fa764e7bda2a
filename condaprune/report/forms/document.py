"""An audit or a comparison as JSON."""

from __future__ import annotations

import json
from typing import Any

from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import Audit, Row
from condaprune.report.audit.saved import SCHEMA, to_json
from condaprune.report.forms import Show
from condaprune.version import __version__


def audit_text(audit: Audit, show: Show) -> str:
    """The document that docs/audit.schema.json describes; it can be audited and compared again."""
    return to_json(audit, files=show.files)


def comparison_text(comparison: Comparison, _show: Show) -> str:
    """The comparison as JSON, all changes in it."""
    data: dict[str, Any] = {
        "format": "condaprune-diff",
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        "before": comparison.before.label,
        "after": comparison.after.label,
        "measures": list(comparison.measures),
        "total": _change(comparison.total, comparison),
        "views": {
            name: [_change(change, comparison) for change in changes]
            for name, changes in comparison.views.items()
        },
    }
    return json.dumps(data, indent=1) + "\n"


def _change(change: Change, comparison: Comparison) -> dict[str, Any]:
    return {
        "name": change.name,
        "before": _side(change.before, comparison) if change.old else None,
        "after": _side(change.after, comparison) if change.new else None,
        "delta": change.grown,
        "percent": round(100 * change.grown / change.before.bytes, 2)
        if change.before.bytes
        else None,
    }


def _side(row: Row, comparison: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = {"version": row.version} if row.version else {}
    found["files"] = row.files
    found.update((name, row.of(name)) for name in comparison.measures)
    return found
