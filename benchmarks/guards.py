"""CPU time and reads of all guards together; how the cost grows with the environment.

Usage: python -m benchmarks.guards [PREFIX]

Without PREFIX the big test environment is built (lab/envs). The candidates are those of the
runtime profile. The target: under 2 CPU seconds, no file read twice. Then synthetic environments of
20,000, 100,000 and 500,000 entries in memory: the cost of an entry must not grow. Exit 1 where
a target is missed.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Collection, Iterator

from condaprune.guards import examine
from condaprune.model import Entry, Inventory, Kind, Layout
from condaprune.sources.base import Contents, Source
from condaprune.sources.prefix import PrefixSource

ROUNDS = 5
MOST_SECONDS = 2.0
MOST_GROWTH = 1.5
SIZES = (20_000, 100_000, 500_000)
_STDLIB = "lib/python3.11"
_SITE = f"{_STDLIB}/site-packages"


class Counting:
    """Contents that count what is read."""

    def __init__(self, source: Contents) -> None:
        self.source = source
        self.reads: list[str] = []

    def read(self, path: str) -> bytes:
        """The content of one file, counted."""
        self.reads.append(path)
        return self.source.read(path)

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files, counted."""
        for path in paths:
            yield path, self.read(path)


class Memory:
    """Contents of a synthetic environment: by the end of the path."""

    def __init__(self, code: bytes) -> None:
        self.code = code

    def read(self, path: str) -> bytes:
        """The same for every file."""
        return self.code

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The same for every file."""
        for path in paths:
            yield path, self.read(path)


def candidates_of(source: Source) -> dict[str, str]:
    """What the runtime profile wants to remove."""
    from condaprune.planning.planner import make_plan
    from condaprune.request.request import Request

    plan = make_plan(source, Request(no_guard=("all",)))
    return {entry.path: plan.decision(entry.path).name for entry in plan.removed()}


def synthetic(size: int) -> tuple[Inventory, dict[str, str]]:
    """An environment of packages of 100 entries: code, tests, libraries, data."""
    entries: dict[str, Entry] = {}

    def add(path: str, kind: Kind) -> None:
        entries[path] = Entry(path, kind, 300, 0o644, 0, 0, len(entries), 1)

    for folder in ("lib", _STDLIB, _SITE):
        add(folder, "folder")
    for number in range(size // 100):
        home = f"{_SITE}/pkg{number}"
        for folder in (home, f"{home}/tests"):
            add(folder, "folder")
        add(f"{home}/__init__.py", "file")
        for item in range(46):
            add(f"{home}/mod{item}.py", "file")
        add(f"{home}/tests/__init__.py", "file")
        for item in range(40):
            add(f"{home}/tests/test_{item}.py", "file")
        for item in range(10):
            add(f"{home}/data{item}.json", "file")
    layout = Layout("linux", "3.11", {"site": (_SITE,), "stdlib": (_STDLIB,)})
    ordered = dict(sorted(entries.items(), key=lambda pair: pair[0].encode()))
    doomed = {p: "r" for p, e in ordered.items() if "/tests" in p or p.endswith(".json")}
    return Inventory("synthetic", "", ordered, {}, (), (), layout), doomed


def main(arguments: list[str]) -> int:
    """Measure and print. Returns the exit status."""
    if arguments:
        prefix = arguments[0]
    else:
        from lab.envs.build import shared_environment

        prefix = str(shared_environment("big").prefix)
    source = PrefixSource(prefix)
    inventory = source.inventory()
    candidates = candidates_of(source)
    spent = []
    for _ in range(ROUNDS):
        contents = Counting(source)
        gc.collect()
        start = time.process_time()
        report = examine(inventory, contents, candidates)
        spent.append(time.process_time() - start)
    twice = len(contents.reads) - len(set(contents.reads))
    print(f"{len(inventory.entries):,} entries, {len(candidates):,} candidates")
    print(f"rescued {len(report.vetoes):,}; {len(contents.reads):,} reads, {twice} files twice")
    print(f"CPU s of {ROUNDS} rounds: min {min(spent):.2f}, max {max(spent):.2f}")
    costs = []
    for size in SIZES:
        made, doomed = synthetic(size)
        gc.collect()
        start = time.process_time()
        examine(made, Memory(b"import os\nfrom . import mod1\nx = 'data1.json'\n"), doomed)
        seconds = time.process_time() - start
        costs.append(seconds / len(made.entries))
        print(f"{len(made.entries):>9,} entries: {seconds:6.2f} s, {costs[-1] * 1e6:5.1f} us each")
    growth = max(costs) / costs[0]
    print(f"cost of an entry, largest to first: {growth:.2f}")
    return int(min(spent) > MOST_SECONDS or twice > 0 or growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
