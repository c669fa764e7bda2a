"""An audit or a comparison as CSV: one row a line, the view in the first column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from condaprune.paths import printable
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import MEASURES, Audit, Item
from condaprune.report.forms import Show

_CHANGE_HEAD = (
    *("view", "name", "version_before", "version_after"),
    *("files_before", "files_after", "bytes_before", "bytes_after", "delta"),
)


def audit_text(audit: Audit, show: Show) -> str:
    """All rows of the views asked for (else all), and with `show.files` every file."""
    measures = [name for name in MEASURES if name in audit.measured]
    head: list[str | int] = ["view", "name", "version", "files"]
    lines = [[*head, *measures, "removed_files", "removed_bytes"]]
    for view in show.by or audit.views:
        for row in audit.view(view):
            sizes = [row.of(name) for name in measures]
            removed = [row.removed_files, row.removed_bytes]
            lines.append([view, _safe(row.name), row.version, row.files, *sizes, *removed])
    if show.files:
        lines += [_file(item, measures) for item in audit.items if item.kind != "folder"]
    return _csv(lines)


def comparison_text(comparison: Comparison, show: Show) -> str:
    """All changes of the views asked for (else all)."""
    lines: list[list[str | int]] = [[*_CHANGE_HEAD]]
    for view in show.by or comparison.views:
        for change in comparison.views.get(view, ()):
            old, new = change.before, change.after
            lines.append(
                [view, _safe(change.name), old.version, new.version]
                + [old.files, new.files, old.bytes, new.bytes, change.grown]
            )
    return _csv(lines)


def _file(item: Item, measures: Iterable[str]) -> list[str | int]:
    sizes = [int(getattr(item, name)) for name in measures]
    gone = int(item.removed)
    return ["file", _safe(item.path), "", 1, *sizes, gone, item.bytes * gone]


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    shown = printable(name)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _csv(lines: Iterable[list[str | int]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()
