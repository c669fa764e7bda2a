"""Mounts inside a prefix: seen whatever they are of, not entered, and not written to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from condaprune.proc import mount_points_below
from tests.trees import make_tree

_UNSHARE = ("unshare", "--mount", "--propagation", "private")


def _may_mount() -> bool:
    if shutil.which("unshare") is None or sys.platform != "linux":
        return False
    command = [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(
    not _may_mount(), reason="mounting, even in a namespace of its own, is not allowed here"
)
_WALK = """
import os, sys
from condaprune.sources.prefix import walk
for path, entry in walk(os.fsencode(sys.argv[1])).items():
    print(entry.kind, path)
"""
_PREPARE = """
import os, subprocess, sys
from pathlib import Path
from condaprune.errors import SinkError
from condaprune.sinks.inplace.prepare import make_journal
from tests.sinks.inplace.prefixes import make_plan
root = Path(sys.argv[1])
plan = make_plan(root)
subprocess.run(["mount", "--bind", sys.argv[2], root / sys.argv[3]], check=True)
try:
    journal, _ = make_journal(plan, mode="unlink", verified=False)
    print("goes on")
except SinkError as error:
    print(error.what, error.where)
"""


def run(shell: str, code: str, *arguments: object) -> list[str]:
    """The lines that Python code prints in a mount namespace of its own, after shell commands."""
    words = [*_UNSHARE, "sh", "-ec", f'{shell}\nexec "$@"', "sh", sys.executable, "-c", code]
    done = subprocess.run(
        [*words, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_mounts
@pytest.mark.parametrize(
    "mount",
    [
        pytest.param("mount --bind {outside} {env}/data", id="a bind mount of the file system"),
        pytest.param("mount -t tmpfs none {env}/data", id="another file system"),
        pytest.param(
            "mount --bind {env}/data {env}/data", id="a folder of the prefix on its own place"
        ),
        pytest.param(
            "mount --bind {outside} {env}/data && mount --bind {env}/lib {env}/data",
            id="two mounts, one over the other",
        ),
    ],
)
def test_a_mount_is_listed_and_not_entered(tmp_path: Path, mount: str) -> None:
    env = make_tree(tmp_path / "env", {"lib/a": b"", "data/own": b""})
    outside = make_tree(tmp_path / "outside", {"host": b"", "deep/host": b""})
    entries = run(mount.format(env=env, outside=outside), _WALK, env)
    assert entries == ["other data", "folder lib", "file lib/a"]


@needs_mounts
def test_a_single_file_that_is_mounted_over_is_seen(tmp_path: Path) -> None:
    env = make_tree(tmp_path / "env", {"lib/a": b"", "lib/b c": b""})
    host = make_tree(tmp_path, {"host": b"host"}) / "host"
    entries = run(f"mount --bind {host} '{env}/lib/b c'", _WALK, env)
    assert entries == ["folder lib", "file lib/a", "other lib/b c"]


@needs_mounts
def test_a_mount_that_another_one_covers_hides_nothing(tmp_path: Path) -> None:
    env = make_tree(tmp_path / "env", {"lib/a": b"", "data/x": b""})
    outside = make_tree(tmp_path / "outside", {"data/seen": b""})
    mounts = f"mount --bind {outside} {env}/data; mount --bind {outside} {env}"
    assert run(mounts, _WALK, env) == ["folder data", "file data/seen"]


@needs_mounts
def test_a_prefix_that_is_a_mount_itself_is_read(tmp_path: Path) -> None:
    env = make_tree(tmp_path / "env", {"lib/a": b""})
    inner = tmp_path / "over"
    inner.mkdir()
    assert run(f"mount --bind {env} {inner}", _WALK, inner) == ["folder lib", "file lib/a"]


@needs_mounts
@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("lib/python3.11/site-packages/pkg/tests", "something was mounted here"),
        ("lib/python3.11/site-packages", "something was mounted here"),
        ("data", "goes on"),
    ],
)
def test_a_mount_made_after_the_plan_stops_the_run(tmp_path: Path, folder: str, said: str) -> None:
    from tests.sinks.inplace.prefixes import build

    root = build(tmp_path)
    (root / "data").mkdir()
    outside = make_tree(tmp_path / "outside", {"host": b""})
    shutil.copytree(root, outside, dirs_exist_ok=True)
    (line,) = run("", _PREPARE, root, outside, folder)
    assert line.startswith(said)
    assert (outside / "host").exists()


_TABLE = """\
21 1 254:0 / / rw - ext4 /dev/vda rw
22 21 254:0 /x /env rw - ext4 /dev/vda rw
23 21 254:0 /x /env/with\\040space\\134 rw - ext4 /dev/vda rw
24 21 254:0 /x /environment/lib rw - ext4 /dev/vda rw
damage
"""


def test_the_table_is_read_with_its_escapes(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    env = make_tree(tmp_path / "env", {"with space\\/x": b""})
    table.write_text(_TABLE.replace(" /env", f" {env}"))
    # The folder is there and is no mount, so the table is not believed.
    assert mount_points_below(os.fspath(env), os.fspath(table)) == frozenset()
    assert mount_points_below("/env", os.fspath(tmp_path / "none")) == frozenset()
