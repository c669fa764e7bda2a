"""Runs commands in turn, A B A B ..., and compares them pair by pair.

Machines are shared and noisy: what is quoted are medians, and ratios of runs made right after
one another.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run: seconds of wall and CPU time (children included), peak memory in bytes."""

    wall: float
    cpu: float
    peak: int

    def figure(self, name: str) -> float:
        """One of the figures by its name: ``wall``, ``cpu`` or ``peak``."""
        return {"wall": self.wall, "cpu": self.cpu, "peak": float(self.peak)}[name]


@dataclass(frozen=True, slots=True)
class Measured:
    """The runs of one command."""

    name: str
    runs: tuple[Run, ...]

    def median(self, figure: str) -> float:
        """The median of ``wall``, ``cpu`` or ``peak``."""
        return statistics.median(run.figure(figure) for run in self.runs)


# A process inherits the peak of the one that started it: what is measured is started by a process
# that holds next to nothing. Figures below some 10 MB are that process's own.
_LAUNCHER = """
import json, os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


def run(command: Sequence[str]) -> Run:
    """Run a command to its end, output discarded. Errors: `RuntimeError` where it fails."""
    # As it is installed: with its bytecode, which the first, uncounted round writes.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        capture_output=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} could not be started: {done.stderr.decode()}")
    code, wall, cpu, peak = json.loads(done.stdout)
    if code:
        raise RuntimeError(f"{' '.join(command)}: exit {code}: {done.stderr.decode()}")
    return Run(wall, cpu, peak * (1 if sys.platform == "darwin" else 1024))


def compare(
    commands: Sequence[tuple[str, Sequence[str]]],
    *,
    rounds: int = 5,
    warm_up: bool = True,
    before_each: Callable[[str], None] | None = None,
) -> list[Measured]:
    """Run each command *rounds* times in turn after one uncounted round (with *warm_up*).

    *before_each* is called with the command's name before each run, untimed.
    """
    runs: dict[str, list[Run]] = {name: [] for name, _ in commands}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, command in commands:
            if before_each is not None:
                before_each(name)
            finished = run(command)
            if number:
                runs[name].append(finished)
    return [Measured(name, tuple(found)) for name, found in runs.items()]


def ratio(a: Measured, b: Measured, figure: str) -> float:
    """The median of the pairwise ratios a / b."""
    pairs = zip(a.runs, b.runs, strict=True)
    return statistics.median(x.figure(figure) / y.figure(figure) for x, y in pairs)
