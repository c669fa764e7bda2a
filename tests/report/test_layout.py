"""Numbers, names and tables as people read them."""

from __future__ import annotations

import pytest

from condaprune.report.layout import (
    Column,
    changed,
    counted,
    listed,
    percent,
    share,
    shorten,
    signed,
    size,
    table,
)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_600, "1.00 MB"),
        (-5_100_000, "-5.10 MB"),
        (3 * 10**15, "3000 TB"),
    ],
)
def test_sizes_have_three_digits(count: int, text: str) -> None:
    assert size(count) == text


def test_parts_and_differences() -> None:
    assert (share(1, 3), share(1, 0)) == ("33.3 %", "-")
    assert (signed(5), signed(-5), signed(0)) == ("+5 B", "-5 B", "0 B")
    assert changed(4, 5) == "+1 B (+25.0 %)"
    assert (percent(1, 4), percent(1, 0), percent(0, 0)) == ("+25.0 %", "new", "-")


def test_counts_and_lists() -> None:
    assert [counted(n, "file") for n in (0, 1, 2_000)] == ["0 files", "1 file", "2,000 files"]
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"


def test_the_middle_of_a_long_name_is_left_out() -> None:
    assert shorten("abcdefghij", 10) == "abcdefghij"
    assert shorten("abcdefghijk", 10) == "ab...ghijk"
    assert len(shorten("x" * 500, 40)) == 40


def test_a_table_aligns_numbers_and_shortens_names() -> None:
    columns: list[Column[tuple[str, ...]]] = [
        Column("bytes", 7, lambda row: row[0]),
        Column("files", 5, lambda row: row[1]),
        Column("", 0, lambda row: row[2]),
    ]
    rows = [("short", ("1 kB", "2", "")), ("a very long name", ("30 kB", "1", "###"))]
    assert list(table("by name", columns, rows, width=10)) == [
        "  by name       bytes  files",
        "  short          1 kB      2",
        "  a ... name    30 kB      1  ###",
    ]
    assert list(table("empty", columns, [])) == ["  empty    bytes  files"]
