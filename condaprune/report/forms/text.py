"""An audit or a comparison as text, with bars that fit the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from condaprune.paths import printable
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import Audit, Item, Row, total_of_rows
from condaprune.report.forms import Show
from condaprune.report.units import share, size

_PRUNABLE = ("prefix", "archive")
_DEFAULT = ("package", "category", "folder")
_LARGEST = 10
_NAME_LIMIT = 44
_BAR_LIMIT = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"


def audit_text(audit: Audit, show: Show) -> str:
    """The audit as text: totals, then a table for each view."""
    return "\n".join(line.rstrip() for line in _audit(audit, show)) + "\n"


def comparison_text(comparison: Comparison, show: Show) -> str:
    """The comparison as text: totals, then a table of changes for each view."""
    return "\n".join(line.rstrip() for line in _comparison(comparison, show)) + "\n"


def _audit(audit: Audit, show: Show) -> Iterator[str]:
    facts = [audit.source, audit.platform]
    facts += [f"Python {audit.python}"] if audit.python else []
    facts.append(f"{len(audit.packages):,} packages")
    yield f"{printable(audit.label)}: {', '.join(facts)}"
    yield ""
    yield from _totals(audit)
    rows: dict[str, Sequence[Row]] = {}
    for name in show.by or _DEFAULT + (("rule",) if "rule" in audit.views else ()):
        rows[name] = audit.view(name)
    for name, held in rows.items():
        yield ""
        if name == "folder":
            held = _as_tree(held)
        yield from table(f"by {name}", held, audit, show)
    if not show.by:
        yield from _largest(audit, show)
    if audit.duplicates is not None:
        yield from _duplicates(audit, show)
    if audit.unused_packages:
        yield ""
        yield "  packages that no trace touched"
        for label in audit.unused_packages:
            row = audit.row("package", label)
            yield f"  {size(row.bytes if row else 0):>8}  {printable(label)}"
    if not (show.by or audit.profile) and audit.source in _PRUNABLE:
        what = printable(shlex.quote(audit.label))
        yield ""
        yield f"  what may go:         condaprune audit {what} --profile runtime"
        yield f"  why something stays: condaprune explain {what} PATH"


def _totals(audit: Audit) -> Iterator[str]:
    total = audit.total
    parts = [f"{size(total.bytes)} in {total.files:,} files"]
    if "disk" in audit.measured:
        parts.append(f"{size(total.disk)} on disk")
    if "compressed" in audit.measured:
        about = "" if audit.exact else "about "
        parts.append(f"{about}{size(total.compressed)} compressed")
    what = "removed" if audit.source == "manifest" else "total"
    yield f"  {what:<11} {', '.join(parts)}"
    unowned = audit.row("package", "(unowned)")
    if unowned and audit.source != "manifest":
        yield f"  unowned     {size(unowned.bytes)} in {unowned.files:,} files that no package owns"
    if audit.shared.files:
        yield (
            f"  shared      {size(audit.shared.bytes)} in {audit.shared.files:,} files that have "
            "hard links outside (the package cache)"
        )
    if "strippable" in audit.measured and total.strippable:
        what = "symbols and debug data in ELF files (--strip)"
        yield f"  strippable  {size(total.strippable)} of {what}"
    if audit.profile and audit.source != "manifest":
        guards = "with the guards" if audit.guarded else "guards not asked"
        yield (
            f"  would go    {size(total.removed_bytes)} in {total.removed_files:,} files by "
            f"profile {audit.profile} ({guards})"
        )
    if audit.unused is not None:
        yield (
            f"  unused      {size(audit.unused.bytes)} in {audit.unused.files:,} files that no "
            "trace touched"
        )


def table(title: str, rows: Sequence[Row], audit: Audit, show: Show) -> Iterator[str]:
    """The lines of one view: the largest rows with bars, the others as one row."""
    shown, others = cut(rows, show.top)
    # Nested rows hold each other: there is no sum to give.
    names = [_label(row) for row in shown]
    others_label = f"[{len(rows) - len(shown):,} others]"
    columns = _columns(audit, shown)
    for spare in ("strip", "zstd", "on disk", "files", "share"):  # what a narrow terminal lacks
        if sum(width + 2 for _, width in columns) + 14 > show.width:
            columns = [column for column in columns if column[0] != spare]
    fixed = sum(width + 2 for _, width in columns)
    room = max(12, show.width - 2 - fixed)
    widest = max([len(title), len(others_label) if others else 0, *map(len, names)], default=0)
    name_width = min(widest, _NAME_LIMIT, room)
    bar_width = min(_BAR_LIMIT, room - name_width - 2)
    if bar_width < 4:
        bar_width = 0
        name_width = min(widest, room)
    head = "".join(f"  {name:>{width}}" for name, width in columns)
    yield f"  {title:<{name_width}}{head}"
    largest = max((row.bytes for row in shown), default=0)
    for row, name in zip(shown, names, strict=True):
        cells = "".join(f"  {_cell(row, c, audit):>{w}}" for c, w in columns)
        bar = f"  {_bar(row.bytes, largest, bar_width, show.ascii)}" if bar_width else ""
        yield f"  {shorten(name, name_width):<{name_width}}{cells}{bar}"
    if others and title != "by folder":
        cells = "".join(f"  {_cell(others, c, audit):>{w}}" for c, w in columns)
        yield f"  {others_label:<{name_width}}{cells}"


def cut(rows: Sequence[Row], top: int) -> tuple[Sequence[Row], Row | None]:
    """The first *top* rows (0: all), and the sum of the others."""
    if not top or len(rows) <= top + 1:
        return rows, None
    return rows[:top], total_of_rows("others", rows[top:])


def _columns(audit: Audit, rows: Sequence[Row]) -> list[tuple[str, int]]:
    columns = [("bytes", 8), ("share", 7), ("files", 7)]
    for name, measure in (("on disk", "disk"), ("zstd", "compressed")):
        if measure in audit.measured:
            columns.insert(-1, (name, 8))
    if "strippable" in audit.measured and any(row.strippable for row in rows):
        columns.insert(-1, ("strip", 8))
    if audit.profile and audit.source != "manifest":
        columns.insert(-1, ("goes", 8))
    if any(row.exclusive is not None for row in rows):
        columns.insert(-1, ("excl.", 8))
    return columns


def _cell(row: Row, column: str, audit: Audit) -> str:
    if column == "bytes":
        return size(row.bytes)
    if column == "share":
        return share(row.bytes, audit.total.bytes)
    if column == "files":
        return f"{row.files:,}"
    if column == "excl.":
        return "" if row.exclusive is None else size(row.exclusive)
    held = {
        "on disk": row.disk,
        "zstd": row.compressed,
        "strip": row.strippable,
        "goes": row.removed_bytes,
    }
    return size(held[column]) if held[column] else "-"


def _label(row: Row) -> str:
    name = printable(row.name)
    return f"{name} {printable(row.version)}" if row.version else name


def _bar(value: int, largest: int, width: int, plain: bool) -> str:
    if largest <= 0 or value <= 0:
        return ""
    if plain:
        return "#" * max(1, round(width * value / largest))
    eighths = max(1, round(8 * width * value / largest))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def shorten(text: str, width: int) -> str:
    """A text no longer than *width*: its middle is left out."""
    if len(text) <= width:
        return text
    head = (width - 3) // 3
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def _as_tree(rows: Sequence[Row]) -> list[Row]:
    """Nested folders below the folder they lie in, the largest first on each level."""
    from dataclasses import replace

    children: dict[str, list[Row]] = {}
    for row in rows:
        children.setdefault(row.name.rpartition("/")[0], []).append(row)
    found: list[Row] = []

    def walk(name: str, level: int) -> None:
        for row in children.get(name, ()):
            last = row.name.rpartition("/")[2]
            found.append(replace(row, name="  " * level + last))
            walk(row.name, level + 1)

    walk("", 0)
    return found


def _largest(audit: Audit, show: Show) -> Iterator[str]:
    files = sorted(
        (item for item in audit.items if item.kind != "folder"),
        key=lambda item: (-item.bytes, item.path),
    )[:_LARGEST]
    if files:
        yield ""
        yield "  largest files"
    for item in files:
        yield f"  {size(item.bytes):>8}  {_file(item, show)}"


def _file(item: Item, show: Show) -> str:
    owner = f"  ({item.package})" if item.package else ""
    room = max(20, show.width - 12 - len(owner))
    return shorten(printable(item.path), room) + owner


def _duplicates(audit: Audit, show: Show) -> Iterator[str]:
    found = audit.duplicates or ()
    yield ""
    wasted = sum(d.wasted for d in found)
    yield f"  duplicates by content: {len(found):,} groups, {size(wasted)} more than one copy takes"
    for held in found[: show.top or None]:
        yield f"  {size(held.wasted):>8}  {len(held.paths)} times {size(held.bytes)}"
        for path in held.paths[:3]:
            yield f"            {shorten(printable(path), max(20, show.width - 12))}"
        if len(held.paths) > 3:
            yield f"            ... and {len(held.paths) - 3:,} more"


def _comparison(comparison: Comparison, show: Show) -> Iterator[str]:
    before, after = comparison.before, comparison.after
    yield f"{printable(before.label)} -> {printable(after.label)}"
    yield ""
    total = comparison.total
    for name in comparison.measures:
        old, new = total.before.of(name), total.after.of(name)
        yield f"  {name:<11} {size(old):>8} -> {size(new):>8}  {delta(new - old, old)}"
    files = total.after.files - total.before.files
    yield f"  {'files':<11} {total.before.files:>8,} -> {total.after.files:>8,}  {files:+,}"
    for view in show.by or comparison.views:
        changes = comparison.views.get(view, ())
        yield ""
        if not changes:
            yield f"  by {view}: no change"
            continue
        yield from _changes(f"by {view}", changes, show)


def _changes(title: str, changes: Sequence[Change], show: Show) -> Iterator[str]:
    shown = changes[: show.top or None]
    names = [change_label(change) for change in shown]
    room = max(20, show.width - 2 - 41)
    width = min(max(len(title), *map(len, names)), room)
    yield f"  {title:<{width}}    before     after     change  of base"
    for change, name in zip(shown, names, strict=True):
        old, new = change.before.bytes, change.after.bytes
        yield (
            f"  {shorten(name, width):<{width}}  {size(old) if change.old else '-':>8}  "
            f"{size(new) if change.new else '-':>8}  {signed(new - old):>9}  "
            f"{percent(new - old, old):>7}"
        )
    rest = changes[len(shown) :]
    if rest:
        grown = sum(c.after.bytes - c.before.bytes for c in rest)
        yield f"  [{len(rest):,} others: {signed(grown)}]"


def change_label(change: Change) -> str:
    """A changed row's name; a package with both versions."""
    name = printable(change.name)
    old, new = change.before.version, change.after.version
    if old and new and old != new:
        return f"{name} {printable(old)} -> {printable(new)}"
    version = printable(new or old)
    return f"{name} {version}" if version else name


def signed(count: int) -> str:
    """A difference in bytes: ``+5.1 MB``."""
    return f"+{size(count)}" if count > 0 else size(count)


def percent(change: int, base: int) -> str:
    """A difference in per cent of the base; ``new`` where there was none."""
    if not base:
        return "new" if change > 0 else "-"
    return f"{100 * change / base:+.1f} %"


def delta(change: int, base: int) -> str:
    """A difference in bytes and per cent."""
    return f"{signed(change)} ({percent(change, base)})" if change else "unchanged"
