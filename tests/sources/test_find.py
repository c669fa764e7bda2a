"""ENV is a prefix, an archive, or a name."""

from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.sources.find import find_source
from condaprune.sources.prefix import PrefixSource
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
