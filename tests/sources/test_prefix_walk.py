"""The walk lists every entry once, follows no link and keeps any byte of a name."""

import os
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.paths import to_bytes
from condaprune.sources.prefix import walk
from tests.trees import Link, make_tree


def test_entries_come_in_the_order_of_their_bytes_with_folders_first(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a/b": b"1", "a-b": b"22", "a.c/d": b"", "z": b""})
    assert list(walk(os.fsencode(tmp_path))) == ["a", "a-b", "a.c", "a.c/d", "a/b", "z"]


def test_a_link_to_a_folder_is_listed_but_not_entered(tmp_path: Path) -> None:
    make_tree(tmp_path, {"lib/python3.10/os.py": b"", "lib/python3.1": Link("python3.10")})
    entries = walk(os.fsencode(tmp_path))
    assert entries["lib/python3.1"].kind == "link"
    assert entries["lib/python3.1"].target == "python3.10"
    assert "lib/python3.1/os.py" not in entries


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9").write_bytes(b"x")
    (entry,) = walk(os.fsencode(tmp_path)).values()
    assert to_bytes(entry.path) == b"caf\xe9"


def test_hard_links_share_an_identity(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"data"})
    os.link(tmp_path / "a", tmp_path / "b")
    entries = walk(os.fsencode(tmp_path))
    assert entries["a"].identity == entries["b"].identity
    assert entries["a"].links == 2


def test_a_pipe_is_neither_file_nor_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert walk(os.fsencode(tmp_path))["pipe"].kind == "other"


def test_a_prefix_that_vanished_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        walk(os.fsencode(tmp_path / "gone"))


def test_the_state_of_a_run_in_place_is_no_part_of_the_environment(tmp_path: Path) -> None:
    make_tree(tmp_path, {".condaprune/journal": b"x", "lib/.condaprune/mine": b"y"})
    assert list(walk(os.fsencode(tmp_path))) == ["lib", "lib/.condaprune", "lib/.condaprune/mine"]
