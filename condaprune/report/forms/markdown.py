"""An audit, a comparison or a verdict as Markdown, for the summary of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from condaprune.paths import printable
from condaprune.report.audit.check import Verdict
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import Audit
from condaprune.report.forms import text
from condaprune.report.layout import Show, percent, signed, size

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def audit(audit: Audit, show: Show) -> str:
    """Totals and a table for each view."""
    return "\n".join(_audit(audit, show)) + "\n"


def comparison(comparison: Comparison, show: Show) -> str:
    """Totals and a table of changes for each view."""
    return "\n".join(_comparison(comparison, show)) + "\n"


def verdict(verdict: Verdict, _show: Show) -> str:
    """What grew most, and a table of all checks."""
    return "\n".join(_verdict(verdict)) + "\n"


def _escaped(words: str) -> str:
    """A text that Markdown and HTML take as it is."""
    return _MARKUP.sub(r"\\\1", printable(words)).replace("&", "&amp;")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|:--" + "|--:" * (len(heads) - 1) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _audit(audit: Audit, show: Show) -> Iterator[str]:
    parts = text.totals(audit)
    if text.planned(audit):
        removed = size(audit.total.removed_bytes)
        parts.append(f"profile {_escaped(audit.profile)} would take {removed}")
    yield f"## {_escaped(audit.label)}"
    yield ""
    yield f"**{parts[0].replace(' in ', '** in ', 1)}" + "".join(f", {p}" for p in parts[1:]) + "."
    for view in text.views(audit, show):
        rows, others = text.first_rows(audit.view(view), show.top)
        columns = text.columns(audit, rows)
        named = [(_escaped(text.row_label(row)), row) for row in rows]
        if others and view != "folder":
            named.append(("*others*", others))
        cells = ([name, *(column.cell(row) for column in columns)] for name, row in named)
        yield ""
        yield from _table([view, *(column.head for column in columns)], cells)


def _comparison(comparison: Comparison, show: Show) -> Iterator[str]:
    old, new = comparison.total.before, comparison.total.after
    grown = comparison.total.grown
    yield f"## {_escaped(comparison.before.label)} → {_escaped(comparison.after.label)}"
    yield ""
    yield (
        f"**{signed(grown)}** ({percent(grown, old.bytes)}): {size(old.bytes)} → "
        f"{size(new.bytes)}, {old.files:,} → {new.files:,} files."
    )
    for view in show.by or comparison.views:
        yield ""
        yield from _changes(view, comparison.views.get(view, ()), show.top)


def _changes(view: str, changes: Sequence[Change], top: int) -> Iterator[str]:
    if not changes:
        yield f"No change by {view}."
        return
    shown = changes[: top or None]
    rows = [[_escaped(text.change_label(c)), *text.change_cells(c)] for c in shown]
    if len(changes) > len(shown):
        rows.append([f"*{len(changes) - len(shown):,} others*", "", "", "", ""])
    yield from _table((view, "before", "after", "change", "of base"), rows)


def _verdict(verdict: Verdict) -> Iterator[str]:
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
