"""The configuration at the terminal: commands of a file that nobody named are not run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.trees import listing, make_prefix


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CONDAPRUNE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return make_prefix(tmp_path / "env", {"include/a.h": b"x"}, packages={"demo": ["include/a.h"]})


def planting(folder: Path, name: str = "condaprune.toml") -> Path:
    """A configuration with a command that leaves a mark; the mark."""
    folder.mkdir(exist_ok=True)
    mark = Path.cwd() / "mark"
    section = "[tool.condaprune]\n" if name == "pyproject.toml" else ""
    (folder / name).write_text(f"{section}verify = ['touch {mark}']\n")
    return mark


def add(folder: Path, text: str) -> None:
    with (folder / "condaprune.toml").open("a") as stream:
        stream.write(text)


@pytest.mark.parametrize("name", ["condaprune.toml", "pyproject.toml"])
@pytest.mark.parametrize("below", ["", "conda-meta", "include"])
def test_a_file_in_the_environment_is_named_and_ignored(
    env: Path, monkeypatch: pytest.MonkeyPatch, name: str, below: str
) -> None:
    mark = planting(env / below, name)
    monkeypatch.chdir(env / below)
    ran = condaprune(env)
    assert ran.status == 0, ran.err
    assert not mark.exists()
    assert f"note: {env / below / name} is not read, since it lies in the environment" in ran.err
    assert "--config" in ran.err


def test_it_is_used_where_it_is_named(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = planting(env)
    monkeypatch.chdir(env)
    assert condaprune(".", "--config", "condaprune.toml").status == 0
    assert mark.exists()


def test_the_variable_names_it(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = planting(env)
    monkeypatch.setenv("CONDAPRUNE_CONFIG", str(env / "condaprune.toml"))
    assert condaprune(env).status == 0
    assert mark.exists()


def test_a_found_command_ends_the_run_before_it_begins(env: Path, tmp_path: Path) -> None:
    mark = planting(tmp_path)
    before = listing(env)
    ran = condaprune(env)
    assert ran.status == 2
    assert f"touch {mark}" in ran.err
    assert "--accept-config" in ran.err
    assert not mark.exists()
    assert listing(env) == before


@pytest.mark.parametrize(
    "words",
    [["--dry-run"], ["--verify", "none"], ["--isolated"], ["-o", "slim.tar"]],
    ids=" ".join,
)
def test_what_runs_no_command_is_not_held_up(env: Path, tmp_path: Path, words: list[str]) -> None:
    mark = planting(tmp_path)
    assert condaprune(env, *words).status == 0
    assert not mark.exists()


@pytest.mark.parametrize("command", ["explain", "audit"])
def test_other_commands_read_the_rest_of_the_file(env: Path, tmp_path: Path, command: str) -> None:
    mark = planting(tmp_path)
    add(tmp_path, "keep = ['include/']\n")
    ran = condaprune(command, env, *(["include/a.h"] if command == "explain" else ["--by", "rule"]))
    assert ran.status == 0, ran.err
    assert not mark.exists()


def test_what_was_accepted_runs_until_it_changes(env: Path, tmp_path: Path) -> None:
    mark = planting(tmp_path)
    ran = condaprune(env, "--accept-config")
    assert ran.status == 0, ran.err
    assert "its commands are accepted until the file changes" in ran.err
    assert mark.exists()
    mark.unlink()
    assert condaprune(env, "--verify", "true").status == 0
    add(tmp_path, "# changed\n")
    assert condaprune(env).status == 2


def test_budgets_in_the_environment_are_not_used(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (env / "condaprune.toml").write_text("[budget.environment]\nmax = '1 B'\n")
    monkeypatch.chdir(env)
    ran = condaprune("check", env)
    assert ran.status == 2
    assert "is not read, since it lies in the environment" in ran.err
    assert condaprune("check", env, "--budget", "condaprune.toml").status == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of other users")
def test_budgets_of_another_user_are_refused(env: Path, tmp_path: Path) -> None:
    path = tmp_path / "condaprune.toml"
    path.write_text("[budget.environment]\nmax = '1 GB'\n")
    os.chown(path, 12345, 12345)
    ran = condaprune("check", env, "--isolated")
    assert ran.status == 2
    assert "belongs to the user 12345" in ran.err
    assert condaprune("check", env, "--isolated", "--budget", path).status == 0


def test_quiet_is_quiet(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planting(env)
    monkeypatch.chdir(env)
    ran = condaprune(env, "--quiet")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
