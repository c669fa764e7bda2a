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


def _install() -> str:
    """The command of the line for pip, under "Install"."""
    (line,) = re.findall(r"^\| pip \| `(.*)` \|$", README, re.M)
    return str(line)


def test_it_is_installed_from_the_checkout_and_prunes_in_place_last() -> None:
    assert _install().endswith("pip install .")
    assert _commands()[-1] == "condaprune /env"
    assert README.index("## Install") < README.index("## Try it")


def test_the_dockerfile_is_the_one_that_is_built() -> None:
    shown = README.split("```dockerfile\n", 1)[1].split("```")[0]
    assert shown == (ROOT / "docs" / "docker" / "inplace.Dockerfile").read_text("utf-8")


def test_the_price_stands_under_the_dockerfile() -> None:
    below = README.split("```dockerfile\n", 1)[1].split("```", 1)[1].partition("\n## ")[0]
    assert "imports take about 4 times the CPU at each start" in below
    assert '"--bytecode", "keep"' in below


def test_each_page_that_it_names_for_a_reader_is_there() -> None:
    table = README.partition("## Who reads what")[2]
    named = re.findall(r"\]\(([\w./-]+\.md)[^)]*\)", table)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


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
    script = "\n".join([_install(), *_commands()]).replace("/env ", f"{fresh_tiny.prefix} ")
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
