"""Private files: the user's alone, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.private import private_folder, read_private, write_private


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_private_file_is_read_as_it_was_written(state_home: Path) -> None:
    assert write_private("key", b"secret")
    assert read_private("key") == b"secret"
    assert os.stat(state_home / "condaprune" / "key").st_mode & 0o777 == 0o600


def test_a_file_that_is_not_there_is_none() -> None:
    assert read_private("key") is None


def test_a_file_that_others_may_write_to_is_none(state_home: Path) -> None:
    write_private("key", b"secret")
    os.chmod(state_home / "condaprune" / "key", 0o620)
    assert read_private("key") is None


def test_a_link_is_none(state_home: Path, tmp_path: Path) -> None:
    write_private("key", b"secret")
    (tmp_path / "planted").write_bytes(b"known")
    path = state_home / "condaprune" / "key"
    path.unlink()
    path.symlink_to(tmp_path / "planted")
    assert read_private("key") is None


def test_a_folder_that_others_may_write_to_is_not_written_to(state_home: Path) -> None:
    (state_home / "condaprune").mkdir(parents=True)
    os.chmod(state_home / "condaprune", 0o777)
    assert not write_private("key", b"secret")
    assert read_private("key") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_none(state_home: Path) -> None:
    write_private("key", b"secret")
    os.chown(state_home / "condaprune" / "key", 12345, 12345)
    assert read_private("key") is None


def test_without_a_home_there_is_no_private_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/nowhere/at/all")
    assert private_folder() == ""
    assert not write_private("key", b"secret")
