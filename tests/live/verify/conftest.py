"""Environments for the tests of `condaprune.live.verify`: real Python, made-up packages."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.trees import Content, Link, make_tree

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
Environments = tuple[Path, Path]
MakePair = Callable[[Mapping[str, Content]], Environments]


def site(files: Mapping[str, str]) -> dict[str, Content]:
    """Files of site-packages from their text."""
    return {f"{SITE}/{path}": text.encode() for path, text in files.items()}


def distribution(name: str, files: Mapping[str, str], **metadata: str) -> dict[str, Content]:
    """A distribution with dist-info and RECORD; *metadata* adds or replaces files of dist-info."""
    info = f"{name}-1.0.dist-info"
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: other>=2\n"
    inside = {"METADATA": text, "top_level.txt": f"{name}\n", **metadata}
    listed = dict(files) | {f"{info}/{path}": text for path, text in inside.items()}
    rows = [f"{path},sha256=x,1" for path in listed] + [f"{info}/RECORD,,"]
    return site({**listed, f"{info}/RECORD": "\n".join(rows) + "\n"})


def remove(prefix: Path, *paths: str) -> None:
    """Delete files or folders of a prefix; each must be there."""
    for path in paths:
        target = prefix / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()


def executable(prefix: Path, path: str, text: str) -> None:
    """Write a script into a prefix."""
    target = prefix / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    target.chmod(0o755)


@pytest.fixture
def make_pair(tmp_path: Path) -> MakePair:
    """A factory of an environment and its exact copy. Their Python is the one of the tests."""
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))

    def make(files: Mapping[str, Content]) -> Environments:
        tree: dict[str, Content] = {
            "bin/python": Link(base),
            "pyvenv.cfg": f"home = {os.path.dirname(base)}\n".encode(),
            "conda-meta/history": b"",
            f"{SITE}/": b"",
            **files,
        }
        before = make_tree(tmp_path / "before", tree)
        if isinstance(tree["bin/python"], bytes):
            (before / "bin/python").chmod(0o755)
        after = tmp_path / "after"
        shutil.copytree(before, after, symlinks=True)
        return before, after

    return make
