"""Prefixes that may be traced, and commands that touch them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from condaprune.model import Inventory
from condaprune.sources.prefix import PrefixSource
from condaprune.traces.trace import Run, Trace, TracedEntry, TraceKind
from tests.trees import Link, make_prefix

WORKLOADS = Path(__file__).parents[3] / "lab" / "workloads"

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: nothing to compare with"
)


@pytest.fixture(autouse=True)
def _no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared environments must not change."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A small prefix of files to read, with links and names that are no UTF-8."""
    return make_prefix(
        tmp_path / "env",
        {
            "data/one.txt": b"1",
            "data/two.txt": b"2",
            "data/\udcff\udc80.txt": b"bytes",
            "data/new\nline.txt": b"line",
            "data/deep/three.txt": b"3",
            "alias": Link("data"),
            "data/link.txt": Link("one.txt"),
        },
        packages={"demo": ["data/one.txt", "data/two.txt"], "other": ["data/deep/three.txt"]},
    )


@pytest.fixture
def python() -> Callable[..., list[str]]:
    """A command that runs code in the interpreter of the tests, with arguments."""

    def command(code: str, *arguments: object) -> list[str]:
        return [sys.executable, "-S", "-c", code, *map(str, arguments)]

    return command


READ = "import sys\nfor path in sys.argv[1:]: open(path, 'rb').read()"


def opened(trace: Trace, kind: TraceKind = "open") -> set[str]:
    """The paths that a trace holds of one kind."""
    return {path for path, entry in trace.entries.items() if kind in entry.kinds}


def trace_of(
    entries: dict[str, Sequence[TraceKind]], label: str = "app.trace", **run: object
) -> Trace:
    """A trace as if it had been recorded."""
    made = {path: TracedEntry(frozenset(kinds)) for path, kinds in entries.items()}
    first = Run(prefix="/env", recorders=("inotify",), exit_code=0, **run)  # type: ignore[arg-type]
    return Trace((first,), made, label)


def inventory_of(prefix: Path) -> Inventory:
    """The entries of a prefix on disk."""
    return PrefixSource(os.fspath(prefix)).inventory()
