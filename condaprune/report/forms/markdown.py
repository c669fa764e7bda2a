"""An audit or a comparison as Markdown, for the summary of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from condaprune.paths import printable
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import Audit, Row
from condaprune.report.forms import Show
from condaprune.report.forms.text import change_label, cut, percent, signed
from condaprune.report.units import share, size

_DEFAULT = ("package", "category", "folder")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def escaped(text: str) -> str:
    """A text that Markdown and HTML take as it is."""
    return _MARKUP.sub(r"\\\1", printable(text)).replace("&", "&amp;")


def audit_text(audit: Audit, show: Show) -> str:
    """Totals and a table for each view."""
    return "\n".join(_audit(audit, show)) + "\n"


def comparison_text(comparison: Comparison, show: Show) -> str:
    """Totals and a table of changes for each view."""
    return "\n".join(_comparison(comparison, show)) + "\n"


def _audit(audit: Audit, show: Show) -> Iterator[str]:
    total = audit.total
    yield f"## {escaped(audit.label)}"
    yield ""
    parts = [f"**{size(total.bytes)}** in {total.files:,} files"]
    parts += [f"{size(total.disk)} on disk"] if "disk" in audit.measured else []
    if "compressed" in audit.measured:
        parts.append(f"{'' if audit.exact else 'about '}{size(total.compressed)} compressed")
    if audit.profile and audit.source != "manifest":
        parts.append(f"profile {escaped(audit.profile)} would take {size(total.removed_bytes)}")
    yield ", ".join(parts) + "."
    for view in show.by or _DEFAULT + (("rule",) if "rule" in audit.views else ()):
        rows, others = cut(audit.view(view), show.top)
        yield ""
        yield from _table(view, rows, others, audit)


def _table(view: str, rows: Sequence[Row], others: Row | None, audit: Audit) -> Iterator[str]:
    heads = [view, "bytes", "share"]
    heads += ["on disk"] if "disk" in audit.measured else []
    heads += ["compressed"] if "compressed" in audit.measured else []
    heads += ["would go"] if audit.profile and audit.source != "manifest" else []
    heads.append("files")
    yield "| " + " | ".join(heads) + " |"
    yield "|:--" + "|--:" * (len(heads) - 1) + "|"
    for row in rows:
        yield _line(_named(row), row, audit)
    if others and view != "folder":
        yield _line("*others*", others, audit)


def _line(name: str, row: Row, audit: Audit) -> str:
    cells = [name, size(row.bytes), share(row.bytes, audit.total.bytes)]
    cells += [size(row.disk)] if "disk" in audit.measured else []
    cells += [size(row.compressed)] if "compressed" in audit.measured else []
    if audit.profile and audit.source != "manifest":
        cells.append(size(row.removed_bytes))
    cells.append(f"{row.files:,}")
    return "| " + " | ".join(cells) + " |"


def _named(row: Row) -> str:
    return escaped(f"{row.name} {row.version}" if row.version else row.name)


def _comparison(comparison: Comparison, show: Show) -> Iterator[str]:
    old, new = comparison.total.before, comparison.total.after
    grown = comparison.total.grown
    yield f"## {escaped(comparison.before.label)} → {escaped(comparison.after.label)}"
    yield ""
    yield (
        f"**{signed(grown)}** ({percent(grown, old.bytes)}): {size(old.bytes)} → "
        f"{size(new.bytes)}, {old.files:,} → {new.files:,} files."
    )
    for view in show.by or comparison.views:
        changes = comparison.views.get(view, ())
        yield ""
        yield from changes_table(view, changes, show.top)


def changes_table(view: str, changes: Sequence[Change], top: int) -> Iterator[str]:
    """The table of a view's changes, at most *top* of them (0: all)."""
    if not changes:
        yield f"No change by {view}."
        return
    yield f"| {view} | before | after | change | of base |"
    yield "|:--|--:|--:|--:|--:|"
    for change in changes[: top or None]:
        old, new = change.before, change.after
        yield (
            f"| {escaped(change_label(change))} | {size(old.bytes) if change.old else '-'} | "
            f"{size(new.bytes) if change.new else '-'} | {signed(change.grown)} | "
            f"{percent(change.grown, old.bytes)} |"
        )
    left = len(changes) - len(changes[: top or None])
    if left:
        yield f"| *{left:,} others* | | | | |"
