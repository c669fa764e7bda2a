"""The strace recorder: it sees looks and misses too, and says why where it cannot trace."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.strace import StraceRecorder
from condaprune.live.trace.session import record
from condaprune.paths import from_bytes

from .conftest import needs_strace, opened


@needs_strace
def test_the_recorder_sees_looks_and_misses_too(
    prefix: Path, python: Callable[..., list[str]]
) -> None:
    code = (
        "import os, sys, subprocess\n"
        "os.chdir(sys.argv[1])\n"
        "open('data/one.txt').close(); os.path.exists('missing'); os.stat('data/two.txt')\n"
        "open(b'data/\\xff\\x80.txt').close()\n"
        "os.readlink('alias'); os.listdir('data/deep')\n"
        "subprocess.run(['/bin/sh', '-c', 'cat alias/link.txt > /dev/null'], check=True)\n"
        "sys.exit(5)"
    )
    trace = record(python(code, prefix), os.fspath(prefix), ["strace"])
    assert trace.runs[0].exit_code == 5
    assert {"data/one.txt", from_bytes(b"data/\xff\x80.txt")} <= opened(trace)
    assert "missing" in opened(trace, "enoent")
    assert "data/two.txt" in opened(trace, "stat")
    assert "alias" in opened(trace, "readlink")
    assert "data/deep" in opened(trace, "list")
    assert "alias/link.txt" in opened(trace)
    assert trace.runs[0].changes == 0


@needs_strace
def test_children_left_behind_are_let_go(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("condaprune.live.trace.recorders.strace._PATIENCE", 0.3)
    command = ["/bin/sh", "-c", f"cat {prefix}/data/one.txt; sleep 4 & echo $! > {tmp_path}/pid"]
    trace = record(command, os.fspath(prefix), ["strace"])
    assert "data/one.txt" in opened(trace)
    assert any("outlived" in note for note in trace.runs[0].notes)
    os.kill(int((tmp_path / "pid").read_text()), 15)


def test_without_strace_there_is_a_remedy(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(TraceError, match=r"not installed\. Install it"):
        StraceRecorder(os.fspath(prefix), os.fspath(tmp_path)).check()


def test_where_ptrace_is_forbidden_there_is_a_remedy(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/strace")
    denied = subprocess.CompletedProcess([], 1, b"", b"strace: PTRACE_TRACEME: not permitted\n")
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: denied)
    with pytest.raises(TraceError, match=r"cannot trace here.*not permitted.*SYS_PTRACE"):
        StraceRecorder(os.fspath(prefix), os.fspath(tmp_path)).check()
