"""Processes that use a prefix, and the mount it lies on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from condaprune.proc import mount_of, running_from

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


_TABLE = """\
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 21 0:26 / /mnt/with\\040space rw,noatime - tmpfs tmpfs rw,size=64k
31 21 0:27 / /mnt/over rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
broken line
"""


def test_the_mount_of_a_path_is_the_deepest_one(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(_TABLE)
    assert mount_of("/home/x", os.fspath(table)).label == "ext4 (relatime)"
    assert mount_of("/mnt/with space/x", os.fspath(table)).label == "tmpfs (noatime)"
    over = mount_of("/mnt/over", os.fspath(table))
    assert over.kind == "overlay"
    assert over.option("upperdir") == "/u"
    assert over.option("missing") == ""
    assert mount_of("/mnt/overlook", os.fspath(table)).kind == "ext4"
    assert mount_of("/", os.fspath(tmp_path / "none")).label == "unknown"
