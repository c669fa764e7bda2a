"""The benchmark of archives: which way round its targets are, and which ones a run can tell."""

from __future__ import annotations

import pytest

from benchmarks.archives import Target
from benchmarks.paired import Measured, Run


def took(name, *seconds):
    return Measured(name, tuple(Run(wall, wall, 0) for wall in seconds))


@pytest.mark.parametrize(
    ("target", "met"),
    [
        pytest.param(Target("ours", "theirs", 5, faster=True), True, id="five times faster"),
        pytest.param(Target("ours", "theirs", 5.2, faster=True), False, id="not faster enough"),
        pytest.param(Target("theirs", "ours", 5), True, id="at most five times the time"),
        pytest.param(Target("theirs", "ours", 4.9), False, id="more than 4.9 times the time"),
    ],
)
def test_targets(target, met):
    runs = {"ours": took("ours", 1, 2, 3), "theirs": took("theirs", 5, 10, 16)}
    assert target.check(runs)[0] is met
    assert target.check(runs)[1].startswith("holds " if met else "MISSED")
