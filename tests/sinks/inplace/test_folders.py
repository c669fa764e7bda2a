"""Folders are opened seldom and never through links; entries are looked at before they go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.sinks.inplace import filesystem
from condaprune.sinks.inplace.filesystem import Filesystem, Folders, entry_stat
from condaprune.sinks.inplace.prepare import make_journal
from tests.sinks.inplace.prefixes import SITE, build, make_plan


class Watched(Filesystem):
    """Notes which folders are opened and closed."""

    def __init__(self) -> None:
        self.entered: list[bytes] = []
        self.closed: list[int] = []

    def enter(self, name: bytes, folder: int) -> int:
        self.entered.append(name)
        return super().enter(name, folder)

    def close(self, handle: int) -> None:
        self.closed.append(handle)
        super().close(handle)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/bc").mkdir()
    return tmp_path


def test_a_folder_and_one_inside_by_turns_are_opened_once(tree: Path) -> None:
    system = Watched()
    folders = Folders(system, os.open(tree, os.O_RDONLY))
    for path in ("a/b", "a/b/c", "a/b", "a/b/c", "a", "a/b/c"):
        assert os.fstat(folders(path)).st_ino == (tree / path).stat().st_ino
    assert system.entered == [b"a", b"b", b"c"]
    assert os.fstat(folders("a/bc")).st_ino == (tree / "a/bc").stat().st_ino
    assert system.entered == [b"a", b"b", b"c", b"bc"]
    assert len(system.closed) == 2
    folders.release()
    assert len(system.closed) == 4
    assert os.fstat(folders("")).st_ino == tree.stat().st_ino


def test_a_folder_that_goes_is_let_go_of(tree: Path) -> None:
    folders = Folders(Watched(), os.open(tree, os.O_RDONLY))
    old = os.fstat(folders("a/b/c")).st_ino
    folders.forget("a/b")
    (tree / "a/b").rename(tree / "old")
    (tree / "a/b/c").mkdir(parents=True)
    assert os.fstat(folders("a/b/c")).st_ino != old
    folders.forget("a/b/c/d")
    folders.forget("x")


def test_a_missing_folder_leaves_those_above_usable(tree: Path) -> None:
    folders = Folders(Watched(), os.open(tree, os.O_RDONLY))
    with pytest.raises(FileNotFoundError):
        folders("a/b/x/y")
    (tree / "a/link").symlink_to("b")
    with pytest.raises(NotADirectoryError):
        folders("a/link/c")
    assert os.fstat(folders("a/b/c")).st_ino == (tree / "a/b/c").stat().st_ino


@pytest.mark.parametrize("known", [True, False])
def test_a_look_tells_what_a_stat_tells(
    tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:  # a C library without statx
        monkeypatch.setattr(filesystem, "_statx", lambda: None)
    root = build(tmp_path)
    os.utime(root / "bin/tool", ns=(-1_500_000_000, -1_500_000_001))
    seen = 0
    for path in map(os.fsencode, root.rglob("*")):
        found, info = entry_stat(path), os.lstat(path)
        assert found == (info.st_mode, info.st_ino, info.st_size, info.st_mtime_ns, False)
        seen += 1
    assert seen > 20
    with pytest.raises(FileNotFoundError):
        entry_stat(os.fsencode(root / "bin/none"))
    with pytest.raises(NotADirectoryError):
        entry_stat(os.fsencode(root / "bin/tool/none"))


def test_what_points_goes_first_then_lists_then_files_then_folders(tmp_path: Path) -> None:
    plan = make_plan(build(tmp_path))
    journal, _ = make_journal(plan, mode="unlink", verified=False)
    assert journal is not None
    tests = f"{SITE}/pkg/tests"
    assert [known.path for known in journal.removals] == [
        "bin/alias",
        "bin/tool",
        "lib/liblink.so",
        "conda-meta/pkg-1.0-0.json",
        "include/zlib.h",
        "lib/libdemo.a",
        f"{SITE}/pkg/h\udce9.txt",
        f"{SITE}/pkg/shared.bin",
        f"{tests}/__pycache__/__init__.cpython-311.pyc",
        f"{tests}/__init__.py",
        f"{tests}/__pycache__/test_a.cpython-311.pyc",
        f"{tests}/test_a.py",
        f"{SITE}/pkg/twin_a.bin",
        f"{SITE}/pkg/twin_b.bin",
        f"{tests}/__pycache__",
        f"{SITE}/pkg/empty",
        f"{SITE}/pkg/tests",
        "include",
    ]
