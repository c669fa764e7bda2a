"""The conda package: its recipe says what pyproject.toml says; built, installed, and at work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import condaprune
from lab.envs import rattler
from lab.envs.fixtures import MakeEnvironment
from lab.envs.model import BuiltEnvironment, SyntheticPackage
from lab.envs.rattler import PackageCache

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
RECIPE = (ROOT / "recipe" / "recipe.yaml").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# What conda-forge calls otherwise than PyPI.
NAMES = {"isal": "python-isal"}


def _run_requirements() -> dict[str, str]:
    (text,) = re.findall(r"^  run:\n((?:    - .*\n)+)", RECIPE, re.M)
    return dict(re.findall(r"- (\S+) (\S+)", text))


def test_the_recipe_has_this_version() -> None:
    assert f'version: "{condaprune.__version__}"' in RECIPE


def test_the_recipe_requires_what_the_project_requires() -> None:
    expected = {"python": PROJECT["requires-python"]}
    for text in PROJECT["dependencies"]:
        name, versions = re.match(r"([\w-]+)([^;]*)", text).groups()
        expected[NAMES.get(name, name)] = versions.strip()
    assert _run_requirements() == expected


@pytest.mark.slow
def test_the_package_is_built_installed_and_at_work(
    make_environment: MakeEnvironment, tiny_env: BuiltEnvironment, tmp_path: Path
) -> None:
    pytest.importorskip("rattler_build", reason="pip install --group recipe")
    # A noarch package asks for tomli whatever the Python is.
    requirements = [text.partition(";")[0] for text in PROJECT["dependencies"]]
    named = SyntheticPackage(
        "python-isal", "1.6", {"share/isal.txt": "PyPI's, by conda-forge's name"},
        noarch="generic", depends=["isal"],
    )  # fmt: skip
    env = make_environment(requirements=[*requirements, "hatchling>=1.26"], packages=[named])
    channels = [env.channel, env.prefix.with_name(f"{env.prefix.name}.channel")]
    output, prefix = tmp_path / "channel", tmp_path / "tool"
    command = [sys.executable, ROOT / "tools" / "make_conda.py", output]
    command += [f"--channel={channel.as_uri()}" for channel in channels]
    environ = {**os.environ, "RATTLER_CACHE_DIR": str(tmp_path / "rattler")}
    built = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert built.returncode == 0, built.stderr
    assert Path(built.stdout.strip()).suffix == ".conda"
    rattler.install(
        prefix, channels=[output, *channels], specs=["condaprune"],
        caches=[PackageCache(tmp_path / "cache", ("condaprune",)), PackageCache(env.package_cache)],
        unindexed=[output],
    )  # fmt: skip
    tool = prefix / "bin" / "condaprune"
    slim = tmp_path / "slim.tar.zst"
    done = subprocess.run([tool, tiny_env.prefix, "-o", slim], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "static-libraries" in done.stdout
    assert slim.exists()
    itself = subprocess.run([tool, prefix], capture_output=True, text=True)
    assert itself.returncode == 2
    for way_out in ("-o", "--allow-self", "another"):
        assert way_out in itself.stderr
