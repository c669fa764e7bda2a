"""An audit or a comparison as CSV: one row a line, the view in the first column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from condaprune.paths import printable
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import MEASURES, Audit, total_of
from condaprune.report.layout import Show

_Line = list[str | int]


def audit(audit: Audit, show: Show) -> str:
    """All rows of the views asked for (else all), and with `show.files` every file."""
    return _csv(_audit(audit, show))


def comparison(comparison: Comparison, show: Show) -> str:
    """All changes of the views asked for (else all)."""
    return _csv(_comparison(comparison, show))


def _audit(audit: Audit, show: Show) -> Iterator[_Line]:
    measures = [name for name in MEASURES if name in audit.measured]
    yield ["view", "name", "version", "files", *measures, "removed_files", "removed_bytes"]
    rows = [(view, row) for view in show.by or audit.views for row in audit.view(view)]
    if show.files:
        rows += [("file", total_of(i.path, (i,))) for i in audit.items if i.kind != "folder"]
    for view, row in rows:
        sizes = [row.of(name) for name in measures]
        name = _safe(row.name)
        yield [view, name, row.version, row.files, *sizes, row.removed_files, row.removed_bytes]


def _comparison(comparison: Comparison, show: Show) -> Iterator[_Line]:
    sides = ("version", "files", "bytes")
    yield [
        "view",
        "name",
        *(f"{key}_{side}" for key in sides for side in ("before", "after")),
        "delta",
    ]
    for view in show.by or comparison.views:
        for change in comparison.views.get(view, ()):
            old, new = change.before, change.after
            numbers = [old.files, new.files, old.bytes, new.bytes, change.grown]
            yield [view, _safe(change.name), old.version, new.version, *numbers]


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    shown = printable(name)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _csv(lines: Iterator[_Line]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()
