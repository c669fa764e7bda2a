"""The gate against slower code: what it says now, and that it speaks where code is made slower."""

from __future__ import annotations

import functools
import sys

import pytest

from benchmarks import gate

WANTED = {"lines": 100.0, "calls": 50.0, "growth": 0.8}


def now() -> tuple[dict[str, float], float]:
    """What is expected of this Python, and the loss let pass."""
    known, most = gate.expected(f"3.{sys.version_info.minor}", gate.read())
    return gate.read()[known], most


@functools.cache
def measured() -> dict[str, float]:
    """The figures of this Python, counted once."""
    return gate.measure()


def test_planning_executes_no_more_an_entry_than_expected():
    wanted, most = now()
    failed = gate.losses(measured(), wanted, most)
    assert not failed, (
        f"{failed}. If the work is worth it: python -m benchmarks.gate --write, and say so"
    )


def test_two_runs_count_the_same():
    assert gate.measure() == measured()


SLOWER = """
import condaprune.sources.prefix
inner = condaprune.sources.prefix.walk
def slower(prefix):
    found = inner(prefix)
    {waste}
    return found
import condaprune.sources.prefix
condaprune.sources.prefix.walk = slower
"""


@pytest.mark.parametrize(
    ("waste", "figure"),
    [
        pytest.param(
            "for path in found:\n        for step in range(200):\n            pass",
            "lines",
            id="more lines an entry",
        ),
        pytest.param(
            "for path in found:\n        [len(path) for step in range(100)]",
            "calls",
            id="more calls an entry",
        ),
        pytest.param(
            "for path in found:\n        for other in found:\n            pass",
            "growth",
            id="each entry looks at all others",
        ),
    ],
)
def test_the_gate_speaks_where_reading_is_made_slower(waste, figure):
    wanted, most = now()
    failed = gate.losses(gate.measure(SLOWER.format(waste=waste)), wanted, most)
    assert any(line.startswith(figure) for line in failed)


def test_the_gate_stays_quiet_just_below_the_loss_that_it_lets_pass_and_fails_just_above_it():
    wanted, most = now()
    base = measured()["lines"]
    failed = {}
    for share in (0.97, 1.03):
        lines = share * most * wanted["lines"] - base  # to add, an entry: two for each step
        waste = (
            f"for path in found:\n        for step in range({int(lines // 2)}):\n            pass"
        )
        found = gate.measure(SLOWER.format(waste=waste))
        failed[share] = gate.losses({**wanted, "lines": found["lines"]}, wanted, most)
    assert failed[0.97] == []
    assert len(failed[1.03]) == 1


def test_a_loss_ends_the_gate_with_an_error(monkeypatch, capsys):
    wanted, most = now()
    slower = {**wanted, "lines": wanted["lines"] * most * 1.01}
    monkeypatch.setattr(sys, "argv", ["gate"])
    monkeypatch.setattr(gate, "measure", lambda: slower)
    assert gate.main() == 1
    assert "times the expected" in capsys.readouterr().out
    monkeypatch.setattr(gate, "measure", lambda: wanted)
    assert gate.main() == 0


def test_a_quarter_more_is_let_pass_and_a_little_beyond_is_not():
    assert gate.losses({"lines": 125.0, "calls": 50.0, "growth": 0.8}, WANTED) == []
    failed = gate.losses({"lines": 126.0, "calls": 50.0, "growth": 0.8}, WANTED)
    assert len(failed) == 1
    assert failed[0].startswith("lines 126.00, 1.26 times")


def test_a_version_without_figures_is_held_to_its_neighbours_more_loosely():
    table = {"3.9": WANTED, "3.11": WANTED}
    assert gate.expected("3.11", table) == ("3.11", gate.MOST_LOSS)
    assert gate.expected("3.14", table) == ("3.11", gate.MOST_LOSS_OF_NEIGHBOUR)
