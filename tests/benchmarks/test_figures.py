"""The arithmetic of the suite and its tables."""

from __future__ import annotations

import pytest

from benchmarks.figures import Table, exponent, markdown


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(power):
    sizes = [10, 100, 1000, 10_000]
    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_noise_of_a_tenth_moves_the_exponent_little():
    sizes = [10_000, 100_000, 500_000, 1_000_000]
    costs = [size * noise for size, noise in zip(sizes, (1.1, 0.9, 1.1, 0.9), strict=True)]
    assert exponent(sizes, costs) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("sizes", "costs"),
    [([10], [1]), ([10, 10], [1, 2]), ([10, 20], [0, 1]), ([10, 20], [1])],
    ids=["one size", "the same size twice", "a cost of nothing", "a cost is missing"],
)
def test_no_exponent_without_two_sizes_and_positive_costs(sizes, costs):
    with pytest.raises(ValueError, match="two different sizes"):
        exponent(sizes, costs)


def test_a_table_is_written_with_its_bars_escaped_and_its_notes_below():
    table = Table("what", ("a", "b"), (("tar | zstd", "1"),), ("a note",))
    assert markdown(table) == [
        "**what**",
        "",
        "| a | b |",
        "| --- | --: |",
        "| tar \\| zstd | 1 |",
        "",
        "a note",
        "",
    ]


def test_columns_of_words_stand_to_the_left():
    table = Table("what", ("", "why", "MB"), (("a", "1 library", "-"), ("b", "none", "2.0")))
    assert markdown(table)[3] == "| --- | --- | --: |"
