"""What sections of the suite are made of, and the arithmetic they share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts: a caption, a head, rows as long as the head, and notes below it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page: what it says first, its tables, and the bare figures by name."""

    title: str
    intro: str
    tables: tuple[Table, ...]
    figures: dict[str, float] = field(default_factory=dict)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of log(cost) over log(size) by least squares: 1 is linear, 2 quadratic.

    Errors: `ValueError` for fewer than two different sizes, or figures that are not positive.
    """
    if len(sizes) != len(costs) or len(set(sizes)) < 2 or min(*sizes, *costs) <= 0:
        raise ValueError("an exponent needs two different sizes with positive costs")
    xs, ys = [math.log(x) for x in sizes], [math.log(y) for y in costs]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    over = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return over / sum((x - mean_x) ** 2 for x in xs)


def markdown(table: Table) -> list[str]:
    """The lines of a table as Markdown, columns of figures to the right."""
    columns = list(zip(*table.rows, strict=True))[1:] or [("0",)] * (len(table.head) - 1)
    figures = [all(cell[:1] in "-0123456789" for cell in column) for column in columns]
    ruler = ["---", *("--:" if right else "---" for right in figures)]
    lines = [f"**{table.caption}**", "", row(table.head), row(ruler)]
    lines += [row(cells) for cells in table.rows]
    for note in table.notes:
        lines += ["", note]
    return [*lines, ""]


def row(cells: Iterable[str]) -> str:
    """One line of a Markdown table; bars within cells are escaped."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def mb(size: float) -> str:
    """Bytes as megabytes."""
    return f"{size / 1e6:,.1f}"


def held(holds: bool) -> str:
    """How a target's outcome is written."""
    return "holds" if holds else "**does not hold**"
