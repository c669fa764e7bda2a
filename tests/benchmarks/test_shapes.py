"""Synthetic environments: the shape that is measured, and the one that is built."""

from __future__ import annotations

from benchmarks import shapes
from condaprune.sources.prefix import PrefixSource


def test_quantiles_run_from_the_least_to_the_most():
    assert shapes.quantiles(range(100, -1, -1)) == tuple(range(0, 101, 5))


def test_a_shape_counts_files_of_packages_and_folders():
    rows = [("a/b/c/d/e/one.py", "p"), ("a/b/c/d/e/two.py", "p"), ("bin/x", "-")]
    shape = shapes.measure([rows])
    assert shape.owned == (2,) * 21
    assert (shape.filled[0], shape.filled[-1]) == (1, 2)
    assert (shape.depth[0], shape.depth[-1]) == (0, 1)
    assert dict(shape.endings) == {".py": 0.6667, "": 0.3333}


def test_an_environment_of_the_size_asked_for_is_built_the_same_each_time(tmp_path):
    shape = shapes.committed()
    made = [shapes.build(str(tmp_path / name), 800, shape) for name in ("one", "two")]
    first, second = (PrefixSource(str(tmp_path / name)).inventory() for name in ("one", "two"))
    assert made[0] == made[1]
    assert 800 <= len(first.entries) <= 1000
    assert list(first.entries) == list(second.entries)
    assert len(first.records) > 3
