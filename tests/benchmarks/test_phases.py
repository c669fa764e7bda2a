"""The phases' benchmark: the slope it prints, and that every phase is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import phases


def test_each_phase_of_a_synthetic_environment_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.phases", "--one", "600", str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row = json.loads(done.stdout)
    assert all(row[phase] > 0 for phase in phases.PHASES)
    assert 550 <= row["entries"] <= 800
    assert len(phases.table([row])) == len(phases.PHASES) + 3
