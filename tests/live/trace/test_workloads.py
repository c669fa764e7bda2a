"""No file that strace shows as opened is missing from what inotify records of the same run."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from condaprune.live.trace.session import record
from lab.envs.model import BuiltEnvironment

from .compare import Comparison, compare
from .conftest import WORKLOADS, needs_strace, opened


def _compared(
    env: BuiltEnvironment, workload: str, arguments: Sequence[object], recorder: str = "inotify"
) -> Comparison:
    command = [env.python, WORKLOADS / workload, *arguments]
    found = compare([str(word) for word in command], os.fspath(env.prefix), recorder)
    assert found.run.exit_code == 0
    assert not found.run.overflow
    assert found.run.changes == 0
    return found


@needs_strace
def test_processes_of_every_kind(tiny_env: BuiltEnvironment, tmp_path: Path) -> None:
    found = _compared(tiny_env, "processes.py", [tmp_path, tiny_env.prefix, "click"])
    assert not found.missing
    assert len(found.strace) > 100
    names = {os.path.basename(path).partition(".")[0] for path in found.other}
    only_in_children = {"fractions", "popen_fork", "popen_spawn_posix", "plistlib", "wave", "cmd"}
    assert {*only_in_children, "colorsys", "csv", "cacert"} <= names
    assert any(path.startswith("etc/conda/activate.d/") for path in found.other)


@needs_strace
def test_imports_of_a_real_environment(small_env: BuiltEnvironment, tmp_path: Path) -> None:
    found = _compared(small_env, "processes.py", [tmp_path, small_env.prefix, "pandas"])
    assert not found.missing
    assert any(".libs/" in path for path in found.other)


@pytest.mark.slow
@needs_strace
def test_a_model_is_fitted(big_env: BuiltEnvironment, tmp_path: Path) -> None:
    found = _compared(big_env, "model.py", [tmp_path])
    assert not found.missing
    assert len(found.strace) > 1000


@pytest.mark.slow
@needs_strace
def test_processes_around_a_model(big_env: BuiltEnvironment, tmp_path: Path) -> None:
    modules = ["pandas", "sklearn.linear_model"]
    assert not _compared(big_env, "processes.py", [tmp_path, big_env.prefix, *modules]).missing


def test_the_audit_recorder_alone_misses_what_is_no_python(
    tiny_env: BuiltEnvironment, tmp_path: Path
) -> None:
    command = [tiny_env.python, WORKLOADS / "processes.py", tmp_path, tiny_env.prefix]
    words = [str(word) for word in command]
    trace = record(words, os.fspath(tiny_env.prefix), ["inotify", "audit"])
    by_audit = {path for path, entry in trace.entries.items() if "audit" in entry.recorders}
    by_kernel = {path for path in opened(trace) if "inotify" in trace.entries[path].recorders}
    missed = by_kernel - by_audit
    assert any("libpython" in path for path in missed)
    assert any(path.startswith("etc/conda/activate.d/") for path in missed)
