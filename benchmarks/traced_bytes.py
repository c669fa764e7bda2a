"""Which bytes stay where only the traced is to stay, and why.

Run from the checkout: ``python -m benchmarks.traced_bytes PREFIX TRACE``. It prints a Markdown
table: what the workload touched, what stays beside it for being its source, and what each guard
keeps further, in MB (10^6 bytes) of files, hard links counted once. The stripping of symbols is no
feature; with binutils at hand its effect is measured for comparison.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping

from condaprune.model import Entry, Plan, unique_bytes
from condaprune.planning.planner import decide
from condaprune.planning.terms import Terms
from condaprune.request.request import Request
from condaprune.request.rules import choose_rules
from condaprune.sources.owners import source_of_bytecode
from condaprune.sources.prefix import PrefixSource
from condaprune.traces.format import read_trace
from condaprune.traces.needs import CLOSURES, only_traced
from condaprune.traces.trace import Trace


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", help="an environment; it is only read")
    parser.add_argument("trace", help="a trace of it, made by `condaprune trace`")
    options = parser.parse_args()
    for line in table(options.prefix, read_trace(options.trace)):
        print(line)


def table(prefix: str, trace: Trace) -> Iterator[str]:
    """The lines of the table for an environment and a trace of it."""
    source = PrefixSource(prefix)
    inventory = source.inventory()
    total = unique_bytes(inventory.entries.values())
    yield "| stays | MB | of all |"
    yield "|---|---|---|"
    plans = {}
    for closure in CLOSURES:
        only = only_traced([trace], inventory, closure=closure)
        rules, _ = choose_rules(Request())
        terms = Terms(rules, traced=only.kept, dropped=only.dropped, guards_off=only.guards_off)
        plans[closure] = decide(inventory, source, terms)
        if closure == "imports":
            kept = only.kept
    for name, entries in _parts(plans["imports"], trace, kept).items():
        yield _row(name, unique_bytes(entries), total)
    for closure, plan in plans.items():
        yield _row(f"all, `--closure {closure}`", unique_bytes(plan.kept()), total)
    touched = [e for e in inventory.entries.values() if _touched(e.path, trace) and _library(e)]
    saved = _by_stripping(prefix, touched)
    if saved is not None:
        yield _row("of the libraries: symbols, which `strip` would remove", saved, total)


def _parts(plan: Plan, trace: Trace, kept: Mapping[str, str]) -> dict[str, list[Entry]]:
    """The files that stay, by why: the trace's own parts, then guards, the largest first."""
    first: dict[str, list[Entry]] = {
        "opened: libraries, extension modules, the interpreter": [],
        "opened: bytecode": [],
        "opened: anything else": [],
        "the sources of that bytecode": [],
        "other names and metadata of what was opened": [],
    }
    libraries, bytecode, opened, sources, beside = first
    used = {source_of_bytecode(path) for path in trace.entries if path.endswith(".pyc")}
    more: dict[str, list[Entry]] = {}
    for entry in plan.kept():
        path = entry.path
        if entry.kind != "file":
            continue
        if _touched(path, trace):
            part = libraries if _library(entry) else opened
            first[bytecode if path.endswith(".pyc") else part].append(entry)
        elif path in kept:
            first[sources if path in used else beside].append(entry)
        else:
            decision = plan.decision(path)
            name = (
                f"guard {decision.name}"
                if decision.basis == "guard"
                else "the rest of the standard library"
            )
            more.setdefault(name, []).append(entry)
    return {**first, **dict(sorted(more.items(), key=lambda item: -unique_bytes(item[1])))}


def _touched(path: str, trace: Trace) -> bool:
    seen = trace.entries.get(path)
    return seen is not None and bool({"open", "exec", "stat"} & seen.kinds)


def _library(entry: Entry) -> bool:
    return ".so" in os.path.basename(entry.path) or entry.path.startswith("bin/")


def _row(name: str, size: int, total: int) -> str:
    return f"| {name} | {size / 1e6:.1f} | {size / total:.1%} |"


def _by_stripping(prefix: str, entries: Iterable[Entry]) -> int | None:
    """The bytes that ``strip --strip-unneeded`` takes off copies; None where there is no strip."""
    if shutil.which("strip") is None:
        return None
    saved = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "copy")
        for entry in entries:
            if entry.kind != "file":
                continue
            shutil.copyfile(os.path.join(prefix, entry.path), copy)
            done = subprocess.run(
                ["strip", "--strip-unneeded", copy], capture_output=True, check=False
            )
            if done.returncode == 0:
                saved += max(0, entry.size - os.path.getsize(copy))
    return saved


if __name__ == "__main__":
    main()
