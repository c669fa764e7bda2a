"""The wheel: built as an installer builds it, with the rules compiled."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from condaprune.ruleset.builtin import COMPILED, compile_builtin

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]


def test_the_wheel_has_the_rules_and_has_them_compiled(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path]
    done = subprocess.run([*pip, ROOT], capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("pip reaches no packages")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files[f"condaprune/ruleset/{COMPILED}"] == compile_builtin(str(ROOT / "rules"))
    (metadata,) = [text.decode() for name, text in files.items() if name.endswith("/METADATA")]
    address = tomllib.loads((ROOT / "project.toml").read_text("utf-8"))["address"]
    assert ("Project-URL: Repository, " in metadata) is bool(address)
    assert re.findall(r"\]\((?!https://)[^()\s]+\)", metadata) == [], "links lead nowhere there"
    for path in (ROOT / "rules").rglob("*.toml"):
        assert files[f"condaprune/{path.relative_to(ROOT).as_posix()}"] == path.read_bytes()
