"""One activation: `--verify CMD`, `condaprune verify` and `audit --run-activation` agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from condaprune.live.activation import Activation, activate, run_command
from condaprune.live.sandbox import Sandbox, open_sandbox
from condaprune.live.verify.proof import compare
from condaprune.report.audit.runtime import run_activation
from tests.trees import make_tree

SCRIPTS = ["etc/conda/activate.d/a.sh", "etc/conda/activate.d/b.sh"]
TREE = {
    "conda-meta/history": b"",
    "conda-meta/state": json.dumps(
        {"env_vars": {"MODE": "state", "GONE": "***unset***", "HALF": 5}}
    ).encode(),
    "etc/conda/env_vars.d/a.json": b'{"MY_DATA": "/data", "MODE": "a", "GONE": "1"}',
    "etc/conda/env_vars.d/b.json": b'{"MODE": "b", "BY_B": "1", "a=b": "x"}',
    "etc/conda/env_vars.d/broken.json": b"{",
    "etc/conda/env_vars.d/note.txt": b'{"NOTE": "1"}',
    SCRIPTS[0]: b'echo noise; export FROM_SCRIPT="$MY_DATA/x" EMPTY= PYTHONNOUSERSITE=1\n',
    SCRIPTS[1]: b"export SECOND=$FROM_SCRIPT; unset BY_B; LOCAL=1\n",
    "etc/conda/activate.d/c.csh": b"setenv OTHER 1\n",
}
EXPECTED = {
    "MY_DATA": "/data",
    "MODE": "state",
    "FROM_SCRIPT": "/data/x",
    "EMPTY": "",
    "SECOND": "/data/x",
}


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "env", TREE)


def activation_of(prefix: Path, scratch: Path) -> Activation:
    """The activation in the best sandbox of this machine."""
    sandbox = open_sandbox(str(prefix), str(scratch))
    return activate(sandbox, 20.0)


def test_all_faces_see_the_same_variables(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    names = [*EXPECTED, "BY_B", "GONE", "NOTE", "OTHER", "HALF"]
    shown = "; ".join(f'printf "{name}=%s;" "${{{name}-none}}"' for name in names)
    by_command = run_command(f"{{ {shown}; }} | tail -n 1", str(prefix)).output.splitlines()[-1]
    seen = dict(item.split("=", 1) for item in by_command.rstrip(";").split(";"))
    assert {name: value for name, value in seen.items() if value != "none"} == EXPECTED

    in_sandbox = activation_of(prefix, tmp_path / "scratch")
    assert not in_sandbox.failure
    assert in_sandbox.values == {**EXPECTED, "PYTHONNOUSERSITE": "1"}
    audited = {v.name: v.value for v in run_activation(str(prefix), SCRIPTS)}
    assert audited == in_sandbox.values


def test_each_variable_names_the_file_that_sets_it(prefix: Path, tmp_path: Path) -> None:
    found = activation_of(prefix, tmp_path).variables
    assert found["MODE"].source == "conda-meta/state"
    assert found["MY_DATA"].source == "etc/conda/env_vars.d/a.json"
    assert (found["FROM_SCRIPT"].source, found["SECOND"].source) == (SCRIPTS[0], SCRIPTS[1])


@pytest.mark.parametrize(
    ("end", "failure"),
    [(b"exit 4\n", "ended with 4"), (b"exit 0\n", "b.sh ended the shell")],
    ids=["with an error", "without an error"],
)
def test_a_script_that_ends_the_shell_is_a_failure(
    end: bytes, failure: str, prefix: Path, tmp_path: Path
) -> None:
    (prefix / SCRIPTS[1]).write_bytes(end)
    activation = activation_of(prefix, tmp_path)
    assert failure in activation.failure
    assert "FROM_SCRIPT" not in activation.variables
    assert activation.values["MODE"] == "state"


def test_declared_variables_of_an_environment_are_compared(prefix: Path, tmp_path: Path) -> None:
    after = make_tree(tmp_path / "after", {**TREE, "etc/conda/env_vars.d/a.json": b"{}"})
    verification = compare(prefix, after, checks=["environment"])
    assert "MY_DATA" in {finding.name for finding in verification.lost}


def test_an_environment_without_scripts_runs_nothing(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "plain", {"conda-meta/state": b"[]"})
    sandbox = Sandbox(str(root), "/nonexistent")
    assert activate(sandbox, 1.0) == Activation({})
