"""All benchmarks in one run: tables, a JSON of all figures, and the page docs/benchmarks.md.

Usage: python -m benchmarks.suite [--part NAME]... [--env PREFIX]... [-o results.json]
       python -m benchmarks.suite --page

``make bench`` is the first without options: half an hour of two idle cores. A run of some parts
only keeps what is known of the others. ``--page`` writes the page from the JSON alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import imports, peers, phases, targets
from benchmarks.figures import Section, Table, exponent, markdown
from lab.envs.build import shared_environment

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"


def measure_phases(sizes: Sequence[int] = phases.SIZES) -> Section:
    """What each phase costs an entry as synthetic environments grow."""
    rows = phases.collect(sizes)
    figures: dict[str, float] = {}
    cells = []
    entries = [row["entries"] for row in rows]
    for phase in phases.PHASES:
        slope = exponent(entries, [row[phase] for row in rows])
        figures[f"{phase}/exponent"] = slope
        each = [row[phase] / row["entries"] * 1e6 for row in rows]
        figures.update({f"{phase}/{n:.0f}": us for n, us in zip(entries, each, strict=True)})
        cells.append((phase, f"{slope:.2f}", *(f"{us:.1f}" for us in each)))
    peak = [row["peak"] / row["entries"] for row in rows]
    figures.update({f"peak/{n:.0f}": b for n, b in zip(entries, peak, strict=True)})
    cells.append(("memory, bytes an entry", "", *(f"{b:,.0f}" for b in peak)))
    head = ("", "exponent", *(f"{n:,.0f} entries" for n in entries))
    return Section("Scale", SCALE, (Table("CPU, us an entry", head, tuple(cells)),), figures)


SCALE = """Synthetic environments with the path lengths, folder sizes and owner counts of real ones
(`benchmarks/shapes.py`), each pruned in a process of its own. The exponent is the slope of log time
over log entries: 1 is linear. Memory is what the process grew by until the plan was made."""

PARTS: Mapping[str, Callable[[Sequence[str]], Section]] = {
    "peers": lambda prefixes: peers.measure(("small", "big"), prefixes),
    "targets": lambda _: targets.measure(),
    "imports": lambda _: imports.measure(shared_environment("big").prefix),
    "scale": lambda _: measure_phases(),
}


def machine() -> str:
    """This machine in a line."""
    model = platform.processor() or platform.machine()
    memory = ""
    if os.path.exists("/proc/cpuinfo"):
        names = [s for s in _lines("/proc/cpuinfo") if s.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
        total = next(s for s in _lines("/proc/meminfo") if s.startswith("MemTotal"))
        memory = f", {int(total.split()[1]) / 1e6:.0f} GB of memory"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores of {model}{memory}, {platform.system()} {platform.release()}, "
        f"CPython {platform.python_version()}"
    )


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as stream:
        return stream.read().splitlines()


def busy() -> str:
    """A warning where the machine has other work than this; empty where it has none."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    return f"{load:.1f} processes ran beside on {cores} cores" if load > 0.5 * cores else ""


def read(path: Path) -> dict[str, object]:
    """The JSON of an earlier run; empty where there is none."""
    if not path.is_file():
        return {"sections": {}}
    found: dict[str, object] = json.loads(path.read_text("utf-8"))
    return found


def to_json(section: Section, seconds: float, warning: str) -> dict[str, object]:
    """A section as plain data, with where and when it was measured."""
    return {
        **asdict(section),
        "figures": {name: round(value, 4) for name, value in sorted(section.figures.items())},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(),
        "busy": warning,
        "seconds": round(seconds),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write. Returns the exit status."""
    from benchmarks.page import page, sections

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--part", action="append", choices=tuple(PARTS))
    parser.add_argument("--env", action="append", default=[], metavar="PREFIX")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    parser.add_argument("--page", action="store_true", help="only write the page from the JSON")
    options = parser.parse_args(arguments)
    results = read(options.output)
    known = results["sections"]
    assert isinstance(known, dict)
    warning = busy()  # asked once: later the load is that of the parts before
    for part in () if options.page else options.part or PARTS:
        start = time.monotonic()
        found = PARTS[part](options.env)
        known[part] = to_json(found, time.monotonic() - start, warning)
        results["sections"] = {name: known[name] for name in PARTS if name in known}
        options.output.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        for table in found.tables:
            print("\n".join(markdown(table)))
    if options.output == RESULTS:
        PAGE.write_text(page(sections(read(RESULTS))), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
