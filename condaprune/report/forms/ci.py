"""An audit, a comparison or a verdict for a CI job.

As Markdown for its summary, and as workflow commands of GitHub Actions: a notice, and an error for
each limit that is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from condaprune.report.audit.check import Verdict
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import Audit
from condaprune.report.forms import text
from condaprune.report.layout import Column, Show, changed, size
from condaprune.report.rendering import Command, Markdown, markdown

T = TypeVar("T")


def audit_as_md(audit: Audit, show: Show) -> Iterator[Markdown]:
    """Totals and a table for each view."""
    total, _, rest = ", ".join(text.summary(audit)).partition(" in ")
    yield Markdown("## {}").fill(audit.label)
    yield Markdown()
    yield Markdown("**{}** in {}.").fill(total, rest)
    for view in text.views(audit, show):
        rows, others = text.first_rows(audit.view(view), show.top)
        columns = text.columns(audit, rows)
        named = [(text.row_label(row), row) for row in rows]
        if others and view != "folder":
            named.append((Markdown("*others*"), others))
        yield Markdown()
        yield from _table(view, columns, named)


def comparison_as_md(comparison: Comparison, show: Show) -> Iterator[Markdown]:
    """Totals and a table of changes for each view."""
    old, new = comparison.total.before, comparison.total.after
    total, _, part = changed(old.bytes, new.bytes).partition(" (")
    sizes = f"{size(old.bytes)} → {size(new.bytes)}, {old.files:,} → {new.files:,} files"
    yield Markdown("## {} → {}").fill(comparison.before.label, comparison.after.label)
    yield Markdown()
    yield Markdown("**{}** ({}: {}.").fill(total, part, sizes)
    for view in show.by or comparison.views:
        yield Markdown()
        yield from _changes(view, comparison.views.get(view, ()), show.top)


def _changes(view: str, changes: Sequence[Change], top: int) -> Iterator[Markdown]:
    if not changes:
        yield Markdown("No change by {}.").fill(view)
        return
    shown = changes[: top or None]
    named = ((text.change_label(change), change) for change in shown)
    yield from _table(view, text.CHANGES, named)
    if len(changes) > len(shown):
        empty = "  |" * len(text.CHANGES)
        yield Markdown(f"| *{len(changes) - len(shown):,} others* |{empty}")


def verdict_as_md(verdict: Verdict, _show: Show) -> Iterator[Markdown]:
    """What grew most, and a table of all checks."""
    yield Markdown("## {}: {}").fill(verdict.audit.label, text.headline(verdict))
    yield Markdown()
    if verdict.grew:
        yield from _changes("grew most", verdict.grew, 0)
        yield Markdown()
    yield Markdown("| | check | found |")
    yield Markdown("|:--|:--|:--|")
    for finding in verdict.findings:
        result = text.finding_result(finding)
        if not finding.kept and finding.limit.message:
            result = f"{result}. {finding.limit.message}"
        yield _line("✅" if finding.kept else "❌", finding.limit.label, result)


def _table(
    title: str, columns: Sequence[Column[T]], rows: Iterable[tuple[str, T]]
) -> Iterator[Markdown]:
    yield _line(title, *(column.head for column in columns))
    yield Markdown("|:--" + "|--:" * len(columns) + "|")
    for name, row in rows:
        yield _line(name, *(column.cell(row) for column in columns))


def _line(*cells: str) -> Markdown:
    return Markdown(f"| {' | '.join(map(markdown, cells))} |")


def audit_as_github(audit: Audit, _show: Show) -> Iterator[Command]:
    """A notice with the total."""
    total = audit.total
    yield _notice(f"{audit.label}: {size(total.bytes)} in {total.files:,} files")


def comparison_as_github(comparison: Comparison, _show: Show) -> Iterator[Command]:
    """A notice with the change of the total."""
    total = comparison.total
    yield _notice(f"{comparison.after.label}: {changed(total.before.bytes, total.after.bytes)}")


def verdict_as_github(verdict: Verdict, _show: Show) -> Iterator[Command]:
    """An error for each limit that is not kept, and a notice with the verdict."""
    for finding in verdict.failed:
        message = f". {finding.limit.message}" if finding.limit.message else ""
        title = f"condaprune: {finding.limit.label} is over budget"
        yield Command("error", title, text.finding_text(finding) + message)
    yield _notice(text.headline(verdict))


def _notice(words: str) -> Command:
    return Command("notice", "condaprune", words)
