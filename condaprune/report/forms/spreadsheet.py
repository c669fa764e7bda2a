"""An audit or a comparison as CSV: one row a line, the view in the first column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from condaprune.paths import printable
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import MEASURES, Audit, total_of
from condaprune.report.layout import Show


def audit(audit: Audit, show: Show) -> Iterator[str]:
    """All rows of the views asked for (else all), and with `show.files` every file."""
    measures = [name for name in MEASURES if name in audit.measured]
    rows = [(view, row) for view in show.by or audit.views for row in audit.view(view)]
    if show.files:
        rows += [("file", total_of(i.path, (i,))) for i in audit.items if i.kind != "folder"]
    yield _line(["view", "name", "version", "files", *measures, "removed_files", "removed_bytes"])
    for view, row in rows:
        numbers = [row.files, *map(row.of, measures), row.removed_files, row.removed_bytes]
        yield _line([view, _safe(row.name), row.version, *numbers])


def comparison(comparison: Comparison, show: Show) -> Iterator[str]:
    """All changes of the views asked for (else all)."""
    figures = ("version", "files", "bytes")
    sides = [f"{figure}_{side}" for figure in figures for side in ("before", "after")]
    yield _line(["view", "name", *sides, "delta"])
    for view in show.by or comparison.views:
        for change in comparison.views.get(view, ()):
            old, new = change.before, change.after
            numbers = [old.files, new.files, old.bytes, new.bytes, change.grown]
            yield _line([view, _safe(change.name), old.version, new.version, *numbers])


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    shown = printable(name)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _line(values: Iterable[str | int]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue().removesuffix("\n")
