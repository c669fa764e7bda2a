"""Where the configuration is looked for: in the project, and never in an environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.request.find import Found, find_config


@pytest.fixture(autouse=True)
def _home_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CONDAPRUNE_CONFIG", raising=False)


def write(folder: Path, text: str = "", name: str = "condaprune.toml") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def find(start: Path, *environments: Path | str) -> Found:
    return find_config(str(start), tuple(map(str, environments)))


def test_the_working_folder_counts_without_any_project(tmp_path: Path) -> None:
    own = write(tmp_path / "app")
    assert find(tmp_path / "app") == Found(own)


@pytest.mark.parametrize("mark", [".git/", ".git", "pyproject.toml"])
def test_the_search_goes_up_to_the_root_of_the_project(tmp_path: Path, mark: str) -> None:
    near = write(tmp_path / "app")
    if mark.endswith("/"):
        folder(tmp_path / "app" / mark)
    else:
        write(tmp_path / "app", name=mark)
    assert find(folder(tmp_path / "app" / "src" / "deep")) == Found(near)


def test_a_file_above_the_project_is_named_and_not_read(tmp_path: Path) -> None:
    above = write(tmp_path)
    write(tmp_path / "app", name="pyproject.toml")
    found = find(folder(tmp_path / "app" / "src"))
    assert found.path == ""
    (note,) = found.ignored
    assert note.startswith(f"{above} is not read, since it lies above the project")
    assert "--config" in note


def test_without_a_project_nothing_above_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    found = find(folder(tmp_path / "app"))
    assert found.path == ""
    assert len(found.ignored) == 1


def test_a_repository_is_the_root_though_a_pyproject_is_nearer(tmp_path: Path) -> None:
    root = write(tmp_path / "repo")
    folder(tmp_path / "repo" / ".git")
    write(tmp_path / "repo" / "packages" / "a", name="pyproject.toml")
    assert find(tmp_path / "repo" / "packages" / "a") == Found(root)


def test_the_nearest_repository_is_the_root(tmp_path: Path) -> None:
    write(tmp_path / "repo")
    folder(tmp_path / "repo" / ".git")
    folder(tmp_path / "repo" / "module" / ".git")
    assert find(tmp_path / "repo" / "module").path == ""


def test_a_pyproject_counts_only_with_its_section(tmp_path: Path) -> None:
    folder(tmp_path / ".git")
    write(tmp_path / "app", "[project]\n", "pyproject.toml")
    far = write(tmp_path, "[tool.condaprune]\n", "pyproject.toml")
    assert find(tmp_path / "app") == Found(far)


def test_nothing_above_the_home_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder(tmp_path / "users" / "me")
    monkeypatch.setenv("HOME", str(home))
    write(tmp_path / "users")
    folder(tmp_path / "users" / ".git")
    assert find(folder(home / "app")).path == ""


def test_the_home_folder_may_be_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder(tmp_path / "me")
    monkeypatch.setenv("HOME", str(home))
    folder(home / ".git")
    own = write(home)
    assert find(folder(home / "app")) == Found(own)


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setenv("CONDAPRUNE_CONFIG", "/elsewhere.toml")
    assert find(tmp_path, tmp_path) == Found("/elsewhere.toml", named=True)


# The environment that is pruned has no say.


def refused(found: Found, path: str) -> bool:
    notes = [note for note in found.ignored if "lies in the environment" in note]
    return found.path == "" and len(notes) == 1 and notes[0].startswith(path)


def test_working_in_the_environment(tmp_path: Path) -> None:
    planted = write(tmp_path / "env")
    assert refused(find(tmp_path / "env", tmp_path / "env"), planted)


@pytest.mark.parametrize("spelling", [".", "../env", "./../env/.", "//{}"])
def test_spellings_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    planted = write(tmp_path / "env")
    monkeypatch.chdir(tmp_path / "env")
    environment = spelling.format(str(tmp_path / "env").lstrip("/"))
    assert refused(find(tmp_path / "env", environment), planted)


def test_working_below_the_environment(tmp_path: Path) -> None:
    planted = write(tmp_path / "env" / "share" / "app")
    write(tmp_path / "env", name="pyproject.toml")
    folder(tmp_path / "env" / ".git")
    assert refused(find(folder(tmp_path / "env/share/app"), tmp_path / "env"), planted)


def test_a_project_in_the_environment_does_not_lead_to_its_root(tmp_path: Path) -> None:
    planted = write(tmp_path / "env")
    folder(tmp_path / "env" / ".git")
    assert refused(find(folder(tmp_path / "env" / "lib"), tmp_path / "env"), planted)


def test_a_pyproject_in_the_environment(tmp_path: Path) -> None:
    text = "[tool.condaprune]\nverify = ['touch x']\n"
    planted = write(tmp_path / "env", text, "pyproject.toml")
    assert refused(find(tmp_path / "env", tmp_path / "env"), planted)


def test_an_environment_below_the_working_folder_hides_nothing(tmp_path: Path) -> None:
    own = write(tmp_path)
    write(tmp_path / "env")
    assert find(tmp_path, tmp_path / "env") == Found(own)


def test_a_project_around_the_environment_is_found_from_within(tmp_path: Path) -> None:
    own = write(tmp_path)
    folder(tmp_path / ".git")
    write(tmp_path / "env")
    found = find(folder(tmp_path / "env" / "lib"), tmp_path / "env")
    assert found.path == own
    assert len(found.ignored) == 1


def test_an_environment_that_is_named_by_a_link(tmp_path: Path) -> None:
    planted = write(tmp_path / "env")
    (tmp_path / "link").symlink_to("env")
    assert refused(find(tmp_path / "env", tmp_path / "link"), planted)
    assert refused(find(tmp_path / "link", tmp_path / "env"), planted)


def test_a_link_into_the_environment(tmp_path: Path) -> None:
    planted = write(tmp_path / "env" / "share", name="settings.toml")
    app = folder(tmp_path / "app")
    (app / "condaprune.toml").symlink_to(planted)
    assert refused(find(app, tmp_path / "env"), str(app / "condaprune.toml"))


def test_a_link_out_of_the_environment_is_still_in_it(tmp_path: Path) -> None:
    planted = folder(tmp_path / "env") / "condaprune.toml"
    planted.symlink_to(write(tmp_path / "elsewhere"))
    assert refused(find(tmp_path / "env", tmp_path / "env"), str(planted))


def test_an_environment_that_is_given_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = folder(tmp_path / "envs" / "web")
    write(env / "conda-meta", name="history")
    planted = write(env)
    monkeypatch.setenv("CONDA_ENVS_PATH", str(tmp_path / "envs"))
    assert refused(find(env, "web"), planted)


def test_one_of_two_environments(tmp_path: Path) -> None:
    planted = write(tmp_path / "b")
    assert refused(find(tmp_path / "b", tmp_path / "a", tmp_path / "b"), planted)


def test_an_environment_that_is_an_archive_hides_nothing(tmp_path: Path) -> None:
    own = write(tmp_path)
    assert find(tmp_path, write(tmp_path, name="env.tar")) == Found(own)


def test_a_note_is_one_printable_line(tmp_path: Path) -> None:
    write(tmp_path / "env\x1b[31m\n::error::x")
    env = tmp_path / "env\x1b[31m\n::error::x"
    (note,) = find(env, env).ignored
    assert note.isprintable()


def test_a_pyproject_that_is_a_fifo_is_passed_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    assert find(tmp_path) == Found()
