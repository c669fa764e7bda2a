"""Where code of an environment runs, and what it is told about the machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from condaprune.live.sandbox import Sandbox, environment, open_sandbox
from condaprune.live.verify.subject import machine_of
from tests.live.verify.elf import AARCH64, I686, X86_64, make_elf


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    prefix, scratch = tmp_path / "env", tmp_path / "scratch"
    (prefix / "bin").mkdir(parents=True)
    scratch.mkdir()
    return Sandbox(str(prefix), str(scratch))


def test_the_caller_s_variables_are_not_passed_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("DISPLAY", ":0")
    out = sandbox.run(["/usr/bin/env"], 20.0).out.decode()
    names = {line.partition("=")[0] for line in out.splitlines()}
    assert not names & {"SECRET", "PYTHONPATH", "DISPLAY"}
    assert f"CONDA_PREFIX={sandbox.root}" in out


def test_every_folder_that_programs_write_to_is_in_the_scratch_folder() -> None:
    values = environment("/env", "/scratch/home", {"PROJ_DATA": "/env/share/proj"})
    for name in (b"HOME", b"TMPDIR", b"XDG_CACHE_HOME", b"MPLCONFIGDIR", b"NUMBA_CACHE_DIR"):
        assert values[name].startswith(b"/scratch/home")
    assert values[b"PYTHONDONTWRITEBYTECODE"] == b"1"
    assert values[b"PROJ_DATA"] == b"/env/share/proj"


def test_nothing_is_left_of_a_run(sandbox: Sandbox) -> None:
    done = sandbox.run(["/bin/sh", "-c", 'touch "$HOME/x" y; pwd'], 20.0)
    assert done.code == 0
    assert done.out.decode().startswith(sandbox.scratch)
    assert os.listdir(sandbox.scratch) == []


def test_a_process_out_of_time_is_killed_with_its_children(sandbox: Sandbox) -> None:
    began = time.monotonic()
    done = sandbox.run(["/bin/sh", "-c", "sleep 300 & echo $!; sleep 300"], 1.0)
    assert done.code is None
    assert time.monotonic() - began < 30
    assert _ended(int(done.out))


def test_a_child_left_behind_is_killed_too(sandbox: Sandbox) -> None:
    began = time.monotonic()
    done = sandbox.run(["/bin/sh", "-c", "sleep 300 & echo $!"], 20.0)
    assert done.code == 0
    assert time.monotonic() - began < 20
    assert _ended(int(done.out))


def test_a_program_that_cannot_be_started_says_so(sandbox: Sandbox) -> None:
    done = sandbox.run([f"{sandbox.root}/bin/none"], 5.0)
    assert done.code == 126
    assert done.err


def test_a_copy_does_not_see_the_original(tmp_path: Path) -> None:
    for name in ("original", "copy", "scratch"):
        (tmp_path / name / "bin").mkdir(parents=True)
    (tmp_path / "original/bin/only").touch()
    copy, original = str(tmp_path / "copy"), str(tmp_path / "original")
    sandbox = open_sandbox(copy, str(tmp_path / "scratch"), covered=original)
    if "read-only" not in sandbox.isolation:
        pytest.skip("this machine allows no mounts")
    assert sandbox.run(["/bin/sh", "-c", f"test -d {original}/bin"], 5.0).code == 0
    assert sandbox.run(["/bin/sh", "-c", f"test -e {original}/bin/only"], 5.0).code == 1
    assert sandbox.run(["/bin/sh", "-c", f"touch {original}/x {copy}/x"], 5.0).code != 0
    assert os.listdir(copy) == ["bin"]


@pytest.mark.parametrize(
    ("head", "machine"),
    [
        pytest.param(make_elf(machine=X86_64), "x86_64", id="x86_64"),
        pytest.param(make_elf(machine=AARCH64), "aarch64", id="aarch64"),
        pytest.param(make_elf(machine=I686), "i686", id="i686"),
        pytest.param(make_elf(machine=22, big_endian=True), "s390x", id="big endian"),
        pytest.param(make_elf(machine=999), "machine 999", id="one nobody knows"),
        pytest.param(b"#!/bin/sh\n", "", id="a script"),
    ],
)
def test_machines(head: bytes, machine: str) -> None:
    assert machine_of(head) == machine


def _ended(pid: int) -> bool:
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
