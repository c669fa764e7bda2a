"""What each phase costs as environments grow: time an entry, the exponent, the peak memory.

Usage: python -m benchmarks.phases [--sizes 10000,100000,500000,1000000]

Each size runs in a process of its own, on a synthetic environment (`benchmarks.shapes`) that is
deleted afterwards. The exponent is the slope of log time over log entries: 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import shapes
from benchmarks.figures import exponent

PHASES = ("scan", "own", "match", "guards", "plan", "remove", "write")
SIZES = (10_000, 100_000, 500_000, 1_000_000)


def _cpu() -> float:
    """CPU seconds of this process and of the children that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak() -> int:
    """The most memory that this process took, in bytes; ``ru_maxrss`` would begin with that of the
    process that started it."""
    with open("/proc/self/status", encoding="ascii") as stream:
        line = next(line for line in stream if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def measure_phases(prefix: Path, output: Path) -> dict[str, float]:
    """CPU seconds of each phase on one environment; it is pruned at the end."""
    import gc

    gc.set_threshold(100_000, 20, 100)  # as the command line sets it
    from condaprune import api
    from condaprune.guards import examine
    from condaprune.planning.planner import make_plan
    from condaprune.request.request import Request
    from condaprune.request.rules import choose_rules
    from condaprune.ruleset import compile_rules
    from condaprune.sources.owners import build_inventory
    from condaprune.sources.prefix import PrefixSource, walk

    found: dict[str, float] = {}
    start = _cpu()

    def lap(name: str) -> None:
        nonlocal start
        now = _cpu()
        found[name] = now - start
        start = now

    source = PrefixSource(str(prefix))
    rules, _ = choose_rules(Request())
    before = _peak()
    start = _cpu()
    entries = walk(str(prefix).encode())
    lap("scan")
    inventory = build_inventory(str(prefix), source.prefix, entries, source.read_many)
    lap("own")
    matches = compile_rules(rules, inventory).match(inventory)
    lap("match")
    candidates = {p: m.rule for p, m in matches.items() if m.rule and not m.rule_keep}
    candidates = {p: r for p, r in candidates.items() if entries[p].kind != "folder"}
    start = _cpu()
    examine(inventory, source, candidates, rules={rule.id: rule for rule in rules})
    lap("guards")
    make_plan(source, Request(no_guard=("all",)))
    lap("plan")
    found["peak"] = _peak() - before
    start = _cpu()
    api.prune(source, Request(no_guard=("all",)), output=output, force=True)
    lap("write")
    api.prune(source, Request(no_guard=("all",)))
    lap("remove")
    found["entries"] = len(entries)
    return found


def collect(sizes: Sequence[int]) -> list[dict[str, float]]:
    """The figures of each size."""
    rows: list[dict[str, float]] = []
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="phases-"))
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.phases", "--one", str(size), str(folder)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            rows.append(json.loads(done.stdout))
        finally:
            shutil.rmtree(folder)
    return rows


def table(rows: Sequence[dict[str, float]]) -> list[str]:
    """Markdown: a row a phase, microseconds of CPU an entry at each size, the exponent."""
    heads = [f"{row['entries']:,.0f} entries" for row in rows]
    lines = [
        "| phase | " + " | ".join(heads) + " | exponent |",
        "|---|" + "---|" * (len(rows) + 1),
    ]
    for phase in PHASES:
        cells = [f"{row[phase] / row['entries'] * 1e6:.1f} us" for row in rows]
        costs = [row[phase] for row in rows]
        slope = f"{exponent([row['entries'] for row in rows], costs):.2f}" if len(rows) > 1 else ""
        lines.append(f"| {phase} | " + " | ".join(cells) + f" | {slope} |")
    cells = [f"{row['peak'] / row['entries']:,.0f} bytes an entry" for row in rows]
    lines.append("| memory of the plan | " + " | ".join(cells) + " | |")
    return lines


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--one", nargs=2, metavar=("SIZE", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--build", nargs=2, metavar=("SIZE", "FOLDER"), help=argparse.SUPPRESS)
    options: Any = parser.parse_args(arguments)
    if options.build:
        folder = Path(options.build[1])
        (folder / "env").mkdir()
        shapes.build(str(folder / "env"), int(options.build[0]), shapes.committed())
        return 0
    if options.one:
        folder = Path(options.one[1])
        # By a process of its own: its memory is not to be taken for that of the plan.
        build = [sys.executable, "-m", "benchmarks.phases", "--build", *options.one]
        subprocess.run(build, check=True)
        print(json.dumps(measure_phases(folder / "env", folder / "out.tar.zst")))
        return 0
    print("\n".join(table(collect([int(size) for size in options.sizes.split(",")]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
