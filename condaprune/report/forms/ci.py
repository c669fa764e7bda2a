"""An audit, a comparison or a verdict for a CI job.

As Markdown for its summary, and as workflow commands of GitHub Actions: a notice, and an error for
each limit that is not kept.
"""

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


def audit_as_md(audit: Audit, show: Show) -> Iterator[str]:
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


def comparison_as_md(comparison: Comparison, show: Show) -> Iterator[str]:
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


def verdict_as_md(verdict: Verdict, _show: Show) -> Iterator[str]:
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


def audit_as_github(audit: Audit, _show: Show) -> Iterator[str]:
    """A notice with the total."""
    total = audit.total
    yield _notice(f"{audit.label}: {size(total.bytes)} in {total.files:,} files")


def comparison_as_github(comparison: Comparison, _show: Show) -> Iterator[str]:
    """A notice with the change of the total."""
    total = comparison.total
    yield _notice(f"{comparison.after.label}: {changed(total.before.bytes, total.after.bytes)}")


def verdict_as_github(verdict: Verdict, _show: Show) -> Iterator[str]:
    """An error for each limit that is not kept, and a notice with the verdict."""
    for finding in verdict.failed:
        message = f". {finding.limit.message}" if finding.limit.message else ""
        title = _data(f"condaprune: {finding.limit.label} is over budget")
        title = title.replace(":", "%3A").replace(",", "%2C")
        yield f"::error title={title}::{_data(text.finding_text(finding) + message)}"
    yield _notice(text.headline(verdict))


def _notice(words: str) -> str:
    return f"::notice title=condaprune::{_data(words)}"


def _data(words: str) -> str:
    """A text as the data of a workflow command: no line end in it starts another command."""
    return printable(words).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
