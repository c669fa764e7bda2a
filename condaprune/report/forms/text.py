"""An audit, a comparison or a verdict as text, with bars that fit the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from condaprune.paths import printable
from condaprune.report.audit.check import Finding, Verdict
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import UNOWNED, Audit, Row, total_of_rows
from condaprune.report.layout import (
    Column,
    Show,
    changed,
    counted,
    percent,
    share,
    shorten,
    signed,
    size,
    table,
)

_PRUNABLE = ("prefix", "archive")
_DEFAULT = ("package", "category", "folder")
_SPARE = ("strip", "zstd", "on disk", "files", "share")
"""The columns that a narrow terminal lacks, the first to go first."""
_LARGEST = 10
_NAME_LIMIT = 44
_BAR_LIMIT = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"


def audit_as_text(audit: Audit, show: Show) -> Iterator[str]:
    """The audit: totals, then a table for each view."""
    yield f"{audit.label}: {facts(audit)}"
    yield ""
    yield from _totals(audit)
    for view in views(audit, show):
        yield ""
        yield from _view(view, audit, show)
    if not show.by:
        yield from _largest(audit, show)
    if audit.duplicates is not None:
        yield from _duplicates(audit, show)
    if audit.unused_packages:
        yield from ("", "  packages that no trace touched")
        for label in audit.unused_packages:
            row = audit.row("package", label)
            yield f"  {size(row.bytes if row else 0):>8}  {label}"
    if not (show.by or audit.profile) and audit.source in _PRUNABLE:
        env = shlex.quote(audit.label)
        yield ""
        yield f"  what may go:         condaprune audit {env} --profile runtime"
        yield f"  why something stays: condaprune explain {env} PATH"


def facts(audit: Audit) -> str:
    """What was audited: its kind, platform, Python, how many packages it has."""
    python = [f"Python {audit.python}"] if audit.python else []
    packages = counted(len(audit.packages), "package")
    return ", ".join([audit.source, audit.platform, *python, packages])


def totals(audit: Audit) -> list[str]:
    """The sizes of the whole by each measure that an audit has."""
    total = audit.total
    parts = [_in_files(total.bytes, total.files)]
    if "disk" in audit.measured:
        parts.append(f"{size(total.disk)} on disk")
    if "compressed" in audit.measured:
        parts.append(f"{'' if audit.exact else 'about '}{size(total.compressed)} compressed")
    return parts


def summary(audit: Audit) -> list[str]:
    """The totals, and how much the plan laid over would take."""
    taken = f"profile {audit.profile} would take {size(audit.total.removed_bytes)}"
    return [*totals(audit), taken] if planned(audit) else totals(audit)


def views(audit: Audit, show: Show) -> Sequence[str]:
    """The views to show: those asked for, else the usual ones."""
    return show.by or _DEFAULT + (("rule",) if "rule" in audit.views else ())


def planned(audit: Audit) -> bool:
    """Whether a plan was laid over; a manifest holds only what went."""
    return bool(audit.profile) and audit.source != "manifest"


def _totals(audit: Audit) -> Iterator[str]:
    total = audit.total
    whole = "removed" if audit.source == "manifest" else "total"
    yield f"  {whole:<11} {', '.join(totals(audit))}"
    unowned = audit.row("package", UNOWNED)
    if unowned and audit.source != "manifest":
        yield f"  unowned     {_in_files(unowned.bytes, unowned.files)} that no package owns"
    if audit.shared.files:
        shared = _in_files(audit.shared.bytes, audit.shared.files)
        yield f"  shared      {shared} with hard links outside (the package cache)"
    if "strippable" in audit.measured and total.strippable:
        symbols = "symbols and debug data in ELF files (--strip)"
        yield f"  strippable  {size(total.strippable)} of {symbols}"
    if planned(audit):
        removed = _in_files(total.removed_bytes, total.removed_files)
        guards = "with the guards" if audit.guarded else "without guards"
        yield f"  would go    {removed} by profile {audit.profile} ({guards})"
    if audit.unused is not None:
        unused = _in_files(audit.unused.bytes, audit.unused.files)
        yield f"  unused      {unused} that no trace touched"


def _in_files(count: int, files: int) -> str:
    return f"{size(count)} in {counted(files, 'file')}"


def columns(audit: Audit, rows: Sequence[Row]) -> list[Column[Row]]:
    """The columns for which an audit's rows have something to say."""
    whole = audit.total.bytes
    strippable = "strippable" in audit.measured and any(row.strippable for row in rows)
    exclusive = any(row.exclusive is not None for row in rows)
    possible: list[tuple[bool, Column[Row]]] = [
        (True, Column("bytes", 8, lambda row: size(row.bytes))),
        (True, Column("share", 7, lambda row: share(row.bytes, whole))),
        ("disk" in audit.measured, Column("on disk", 8, lambda row: _amount(row.disk))),
        ("compressed" in audit.measured, Column("zstd", 8, lambda row: _amount(row.compressed))),
        (strippable, Column("strip", 8, lambda row: _amount(row.strippable))),
        (planned(audit), Column("goes", 8, lambda row: _amount(row.removed_bytes))),
        (exclusive, Column("excl.", 8, _exclusive)),
        (True, Column("files", 7, lambda row: f"{row.files:,}")),
    ]
    return [column for shown, column in possible if shown]


def _amount(count: int) -> str:
    return size(count) if count else "-"


def _exclusive(row: Row) -> str:
    return "" if row.exclusive is None else size(row.exclusive)


def _view(view: str, audit: Audit, show: Show) -> Iterator[str]:
    """The lines of one view: the largest rows with bars, the others as one row."""
    all_rows = audit.view(view)
    if view == "folder":
        all_rows = _as_tree(all_rows)
    rows, others = first_rows(all_rows, show.top)
    named = [(row_label(row), row) for row in rows]
    if others and view != "folder":  # nested rows have no sum
        named.append((f"[{len(all_rows) - len(rows):,} others]", others))
    shown = columns(audit, rows)
    for spare in _SPARE:
        if sum(column.width + 2 for column in shown) + 14 > show.width:
            shown = [column for column in shown if column.head != spare]
    room = max(12, show.width - 2 - sum(column.width + 2 for column in shown))
    title = f"by {view}"
    widest = max(map(len, [title, *(printable(name) for name, _ in named)]))
    name_width = min(widest, _NAME_LIMIT, room)
    bar_width = min(_BAR_LIMIT, room - name_width - 2)
    if bar_width < 4:
        bar_width, name_width = 0, min(widest, room)
    largest = max((row.bytes for row in rows), default=0)

    def bar(row: Row) -> str:
        return "" if row is others else _bar(row.bytes, largest, bar_width, show.ascii)

    yield from table(title, [*shown, Column("", 0, bar)], named, name_width)


def first_rows(rows: Sequence[Row], top: int) -> tuple[Sequence[Row], Row | None]:
    """The first *top* rows (0: all), and the sum of the others."""
    if not top or len(rows) <= top + 1:
        return rows, None
    return rows[:top], total_of_rows("others", rows[top:])


def row_label(row: Row) -> str:
    """A row's name, with the version of a package."""
    return f"{row.name} {row.version}" if row.version else row.name


def _bar(value: int, largest: int, width: int, plain: bool) -> str:
    if largest <= 0 or value <= 0 or not width:
        return ""
    if plain:
        return "#" * max(1, round(width * value / largest))
    eighths = max(1, round(8 * width * value / largest))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _as_tree(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Nested folders below the folder they lie in, the largest first on each level."""
    children: dict[str, list[Row]] = {}
    for row in rows:
        children.setdefault(row.name.rpartition("/")[0], []).append(row)

    def below(name: str, level: int) -> Iterator[Row]:
        for row in children.get(name, ()):
            yield replace(row, name="  " * level + row.name.rpartition("/")[2])
            yield from below(row.name, level + 1)

    return tuple(below("", 0))


def _largest(audit: Audit, show: Show) -> Iterator[str]:
    files = [item for item in audit.items if item.kind != "folder"]
    files.sort(key=lambda item: (-item.bytes, item.path))
    if files:
        yield from ("", "  largest files")
    for item in files[:_LARGEST]:
        owner = f"  ({item.package})" if item.package else ""
        path = shorten(item.path, max(20, show.width - 12 - len(owner)))
        yield f"  {size(item.bytes):>8}  {path}{owner}"


def _duplicates(audit: Audit, show: Show) -> Iterator[str]:
    groups = audit.duplicates or ()
    wasted = size(sum(group.wasted for group in groups))
    yield from (
        "",
        f"  duplicates by content: {counted(len(groups), 'group')}, {wasted} in further copies",
    )
    for group in groups[: show.top or None]:
        yield f"  {size(group.wasted):>8}  {len(group.paths)} times {size(group.bytes)}"
        for path in group.paths[:3]:
            yield f"            {shorten(path, max(20, show.width - 12))}"
        if len(group.paths) > 3:
            yield f"            ... and {len(group.paths) - 3:,} more"


def comparison_as_text(comparison: Comparison, show: Show) -> Iterator[str]:
    """The comparison: totals, then a table of changes for each view."""
    before, after = comparison.total.before, comparison.total.after
    yield f"{comparison.before.label} -> {comparison.after.label}"
    yield ""
    for name in comparison.measures:
        old, new = before.of(name), after.of(name)
        change = changed(old, new) if new != old else "unchanged"
        yield f"  {name:<11} {size(old):>8} -> {size(new):>8}  {change}"
    files = after.files - before.files
    yield f"  {'files':<11} {before.files:>8,} -> {after.files:>8,}  {files:+,}"
    for view in show.by or comparison.views:
        changes = comparison.views.get(view, ())
        yield ""
        if changes:
            yield from _changes(f"by {view}", changes, show)
        else:
            yield f"  by {view}: no change"


CHANGES: Sequence[Column[Change]] = (
    Column("before", 8, lambda change: size(change.before.bytes) if change.old else "-"),
    Column("after", 8, lambda change: size(change.after.bytes) if change.new else "-"),
    Column("change", 9, lambda change: signed(change.grown)),
    Column("of base", 7, lambda change: percent(change.grown, change.before.bytes)),
)
"""The columns of a comparison."""


def _changes(title: str, changes: Sequence[Change], show: Show) -> Iterator[str]:
    shown = changes[: show.top or None]
    rows = ((change_label(change), change) for change in shown)
    yield from table(title, CHANGES, rows, max(20, show.width - 43))
    rest = changes[len(shown) :]
    if rest:
        yield f"  [{len(rest):,} others: {signed(sum(change.grown for change in rest))}]"


def change_label(change: Change) -> str:
    """A changed row's name; a package with both versions."""
    old, new = change.before.version, change.after.version
    if old and new and old != new:
        return f"{change.name} {old} -> {new}"
    return row_label(change.after if new else replace(change.after, version=old))


def verdict_as_text(verdict: Verdict, show: Show) -> Iterator[str]:
    """The verdict: what failed and by how much first, then what grew most."""
    pruned = " (as a prune would leave it)" if verdict.audit.pruned else ""
    yield f"{verdict.audit.label}{pruned}: {headline(verdict)}"
    if verdict.failed and verdict.grew:
        yield ""
        yield from _changes("grew most since the baseline", verdict.grew, replace(show, top=0))
    yield ""
    for finding in verdict.findings:
        yield f"  {'ok  ' if finding.kept else 'FAIL'}  {finding_text(finding)}"
        if not finding.kept and finding.limit.message:
            yield f"        {finding.limit.message}"


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    checks = counted(len(verdict.findings), "check")
    if not verdict.failed:
        return f"within budget ({checks})"
    most = ""
    if verdict.grew:
        change = verdict.grew[0]
        grown = f"is new with {size(change.after.bytes)}"
        if change.old:
            grown = f"grew most, by {size(change.grown)}"
        most = f"; {change_label(change)} {grown}"
    return f"over budget ({len(verdict.failed)} of {checks} failed{most})"


def finding_text(finding: Finding) -> str:
    """One finding as a line: for what, how it stands, over by how much."""
    measure = "" if finding.limit.measure == "bytes" else f" ({finding.limit.measure})"
    return f"{finding.limit.label}{measure}: {finding_result(finding)}"


def finding_result(finding: Finding) -> str:
    """How one finding stands, and over by how much."""
    over = ""
    if not finding.kept and finding.kind in ("max", "growth"):
        over = f", over by {size(finding.over)}"
    elif not finding.kept and finding.kind == "max_files":
        over = f", {finding.over:,} too many"
    return f"{finding.text}{over}"
