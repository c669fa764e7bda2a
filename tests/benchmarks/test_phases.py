"""The phases' benchmark: the slope it prints, and that every phase is measured."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import phases


@pytest.mark.parametrize(
    ("points", "slope"),
    [
        pytest.param([(10, 1.0), (100, 10.0), (1000, 100.0)], 1.0, id="linear"),
        pytest.param([(10, 1.0), (100, 100.0)], 2.0, id="quadratic"),
        pytest.param([(10, 2.0), (100, 2.0)], 0.0, id="constant"),
    ],
)
def test_the_exponent_is_the_slope_of_the_logarithms(
    points: list[tuple[float, float]], slope: float
) -> None:
    assert phases.exponent(points) == pytest.approx(slope)


def test_one_size_has_no_exponent() -> None:
    assert math.isnan(phases.exponent([(10, 1.0)]))


def test_each_phase_of_a_synthetic_environment_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.phases", "--one", "600", str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row = json.loads(done.stdout)
    assert all(row[phase] > 0 for phase in phases.PHASES)
    assert 550 <= row["entries"] <= 800
    assert len(phases.table([row])) == len(phases.PHASES) + 3
