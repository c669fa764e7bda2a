"""The picture of README.md from the figures of a run: docs/images/sizes.svg.

Usage: python -m benchmarks.picture [--check]

``--check`` writes nothing; exit status 1 where the picture is not the one of
benchmarks/results.json.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PICTURE = ROOT / "docs" / "images" / "sizes.svg"
ENVIRONMENT = "small"
# What is shown, and under which name of `benchmarks.peers`.
SHOWN = (
    ("pasted recipe of 2019", "tips of 2019"),
    ("pasted recipe of 2021", "guide of 2021"),
    ("condaprune", "condaprune runtime"),
    ("condaprune --strip", "condaprune runtime --strip"),
)
NOTHING = "nothing"
_BROKEN = "Python does not start"
_HEADING = "An environment with numpy, pandas and uvicorn: what is left, and what is lost"
_WIDTH, _LEFT, _BAR, _ROW, _TOP = 820, 190, 290, 34, 58


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of the picture: what was done, bytes left, and what `verify` says was lost."""

    name: str
    size: float
    lost: str


def bars(results: Mapping[str, Any]) -> list[Bar]:
    """The rows, as measured. Errors: `KeyError` where the run had not all of them."""
    peers = results["sections"]["peers"]
    figures: Mapping[str, float] = peers["figures"]
    (table,) = [
        table for table in peers["tables"]
        if table["caption"].startswith(f"{ENVIRONMENT}: ") and "`verify`: lost" in table["head"]
    ]  # fmt: skip
    column = table["head"].index("`verify`: lost")
    lost = {row[0]: row[column] for row in table["rows"]}
    found = [Bar("as it was built", figures[f"{ENVIRONMENT}/untouched/bytes"], "")]
    for name, measured in SHOWN:
        size = figures[f"{ENVIRONMENT}/{measured}/bytes"]
        found.append(Bar(name, size, _words(lost[measured])))
    return found


def _words(lost: str) -> str:
    """What was lost, in words for the picture."""
    if _BROKEN in lost:
        return _BROKEN
    if re.fullmatch(r"[\d,]+ metadata", lost):
        return f"metadata of {lost.split()[0]} packages wrong"
    return f"{lost} lost"


def text_of(bar: Bar) -> str:
    """A row as text: what stands in the picture's description, and has to stand beside it."""
    after = f", {bar.lost}" if bar.lost else ""
    return f"{bar.name} {bar.size / 1e6:.1f} MB{after}"


def draw(rows: Sequence[Bar]) -> str:
    """The picture: readable on a light and on a dark page."""
    largest = max(row.size for row in rows)
    height = _TOP + _ROW * len(rows) + 14
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    font = 'font-family="system-ui, sans-serif" font-size="15"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>',
        f"<title>{escape('; '.join(map(text_of, rows)))}</title>",
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
        _text(20, 34, _HEADING, bold=True),
    ]
    for at, row in enumerate(rows):
        y, ours = _TOP + _ROW * at, row.name.startswith("condaprune")
        width = round(_BAR * row.size / largest)
        lines += [
            _text(_LEFT - 12, y + 17, row.name, bold=ours, end=True),
            f'<rect x="{_LEFT}" y="{y}" width="{width}" height="24" rx="3" fill="{_colour(row)}"/>',
            _text(_LEFT + width + 8, y + 17, f"{row.size / 1e6:.1f} MB", bold=ours),
            _text(_LEFT + _BAR + 98, y + 17, row.lost, fill=_colour(row), bold=ours),
        ]
    return "\n".join([*filter(None, lines), "</svg>", ""])


def _colour(row: Bar) -> str:
    if not row.lost:
        return "#8c959f"
    if row.lost == _BROKEN:
        return "#cf222e"
    return "#1a7f37" if row.lost.startswith(NOTHING) else "#9a6700"


def _text(
    x: int, y: int, text: str, *, fill: str = "#1f2328", bold: bool = False, end: bool = False
) -> str:
    """A line of text, empty for no text; *end* has it end at *x*."""
    if not text:
        return ""
    more = ' font-weight="600"' * bold + ' text-anchor="end"' * end
    return f'<text x="{x}" y="{y}" fill="{fill}"{more}>{escape(text)}</text>'


def main(arguments: Sequence[str]) -> int:
    """Write the picture, or check it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    wanted = draw(bars(json.loads(RESULTS.read_text(encoding="utf-8"))))
    there = PICTURE.read_text(encoding="utf-8") if PICTURE.exists() else ""
    if options.check:
        return int(there != wanted)
    PICTURE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
