"""How long imports take in a pruned environment, beside the untouched one.

Usage: python -m benchmarks.imports [PREFIX]

Cold: no bytecode is there and none is written, as at each start on a read-only file system. Warm:
bytecode is there, as from the second start on a writable one. Both by a cache folder of Python's,
so that neither environment is written to; what differs is what else was pruned. As left: the
untouched environment with the bytecode that it came with, the pruned one without.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Section, Table, held, markdown
from benchmarks.paired import Measured, compare, ratio
from lab.envs.build import shared_environment

STATEMENTS = (
    "pass",
    "import numpy",
    "import pandas",
    "import sklearn.linear_model",
    "import lightgbm",
    "import fastapi",
)
MOST = 1.1
SIDES = ("untouched", "runtime")


def measure(prefix: Path, *, rounds: int = 3) -> Section:
    """The section on imports, for one environment."""
    figures: dict[str, float] = {}
    rows = []
    with tempfile.TemporaryDirectory(prefix="imports-") as name:
        folder = Path(name)
        pruned = folder / "env"
        subprocess.run(
            [sys.executable, "-m", "condaprune", prefix, "-q", "--isolated", "-o", pruned],
            check=True,
        )
        homes = {"untouched": prefix, "runtime": pruned}
        for statement in STATEMENTS:
            if not _runs(prefix, statement):
                continue
            found: dict[str, Measured] = {}
            for state in ("warm", "cold"):
                commands = [
                    (f"{side} {state}", _command(homes[side], statement, state, folder / side))
                    for side in SIDES
                ]
                for measured in compare(commands, rounds=rounds if state == "cold" else 2 * rounds):
                    found[measured.name] = measured
            shipped = compare(
                [("shipped", [f"{prefix}/bin/python", "-B", "-c", statement])], rounds=rounds
            )[0]
            ratios = {
                state: ratio(found[f"runtime {state}"], found[f"untouched {state}"], "cpu")
                for state in ("warm", "cold")
            }
            ratios["as left"] = found["runtime cold"].median("cpu") / shipped.median("cpu")
            figures.update({f"{statement}/{key}": value for key, value in ratios.items()})
            rows.append(
                (
                    f"`{statement}`",
                    *(f"{value:.2f}" for value in ratios.values()),
                    *(
                        f"{found[f'{side} {state}'].median('cpu'):.2f}"
                        for state in ("warm", "cold")
                        for side in SIDES
                    ),
                    f"{shipped.median('cpu'):.2f}",
                )
            )
    slowest = max(value for key, value in figures.items() if not key.endswith("/as left"))
    note = (
        f"With the same bytecode on both sides the slowest is {slowest:.2f} times the untouched "
        f"(at most {MOST}: {held(slowest <= MOST)}). What bytecode is worth, and how to keep it "
        "(`--ignore bytecode`): [bytecode](docker.md#bytecode-size-or-start)."
    )
    head = (
        "",
        "warm, x",
        "cold, x",
        "as left, x",
        "warm untouched s",
        "warm pruned s",
        "cold untouched s",
        "cold pruned s",
        "as it came s",
    )
    figures["slowest"] = slowest
    return Section("Imports", INTRO, (Table("runtime / untouched", head, tuple(rows), (note,)),),
                   figures)  # fmt: skip


INTRO = """CPU of one statement in a new process: the environment that `runtime` leaves over the
untouched one. Warm: bytecode is there. Cold: none is there and none is written. As left: cold over
the untouched environment with the bytecode that it came with."""


def _runs(prefix: Path, statement: str) -> bool:
    command = [f"{prefix}/bin/python", "-B", "-c", statement]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _command(prefix: Path, statement: str, state: str, cache: Path) -> list[str]:
    """The statement with a cache of bytecode that is filled by the first, uncounted run, or with
    one that stays empty."""
    options = ["-X", f"pycache_prefix={cache}-{state}"] + (["-B"] if state == "cold" else [])
    return [os.fspath(prefix / "bin/python"), *options, "-c", statement]


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status: 1 where the pruned one starts slower."""
    prefix = Path(arguments[0]).absolute() if arguments else shared_environment("big").prefix
    found = measure(prefix)
    for table in found.tables:
        print("\n".join(markdown(table)))
    return int(found.figures["slowest"] > MOST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
