"""Processes that use a prefix."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from condaprune.processes import running_from

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")


def test_a_process_that_runs_a_program_of_the_prefix_is_named(tmp_path: Path) -> None:
    (tmp_path / "env" / "bin").mkdir(parents=True)
    program = tmp_path / "env" / "bin" / "sleep"
    shutil.copy(shutil.which("sleep") or "sleep", program)
    prefix = os.path.realpath(tmp_path / "env")
    with subprocess.Popen([program, "60"]) as process:
        try:
            users = running_from(prefix)
        finally:
            process.kill()
    assert users == [(process.pid, f"{prefix}/bin/sleep")]


def test_nobody_runs_from_an_unused_prefix(tmp_path: Path) -> None:
    assert running_from(os.path.realpath(tmp_path)) == []
