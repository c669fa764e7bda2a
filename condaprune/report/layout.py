"""How reports are laid out: what is shown, numbers and names as people read them, tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Show:
    """What to show: the views, how many rows of each (0: all), the terminal's width in columns.

    `files` asks for every file where a form can hold them, `ascii` for bars of plain ASCII,
    `verbose` for more reasons (1) and for every removed path (2).
    """

    by: tuple[str, ...] = ()
    top: int = 20
    width: int = 80
    files: bool = False
    ascii: bool = False
    verbose: int = 0


def size(count: int) -> str:
    """Bytes in decimal units, three significant digits: ``356 MB``."""
    if abs(count) < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if abs(value) < 999.5 or unit == "TB":
            break
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def share(part: int, whole: int) -> str:
    """A part in per cent of the whole: ``48.6 %``."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def signed(count: int) -> str:
    """A difference in bytes: ``+5.1 MB``."""
    return f"+{size(count)}" if count > 0 else size(count)


def percent(change: int, base: int) -> str:
    """A difference in per cent of the base; ``new`` where there was none."""
    if not base:
        return "new" if change > 0 else "-"
    return f"{100 * change / base:+.1f} %"


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 check``, ``2,000 checks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int) -> str:
    """The first names of a list and how many more there are: ``a, b and 3 more``."""
    text = ", ".join(names[:most])
    return f"{text} and {len(names) - most:,} more" if len(names) > most else text


def shorten(text: str, width: int) -> str:
    """A text no longer than *width*: its middle is left out."""
    if len(text) <= width:
        return text
    head = (width - 3) // 3
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def table(
    title: str,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[tuple[str, Sequence[str]]],
    width: int | None = None,
) -> Iterator[str]:
    """A line of column heads with their widths, then a line a row: its name, its cells.

    Names are shortened to *width*; cells beyond the columns, such as bars, follow as they are.
    """
    lines = list(rows)
    room = max([len(title), *(len(name) for name, _ in lines)])
    room = room if width is None else min(room, width)
    yield f"  {title:<{room}}" + "".join(f"{_GAP}{head:>{size}}" for head, size in columns)
    for name, cells in lines:
        aligned = [f"{cell:>{size}}" for cell, (_, size) in zip(cells, columns, strict=False)]
        more = cells[len(columns) :]
        yield _GAP.join([f"  {shorten(name, room):<{room}}", *aligned, *more]).rstrip()
