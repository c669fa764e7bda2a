"""The first screen of README.md: its commands as a new user types them, its figures as measured."""

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

README = (ROOT / "README.md").read_text("utf-8")
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")


def _commands() -> list[str]:
    """The commands of the block under "Try it"."""
    block = README.partition("\n## Try it\n")[2].split("```console\n", 1)[1].split("```")[0]
    return re.findall(r"^\$ (.*?)\s*(?:#.*)?$", block, re.M)


def _rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of the first table in *text*, by what the first cell says."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {name: cells for name, *cells in reversed(rows)}


def test_it_installs_first_and_prunes_in_place_last() -> None:
    first, *_, last = _commands()
    assert "pip install ." in first
    assert last == "condaprune /env"


@pytest.mark.parametrize(
    ("name", "as_measured", "works"),
    [
        ("guide of 2021", "guide of 2021", "Python does not start"),
        ("the guide as filters", "conda-pack, the guide as filters", "Python does not start"),
        ("condaprune runtime", "condaprune runtime", "nothing"),
    ],
)
def test_the_figures_are_those_of_the_benchmarks(name: str, as_measured: str, works: str) -> None:
    small = BENCHMARKS.partition("\n**small: ")[2].partition("\n**")[0]
    _, _, left, _, _, lost, *_ = _rows(small)[as_measured]
    (ours,) = [cells for row, cells in _rows(README).items() if name in row]
    assert ours[0] == left
    assert works in ours[1]
    assert works in lost


def test_the_output_shown_is_of_the_same_environment() -> None:
    before = re.search(r"^\*\*small: ([\d.]+) MB in ([\d,]+) files", BENCHMARKS, re.M)
    shown = re.search(r"^  before +(\d+) MB +([\d,]+) files", README, re.M)
    assert before
    assert shown
    assert (round(float(before[1])), before[2]) == (int(shown[1]), shown[2])


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
