"""Runs commands in turn, A B A B ..., and compares them pair by pair.

Machines are shared and noisy: what is quoted are medians, and ratios of runs made right after
one another.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
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


def run(command: Sequence[str]) -> Run:
    """Run a command to its end, output discarded. Errors: `RuntimeError` where it fails."""
    start = time.perf_counter()
    # As it is installed: with its bytecode, which the first, uncounted round writes.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    assert child.stderr is not None
    message = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {child.returncode}: {message.decode()}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale)


def compare(
    commands: Sequence[tuple[str, Sequence[str]]],
    *,
    rounds: int = 5,
    before_each: Callable[[str], None] | None = None,
) -> list[Measured]:
    """Run each command *rounds* times in turn after one uncounted round.

    *before_each* is called with the command's name before each run, untimed.
    """
    runs: dict[str, list[Run]] = {name: [] for name, _ in commands}
    for number in range(rounds + 1):
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
