"""The gate against slower code: lines and calls that planning executes, an entry.

Usage: python -m benchmarks.gate [--write]

Times on shared machines move by more than what the gate is to catch, so that it counts instead:
in a process of its own with a fixed hash seed, the lines that Python runs and the functions (C's
too) that it calls while it reads, matches and guards two synthetic environments. Two sizes: what
a run costs before the first entry cancels out, and work that grows faster than the environment
shows. The counts are the same on each run of a Python version; gate.json holds what is expected
of each version. Exit 1 where a count is a quarter above it. What it cannot see is the time spent
within one C call, such as a slow regular expression: benchmarks/targets.py measures that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import FrameType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "gate.json")
SIZES = (500, 1_500)
MOST_LOSS = 1.25
# A version without figures of its own is held to its neighbour's, which count a little otherwise.
MOST_LOSS_OF_NEIGHBOUR = 1.6
FIGURES = ("lines", "calls", "growth")


def count(prefix: str) -> tuple[int, int]:
    """The lines and the calls of planning one environment, guards included."""
    from condaprune import api

    lines = calls = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.settrace(trace)
    try:
        api.plan(prefix)
    finally:
        sys.settrace(None)
    sys.setprofile(profile)
    try:
        api.plan(prefix)
    finally:
        sys.setprofile(None)
    return lines, calls


def count_here() -> dict[str, float]:
    """The figures of this process, which must have a fixed hash seed; see `measure`."""
    from benchmarks import shapes
    from condaprune import api

    found: list[tuple[int, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            prefix = os.path.join(folder, str(size))
            entries = shapes.build(prefix, size, shapes.committed())
            if not found:
                api.plan(prefix)  # imports and caches of the first run are no entry's
            found.append((entries, *count(prefix)))
    (small, lines_small, calls_small), (large, lines_large, calls_large) = found
    more = large - small
    return {
        "lines": (lines_large - lines_small) / more,
        "calls": (calls_large - calls_small) / more,
        # Of the whole: 1 where twice the entries cost twice the lines, 2 where four times.
        "growth": (lines_large / lines_small) / (large / small),
    }


def measure(prelude: str = "") -> dict[str, float]:
    """The figures of a fresh process. *prelude* is code that runs first, to make it slower."""
    code = (
        f"{prelude}\nimport json\nfrom benchmarks import gate\nprint(json.dumps(gate.count_here()))"
    )
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "COV_"))}
    settings["PYTHONHASHSEED"] = "0"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        cwd=os.path.dirname(HERE),
        env=settings,
    )
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def expected(version: str, table: Mapping[str, Mapping[str, float]]) -> tuple[str, float]:
    """The version whose figures hold for *version* (``3.11``), and the loss that is let pass."""
    if version in table:
        return version, MOST_LOSS
    minor = int(version.partition(".")[2])
    nearest = min(table, key=lambda known: abs(int(known.partition(".")[2]) - minor))
    return nearest, MOST_LOSS_OF_NEIGHBOUR


def losses(
    found: Mapping[str, float], wanted: Mapping[str, float], most: float = MOST_LOSS
) -> list[str]:
    """A sentence for each figure that is more than *most* times what is wanted."""
    return [
        f"{name} {found[name]:.2f}, {found[name] / wanted[name]:.2f} times the expected "
        f"{wanted[name]:.2f} (at most {most})"
        for name in FIGURES
        if found[name] > most * wanted[name]
    ]


def read() -> dict[str, dict[str, float]]:
    """The expected figures by Python version."""
    with open(EXPECTED, encoding="utf-8") as stream:
        table: dict[str, dict[str, float]] = json.load(stream)
    return table


def main() -> int:
    """Measure, print, judge. Returns the exit status."""
    parser = argparse.ArgumentParser(description="lines and calls of planning, an entry")
    parser.add_argument("--write", action="store_true", help="take them as expected from now on")
    options = parser.parse_args()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = measure()
    print(f"Python {version}: " + ", ".join(f"{k} {v:.2f}" for k, v in found.items()))
    table = read() if os.path.exists(EXPECTED) else {}
    if options.write:
        table[version] = {key: round(value, 3) for key, value in found.items()}
        with open(EXPECTED, "w", encoding="utf-8") as stream:
            json.dump(dict(sorted(table.items())), stream, indent=1)
            stream.write("\n")
        return 0
    known, most = expected(version, table)
    failed = losses(found, table[known], most)
    print("\n".join(failed) or "within what is expected")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
