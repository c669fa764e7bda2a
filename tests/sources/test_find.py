"""ENV is a prefix, an archive, a path list, or a name."""

import gzip
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.sources.find import find_source
from condaprune.sources.prefix import PrefixSource
from tests.sources.archives import tar
from tests.trees import make_prefix


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def prefix_of(name: str) -> str:
    source = find_source(name)
    assert isinstance(source, PrefixSource)
    return source.prefix


def test_an_environment_is_found_below_a_known_install(home: Path) -> None:
    env = make_prefix(home / "miniforge3" / "envs" / "app", {})
    assert prefix_of("app") == str(env)


def test_an_environment_is_found_through_environments_txt(home: Path) -> None:
    env = make_prefix(home / "elsewhere" / "web", {})
    (home / ".conda").mkdir()
    (home / ".conda" / "environments.txt").write_text(f"/gone\n{env}\n")
    assert prefix_of("web") == str(env)


def test_CONDA_ENVS_PATH_comes_before_the_installs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_prefix(home / "miniforge3" / "envs" / "app", {})
    env = make_prefix(home / "other" / "app", {})
    monkeypatch.setenv("CONDA_ENVS_PATH", str(home / "other"))
    assert prefix_of("app") == str(env)


def test_base_is_the_install_itself(home: Path) -> None:
    base = make_prefix(home / "miniforge3", {"condabin/conda": b""})
    assert prefix_of("base") == str(base)


def test_an_unknown_name_is_answered_with_the_nearest(home: Path) -> None:
    make_prefix(home / "miniforge3" / "envs" / "webapp", {})
    with pytest.raises(SourceError, match="Did you mean 'webapp'"):
        find_source("webap")


def test_a_missing_path_is_named(home: Path) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        find_source(str(home / "gone" / "env"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(tar(), "archive", id="a tar"),
        pytest.param(gzip.compress(tar()), "archive", id="a tar.gz"),
        pytest.param(b"path\tkind\tsize\towner\n", "path list", id="a path list"),
        pytest.param(gzip.compress(b"path\tkind\tsize\towner\n"), "path list", id="gzip"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(content: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_bytes(content)
    source = find_source(str(tmp_path / "env"))
    assert (source.kind, source.prefix, source.readable) == (kind, "", kind == "archive")
    assert (source.members() is None) is (kind != "archive")


def test_a_folder_is_a_prefix(tmp_path: Path) -> None:
    source = find_source(str(make_prefix(tmp_path, {})))
    assert (source.kind, source.prefix, source.readable) == ("prefix", str(tmp_path), True)
    assert source.members() is None
