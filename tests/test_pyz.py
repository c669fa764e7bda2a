"""The single file: made, and run from an empty folder by every Python that there is."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from condaprune.ruleset.builtin import COMPILED, compile_builtin
from tests.trees import make_prefix

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pyz") / "condaprune.pyz"
    command = [sys.executable, str(ROOT / "tools" / "make_pyz.py"), str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("pip reaches no packages")
    assert done.returncode == 0, done.stderr
    return made


def _run(python: str, pyz: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Isolated, from an empty folder, with a temporary folder of its own that is empty after."""
    empty, scratch = folder / "empty", folder / "scratch"
    empty.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(
        [python, "-I", "-S", str(pyz), *words],
        cwd=empty, env={"PATH": os.defpath, "TMPDIR": str(scratch)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not list(empty.iterdir())
    assert not list(scratch.iterdir())
    return done


def test_prunes(pyz: Path, tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {"lib/libz.a": b"x"}, packages={"zlib": ["lib/libz.a"]})
    listed = _run(sys.executable, pyz, tmp_path, "rules", "list", "--profile", "runtime")
    assert "static-libraries" in listed.stdout, listed.stderr
    archive = tmp_path / "slim.tar.gz"
    packed = _run(sys.executable, pyz, tmp_path, str(env), "-o", str(archive))
    assert packed.returncode == 0, packed.stderr
    assert archive.exists()
    assert (env / "lib/libz.a").exists()
    done = _run(sys.executable, pyz, tmp_path, str(env))
    assert done.returncode == 0, done.stderr
    assert "static-libraries" in done.stdout
    assert not (env / "lib/libz.a").exists()


def test_zstandard_is_asked_for(pyz: Path, tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {})
    done = _run(sys.executable, pyz, tmp_path, str(env), "-o", str(tmp_path / "slim.tar.zst"))
    assert done.returncode == 2
    assert "needs the package zstandard" in done.stderr
    archive = tmp_path / "env.tar.zst"
    archive.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    done = _run(sys.executable, pyz, tmp_path, str(archive), "--dry-run")
    assert done.returncode == 2
    assert "needs the package zstandard" in done.stderr


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_other_pythons(pyz: Path, tmp_path: Path, version: str) -> None:
    python = shutil.which(f"python{version}") or "false"
    if subprocess.run([python, "-V"], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no Python {version}")
    done = _run(python, pyz, tmp_path, "--version")
    if version == "3.9":
        assert done.returncode == 1
        assert "needs Python 3.10 or newer" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("condaprune, version")


def test_made_twice_is_the_same(pyz: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_pyz", ROOT / "tools" / "make_pyz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("one", "two"):
        with zipfile.ZipFile(pyz) as archive:
            archive.extractall(tmp_path / name)
        os.utime(tmp_path / name / "__main__.py", (len(name), 10**9))
        module._write(tmp_path / name, tmp_path / f"{name}.pyz")
    assert (tmp_path / "one.pyz").read_bytes() == (tmp_path / "two.pyz").read_bytes()
    assert (tmp_path / "one.pyz").read_bytes() == pyz.read_bytes()


def test_rules_are_compiled(pyz: Path) -> None:
    with zipfile.ZipFile(pyz) as archive:
        compiled = archive.read(f"condaprune/ruleset/{COMPILED}")
    assert compiled == compile_builtin(str(ROOT / "rules"))
