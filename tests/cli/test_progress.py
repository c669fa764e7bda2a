"""Progress where there is no terminal: a line a phase, and how much time is left."""

import pytest

from condaprune.cli import progress
from condaprune.cli.progress import Reporter


def told(monkeypatch: pytest.MonkeyPatch, *steps: tuple[float, int, int]) -> list[str]:
    """What is said of one phase: its steps are a time, what is done and how much there is."""
    said: list[str] = []
    clock = iter([time for time, _, _ in steps])
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    reporter = Reporter(bars=False)
    for _, done, total in steps:
        reporter("imports", done, total)
    return said


def test_the_time_left_is_told_from_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(monkeypatch, (0, 0, 400), (5, 50, 400), (20, 100, 400), (40, 390, 400))
    assert said == [
        "imports ...",
        "imports: 100 of 400, about 60 s left",
        "imports: 390 of 400, about 1 s left",
    ]


def test_long_times_are_told_in_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, (0, 0, 99), (60, 10, 100))[1].endswith(", about 9 min left")


@pytest.mark.parametrize(("done", "total"), [(7, 0), (0, 7), (7, 7)])
def test_no_time_is_told_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch, done: int, total: int
) -> None:
    assert "left" not in told(monkeypatch, (0, 0, total), (60, done, total))[1]
