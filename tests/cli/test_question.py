"""The question before harm: who is asked, what an answer does, how a report ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.cli.terminals import on_terminal
from tests.trees import make_prefix

QUESTION = "Prune it in place? [y/N]"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment called `app`, found by its name too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONDA_ENVS_PATH", str(tmp_path / "envs"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    files = {"lib/liba.a": b"!<arch>" + b"x" * 2000, "lib/liba.so": b"x"}
    return make_prefix(tmp_path / "envs/app", files, packages={"a": ["lib/liba.a"]})


def is_whole(env: Path) -> bool:
    return (env / "lib/liba.a").exists()


@pytest.mark.parametrize("typed", ["n\n", "\n", "\x04", "yo\n"])
def test_nothing_happens_without_a_yes(env: Path, typed: str) -> None:
    ran = on_terminal(env, typed=typed)
    assert QUESTION in ran.screen
    assert "files go" in ran.screen
    assert ran.screen.rstrip().endswith("condaprune: nothing was done.")
    assert ran.status == 1
    assert is_whole(env)


@pytest.mark.parametrize("typed", ["y\n", "YES\n"])
def test_a_yes_prunes(env: Path, typed: str) -> None:
    ran = on_terminal(env, typed=typed)
    assert "It cannot be undone" in ran.screen.partition(QUESTION)[0]
    assert (ran.status, is_whole(env)) == (0, False)


@pytest.mark.parametrize(
    "options", [("--yes",), ("-y", "-q"), ("--dry-run",), ("-o", "slim.tar")],
    ids=["told yes", "told yes and quiet", "a dry run", "an archive"],
)  # fmt: skip
def test_what_needs_no_question_asks_none(env: Path, options: tuple[str, ...]) -> None:
    ran = on_terminal(env, *options)
    assert (ran.status, QUESTION in ran.screen) == (0, False), ran.screen


def test_a_second_run_that_would_change_nothing_asks_nothing(env: Path) -> None:
    assert condaprune(env).status == 0
    ran = on_terminal(env)
    assert (ran.status, QUESTION in ran.screen) == (0, False)


def test_a_job_with_a_terminal_is_not_asked(env: Path) -> None:
    ran = on_terminal(env, variables={"CI": "true"})
    assert (ran.status, is_whole(env)) == (0, False)


def test_quiet_asks_all_the_same(env: Path) -> None:
    ran = on_terminal(env, "-q", typed="n\n")
    assert (ran.status, QUESTION in ran.screen, is_whole(env)) == (1, True, True)


def test_the_question_is_seen_where_all_output_goes_into_a_file(env: Path, tmp_path: Path) -> None:
    ran = on_terminal(env, typed="n\n", shell='"$@" >out 2>err')
    assert QUESTION in ran.screen
    assert QUESTION not in (tmp_path / "err").read_text()
    assert (ran.status, is_whole(env)) == (1, True)


def test_a_script_is_not_asked(env: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "condaprune", str(env)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert QUESTION not in done.stdout + done.stderr
    assert not is_whole(env)


@pytest.mark.parametrize("words", [("app",), ("-n", "app"), ("prune", "--name", "app")])
def test_a_name_needs_a_yes_where_nobody_can_be_asked(env: Path, words: tuple[str, ...]) -> None:
    ran = condaprune(*words)
    assert (ran.status, is_whole(env)) == (2, True)
    assert f"app: is the name of {env}" in ran.err
    assert "--yes" in ran.err
    assert condaprune(*words, "--yes").status == 0
    assert not is_whole(env)


@pytest.mark.parametrize("words", [("app",), ("-n", "app")])
def test_a_name_is_asked_about_on_a_terminal(env: Path, words: tuple[str, ...]) -> None:
    assert on_terminal(*words, typed="n\n").status == 1
    assert is_whole(env)


@pytest.mark.parametrize("options", [("--dry-run",), ("-o", "slim.tar")])
def test_a_name_needs_no_yes_where_it_is_left_as_it_is(env: Path, options: tuple[str, ...]) -> None:
    assert condaprune("app", *options).status == 0
    assert is_whole(env)


def test_the_report_ends_with_how_to_undo_it_or_that_it_cannot_be(env: Path) -> None:
    ran = condaprune(env, "--undoable")
    assert ran.out.splitlines()[-2:] == [
        f"undo this:     condaprune undo {env}",
        f"make it final: condaprune undo {env} --forget",
    ]
    assert condaprune("undo", env).status == 0
    assert condaprune(env).out.splitlines()[-1].startswith("this cannot be undone")
    assert "undone" not in condaprune(env).out  # nothing went


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_dry_run_of_an_archive_ends_with_nothing_was_written(
    env: Path, tmp_path: Path, form: str
) -> None:
    ran = condaprune(env, "--dry-run", "-o", "slim.tar", "--format", form)
    said = ran.out if form == "text" else ran.err
    assert said.splitlines()[-1].endswith("nothing was written: this was a dry run")
    assert not (tmp_path / "slim.tar").exists()
    assert "nothing was written" not in condaprune(env, "--dry-run").out


def test_what_was_set_aside_is_deleted_only_by_a_yes(env: Path) -> None:
    assert condaprune(env, "--undoable").status == 0
    refused = on_terminal("undo", env, "--forget", typed="n\n")
    assert (refused.status, "[y/N]" in refused.screen) == (1, True)
    assert condaprune("undo", env).status == 0
    assert is_whole(env)
    assert condaprune(env, "--undoable").status == 0
    assert on_terminal("undo", env, "--forget", "-y").status == 0
    assert condaprune("undo", env).status == 1
