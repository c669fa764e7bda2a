"""An audit, a comparison or a verdict as Markdown, for the summary of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from condaprune.paths import printable
from condaprune.report.audit.check import Verdict
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import Audit
from condaprune.report.forms import text
from condaprune.report.layout import Column, Show, changed, size

T = TypeVar("T")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def audit(audit: Audit, show: Show) -> Iterator[str]:
    """Totals and a table for each view."""
    parts = _escaped(", ".join(text.summary(audit)))
    yield f"## {_escaped(audit.label)}"
    yield ""
    yield f"**{parts.replace(' in ', '** in ', 1)}."
    for view in text.views(audit, show):
        rows, others = text.first_rows(audit.view(view), show.top)
        columns = text.columns(audit, rows)
        named = [(_escaped(text.row_label(row)), row) for row in rows]
        if others and view != "folder":
            named.append(("*others*", others))
        yield ""
        yield from _table(view, columns, named)


def comparison(comparison: Comparison, show: Show) -> Iterator[str]:
    """Totals and a table of changes for each view."""
    old, new = comparison.total.before, comparison.total.after
    total = changed(old.bytes, new.bytes).replace(" (", "** (", 1)
    yield f"## {_escaped(comparison.before.label)} → {_escaped(comparison.after.label)}"
    yield ""
    yield f"**{total}: {size(old.bytes)} → {size(new.bytes)}, {old.files:,} → {new.files:,} files."
    for view in show.by or comparison.views:
        yield ""
        yield from _changes(view, comparison.views.get(view, ()), show.top)


def _changes(view: str, changes: Sequence[Change], top: int) -> Iterator[str]:
    if not changes:
        yield f"No change by {view}."
        return
    shown = changes[: top or None]
    named = ((_escaped(text.change_label(change)), change) for change in shown)
    yield from _table(view, text.CHANGES, named)
    if len(changes) > len(shown):
        yield f"| *{len(changes) - len(shown):,} others* |" + "  |" * len(text.CHANGES)


def verdict(verdict: Verdict, _show: Show) -> Iterator[str]:
    """What grew most, and a table of all checks."""
    yield f"## {_escaped(verdict.audit.label)}: {_escaped(text.headline(verdict))}"
    yield ""
    if verdict.grew:
        yield from _changes("grew most", verdict.grew, 0)
        yield ""
    yield "| | check | found |"
    yield "|:--|:--|:--|"
    for finding in verdict.findings:
        result = text.finding_text(finding).partition(": ")[2]
        if not finding.kept and finding.limit.message:
            result = f"{result}. {finding.limit.message}"
        mark = "✅" if finding.kept else "❌"
        yield f"| {mark} | {_escaped(finding.limit.label)} | {_escaped(result)} |"


def _table(
    title: str, columns: Sequence[Column[T]], rows: Iterable[tuple[str, T]]
) -> Iterator[str]:
    yield f"| {title} | {' | '.join(column.head for column in columns)} |"
    yield "|:--" + "|--:" * len(columns) + "|"
    for name, row in rows:
        yield f"| {name} | {' | '.join(column.cell(row) for column in columns)} |"


def _escaped(words: str) -> str:
    """A text that Markdown and HTML take as it is."""
    return _MARKUP.sub(r"\\\1", printable(words)).replace("&", "&amp;")
