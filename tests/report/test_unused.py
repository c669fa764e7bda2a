"""What no trace touched."""

from __future__ import annotations

import os
from pathlib import Path

from condaprune.app.audit import audit
from condaprune.report.audit.make import Wanted
from condaprune.traces.format import write_trace
from condaprune.traces.trace import Run, Trace, TracedEntry
from tests.trees import Link, make_prefix


def test_files_and_packages_that_no_run_touched(tmp_path: Path) -> None:
    files = {
        "lib/used.so.1": b"x" * 100,
        "lib/used.so": Link("used.so.1"),
        "lib/a/__pycache__/m.cpython-311.pyc": b"x" * 10,
        "lib/a/m.py": b"x" * 20,
        "lib/idle.so": b"x" * 3_000,
        "lib/missed.so": b"x",
    }
    packages = {"used": ["lib/used.so", "lib/used.so.1"], "idle": ["lib/idle.so"]}
    prefix = make_prefix(tmp_path / "env", files, packages=packages)
    opened = TracedEntry(frozenset({"open"}))
    entries = {
        "lib/used.so": opened,
        "lib/a/__pycache__/m.cpython-311.pyc": opened,
        "lib/missed.so": TracedEntry(frozenset({"enoent"})),
        "conda-meta/used-1.0-0.json": opened,
    }
    run = Run(os.fspath(prefix), ("strace",), ("app",), 0)
    trace = tmp_path / "app.trace"
    write_trace(Trace((run,), entries), os.fspath(trace))
    made = audit(os.fspath(prefix), Wanted(trace=os.fspath(trace)))
    unused = {item.path for item in made.items if item.unused}
    assert {"lib/idle.so", "lib/missed.so"} <= unused
    assert not unused & {"lib/used.so", "lib/used.so.1", "lib/a/m.py"}
    assert made.unused_packages == ("conda:idle",)
    assert made.unused is not None
    assert made.unused.bytes >= 3_000
