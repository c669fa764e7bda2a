"""The first screen of README.md as a new user types it, in a clone of this checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.envs.fixtures import Packer
from lab.envs.model import BuiltEnvironment, run_in_prefix
from lab.envs.pack import unpack_archive
from tests.docs.blocks import ROOT


def _commands() -> list[str]:
    """The commands of the first block."""
    block = (ROOT / "README.md").read_text("utf-8").split("```console\n", 1)[1].split("```")[0]
    return re.findall(r"^\$ (.*?)\s*(?:#.*)?$", block, re.M)


def test_it_installs_first_and_prunes_in_place_last() -> None:
    first, *_, last = _commands()
    assert "pip install ." in first
    assert last == "condaprune /env"


@pytest.mark.slow
def test_typed_in_a_clone(
    fresh_tiny: BuiltEnvironment, packed_tiny: Packer, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no checkout of git's")
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    shutil.copy(packed_tiny("tar.gz").archive, clone / "env.tar.gz")
    script = "\n".join(_commands()).replace("/env ", f"{fresh_tiny.prefix} ")
    script = re.sub(r"/env$", str(fresh_tiny.prefix), script)
    environ = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=clone, env=environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert fresh_tiny.run("python", "-c", "import click; print(click.__name__)").stdout == "click\n"
    for name in ("env", "slim"):
        prefix = tmp_path / name
        unpack_archive(clone / f"{name}.tar.zst", prefix)
        run_in_prefix(prefix, "python", str(prefix / "bin" / "conda-unpack"))
        told = run_in_prefix(prefix, "python", "-c", "import click, sys; print(sys.prefix)")
        assert told.stdout.strip() == str(prefix)
