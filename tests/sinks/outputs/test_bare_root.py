"""Archives for one place run where there is only libc: no shell, no env, nothing to unpack with."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.envs.fixtures import Packer
from lab.envs.model import BuiltEnvironment
from tests.cli.runner import condaprune

from .bareroot import BareRoot, Missing, make_root

# Every module that a distribution of the environment brings, and what of Python needs a library.
_IMPORTS = """
import importlib, importlib.metadata, json, sys, warnings
warnings.simplefilter("ignore")
names = {"ssl", "sqlite3", "ctypes", "lzma", "bz2", "zlib", "hashlib", "readline", "curses"}
for found in importlib.metadata.distributions():
    names.update((found.read_text("top_level.txt") or found.name).split())
names -= {"distutils-precedence", "_distutils_hack"}
done = {}
# setuptools wants to be the first to import distutils.
for name in sorted(names, key=lambda name: (name != "setuptools", name)):
    try:
        importlib.import_module(name.replace("-", "_"))
        done[name] = ""
    except Exception as error:
        done[name] = repr(error)
print(json.dumps({"prefix": sys.prefix, "done": done}))
"""
_DEST = "/opt/env"


@pytest.fixture
def bare(workspace: Path) -> BareRoot:
    try:
        return BareRoot(make_root(workspace / "root"))
    except Missing as missing:
        pytest.skip(str(missing))


def _imports(run: Callable[..., str], python: str) -> dict[str, str]:
    found = json.loads(run(python, "-I", "-c", _IMPORTS))
    assert found["prefix"] == _DEST or python != f"{_DEST}/bin/python"
    done: dict[str, str] = found["done"]
    return done


def _check(bare: BareRoot, source: Path, environment: BuiltEnvironment, wanted: set[str]) -> None:
    archive = bare.root.parent / "slim.tar"
    made = condaprune(source, "-o", archive, "--dest-prefix", _DEST, "--quiet")
    assert made.status == 0, made.err
    inside = bare.root / "opt" / "env"
    inside.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        tar.extractall(inside, filter="tar")
    assert not os.path.lexists(bare.root / "bin" / "sh")
    assert not os.path.lexists(inside / "bin" / "conda-unpack")
    there = _imports(bare.run, f"{_DEST}/bin/python")
    assert {name for name in wanted if there.get(name) != ""} == set()
    # What fails there failed before, in the whole environment on a whole system.
    failed = {name for name, why in there.items() if why}
    if failed:

        def here(*command: str) -> str:
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        before = _imports(here, str(environment.prefix / "bin" / "python"))
        assert {name for name in failed if before.get(name) == ""} == set()
    assert "pip" in bare.run(f"{_DEST}/bin/pip", "--version"), "a script finds its interpreter"


def test_a_prefix_for_a_bare_root(bare: BareRoot, tiny_env: BuiltEnvironment) -> None:
    _check(bare, tiny_env.prefix, tiny_env, {"click", "pip", "sqlite3", "ssl"})


def test_an_archive_of_conda_packs_for_a_bare_root(
    bare: BareRoot, tiny_env: BuiltEnvironment, packed_tiny: Packer
) -> None:
    _check(bare, packed_tiny("tar.gz").archive, tiny_env, {"click", "pip", "sqlite3", "ssl"})


@pytest.mark.slow
@pytest.mark.parametrize("through", ["the prefix", "conda-pack's archive"])
def test_numpy_and_pandas_in_a_bare_root(
    bare: BareRoot, small_env: BuiltEnvironment, packed_small: Packer, through: str
) -> None:
    archive = through != "the prefix"
    source = packed_small("tar.zst").archive if archive else small_env.prefix
    wanted = {"numpy", "pandas", "uvicorn", "click", "pip", "sqlite3", "ssl"}
    _check(bare, source, small_env, wanted)
    told = bare.run(
        f"{_DEST}/bin/python", "-c",
        "import pandas; print(pandas.DataFrame({'a': [1, 2], 'b': [3, 4]}).sum().sum())",
    )  # fmt: skip
    assert told.strip() == "10"
