"""A prefix as source: what is refused, and what reading gives."""

import os
import sys
from pathlib import Path

import pytest

from condaprune.errors import ProtectedPathError, SourceError
from condaprune.sources.prefix import PrefixSource, check_not_own, check_prefix
from tests.trees import Link, make_prefix, make_tree


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        check_prefix(str(tmp_path / "gone"))


def test_a_folder_without_conda_meta_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no conda-meta"):
        check_prefix(str(tmp_path))


@pytest.mark.parametrize("path", ["/", "/usr", "/usr/../usr", "/home"])
def test_system_folders_are_refused(path: str) -> None:
    with pytest.raises(ProtectedPathError):
        check_prefix(path)


def test_the_home_folder_is_refused_even_with_conda_meta(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_prefix(tmp_path, {})
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ProtectedPathError):
        check_prefix(str(tmp_path))


def test_a_link_to_the_prefix_is_resolved(tmp_path: Path) -> None:
    make_prefix(tmp_path / "real", {})
    make_tree(tmp_path, {"env": Link("real")})
    assert check_prefix(str(tmp_path / "env")) == os.path.realpath(tmp_path / "real")


def test_the_environment_condaprune_runs_from_is_refused() -> None:
    with pytest.raises(ProtectedPathError, match="--allow-self"):
        check_not_own(os.path.realpath(sys.prefix))


def test_reading_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    make_prefix(tmp_path / "env", {"link": Link("../secret")})
    with pytest.raises(SourceError):
        PrefixSource(str(tmp_path / "env")).read("link")


def test_reading_gives_the_whole_content(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    make_prefix(tmp_path, {"blob": data, "empty": b""})
    source = PrefixSource(str(tmp_path))
    assert source.read("blob") == data
    assert dict(source.read_many(["empty"])) == {"empty": b""}
