"""How reports are laid out: what is shown, numbers and names as people read them, tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from condaprune.paths import printable

T = TypeVar("T")
_DEEPEST = 100  # levels of folders in a tree: what reads JSON bounds how deep it may nest
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
    value = ratio(count, 1)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if abs(value) < 999.5 or unit == "TB":
            break
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def share(part: int, whole: int) -> str:
    """A part in per cent of the whole: ``48.6 %``."""
    return f"{ratio(100 * part, whole):.1f} %" if whole else "-"


def ratio(part: int, whole: int) -> float:
    """A part of a whole, of numbers as large as any document may hold."""
    try:
        return part / whole
    except OverflowError:
        return math.inf if (part > 0) is (whole > 0) else -math.inf


def signed(count: int) -> str:
    """A difference in bytes: ``+5.1 MB``."""
    return f"+{size(count)}" if count > 0 else size(count)


def changed(old: int, new: int) -> str:
    """A difference in bytes and in per cent of the old: ``+5.1 MB (+3.0 %)``."""
    return f"{signed(new - old)} ({percent(new - old, old)})"


def percent(change: int, base: int) -> str:
    """A difference in per cent of the base; ``new`` where there was none."""
    if not base:
        return "new" if change > 0 else "-"
    return f"{ratio(100 * change, base):+.1f} %"


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 check``, ``2,000 checks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int) -> str:
    """The first names of a list and how many more there are: ``a, b and 3 more``."""
    text = ", ".join(names[:most])
    return f"{text} and {len(names) - most:,} more" if len(names) > most else text


def folder_and_name(path: str) -> tuple[str, str]:
    """The folder that an entry is shown in by a tree, and its name there.

    What lies deeper than 100 folders is shown in the last of them, under the rest of its path.
    """
    parts = path.split("/", _DEEPEST)
    return "/".join(parts[:-1]), parts[-1]


def shorten(text: str, width: int) -> str:
    """A text as it is shown, no longer than *width*: its middle is left out."""
    text = printable(text)
    if len(text) <= width:
        return text
    head = (width - 3) // 3
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a table: its head, its width where text is aligned, the text of a row in it."""

    head: str
    width: int
    cell: Callable[[T], str]


def table(
    title: str,
    columns: Sequence[Column[T]],
    rows: Iterable[tuple[str, T]],
    width: int | None = None,
) -> Iterator[str]:
    """A line of heads, then a line a row: its name, shortened to *width*, and its cells."""
    lines = [(printable(name), row) for name, row in rows]
    room = max([len(title), *(len(name) for name, _ in lines)])
    room = room if width is None else min(room, width)
    heads = (f"{column.head:>{column.width}}" for column in columns)
    yield _GAP.join([f"  {title:<{room}}", *heads]).rstrip()
    for name, row in lines:
        cells = (f"{column.cell(row):>{column.width}}" for column in columns)
        yield _GAP.join([f"  {shorten(name, room):<{room}}", *cells]).rstrip()
