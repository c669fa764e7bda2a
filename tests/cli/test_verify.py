"""``condaprune verify -o``: one meaning of an output and its form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.trees import make_prefix


@pytest.fixture(autouse=True)
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("before", "after"):
        make_prefix(tmp_path / name, {"lib/a.txt": b"x"})


def verify(*options: str) -> str:
    ran = condaprune("verify", "before", "after", "--check", "links", "-q", *options)
    assert (ran.status, ran.out) == (0, ""), ran.err
    return ran.err


@pytest.mark.parametrize("output", ["out.json", "json=out.json", "json=out"])
def test_the_name_or_the_word_before_it_says_the_form(output: str) -> None:
    assert verify("-o", output) == ""
    assert json.loads(Path(output.rpartition("=")[2]).read_text())


@pytest.mark.parametrize("output", ["out.txt", "out", "text=out.json"])
def test_it_is_text_else(output: str) -> None:
    assert verify("-o", output) == ""
    assert not Path(output.rpartition("=")[2]).read_text().startswith("{")


def test_the_old_spelling_is_understood(tmp_path: Path) -> None:
    command = ("verify", "before", "after", "--check", "links", "--no-progress")
    ran = condaprune(*command, "--format", "json", "-o", "out")
    assert "warning: --format is for stdout: say the form by -o json=out" in ran.err
    assert json.loads(Path("out").read_text())
    assert "warning" not in condaprune(*command, "--format", "json", "-o", "out.json").err


def test_a_form_that_cannot_hold_it_is_refused_or_said() -> None:
    ran = condaprune("verify", "before", "after", "-o", "html=out")
    assert (ran.status, "cannot hold a verification" in ran.err) == (2, True)
    ran = condaprune("verify", "before", "after", "--check", "links", "-o", "out.html")
    assert "the form html cannot hold a verification: -o out.html gets text" in ran.err
