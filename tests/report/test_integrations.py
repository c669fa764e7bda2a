"""What other tools take from us: the action, the hook, shell completion, the documented snippet."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trees import distribution, make_prefix, make_tree, record

ROOT = Path(__file__).parents[2]


def script_of_action() -> str:
    """The script of the composite action, taken out of its YAML."""
    text = (ROOT / "action.yml").read_text()
    body = text.split("      run: |\n", 1)[1]
    return "\n".join(line[8:] for line in body.splitlines())


def run_action(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's script as a runner would, with the installed condaprune as its venv."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    stub = folder / "python"
    # It stands for `python -m venv` and pip: the tests install nothing.
    stub.write_text(
        '#!/bin/bash\nmkdir -p "$3/bin"\n'
        f'printf "#!/bin/bash\\n" > "$3/bin/python"\n'
        f'printf \'#!/bin/bash\\nexec "{sys.executable}" -m condaprune "$@"\\n\' '
        '> "$3/bin/condaprune"\nchmod +x "$3"/bin/*\n'
    )
    stub.chmod(0o755)
    empty = dict.fromkeys(("BASELINE", "BUDGET", "PROFILE", "HTML"), "")
    defaults = {**empty, "PRUNED": "false", "CONDAPRUNE": "condaprune"}
    values = {f"INPUT_{key}": value for key, value in {**defaults, **inputs}.items()}
    environment = {
        **os.environ,
        **values,
        "INPUT_PYTHON": os.fspath(stub),
        "BASE_REF": "",
        "GITHUB_OUTPUT": os.fspath(folder / "output"),
        "GITHUB_STEP_SUMMARY": os.fspath(folder / "summary.md"),
        "PYTHONPATH": os.fspath(ROOT),
    }
    return subprocess.run(
        [bash, "-c", script_of_action()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_prefix(tmp_path / "env", {"lib/a.so": b"a" * 40_000}, packages={"a": ["lib/a.so"]})
    (tmp_path / "condaprune.toml").write_text('[budget.environment]\ngrowth = "5% and 5 kB"\n')
    return tmp_path


def test_the_action_passes_reports_and_fails(project: Path) -> None:
    saved = [sys.executable, "-m", "condaprune", "audit", "env", "-q", "--save", "base.json"]
    environment = {**os.environ, "PYTHONPATH": os.fspath(ROOT)}
    subprocess.run(saved, cwd=project, check=True, capture_output=True, env=environment)
    inputs = {"ENVIRONMENT": "env", "BASELINE": "base.json", "BUDGET": "condaprune.toml"}
    done = run_action(project, **inputs)
    assert done.returncode == 0, done.stderr
    assert "over-budget=false" in (project / "output").read_text()
    make_tree(
        project / "env",
        {"lib/b.so": b"b" * 30_000, "conda-meta/b-1.0-0.json": record("b", ["lib/b.so"])},
    )
    done = run_action(project, **inputs)
    assert done.returncode == 1, done.stderr
    assert "::error title=condaprune%3A environment is over budget::" in done.stdout
    assert "over-budget=true" in (project / "output").read_text()
    summary = (project / "summary.md").read_text()
    assert "conda:b 1.0" in summary


def test_the_action_counts_what_a_prune_would_leave(project: Path) -> None:
    saved = [
        sys.executable,
        "-m",
        "condaprune",
        "check",
        "env",
        "-q",
        "--pruned",
        "--save",
        "b.json",
    ]
    environment = {**os.environ, "PYTHONPATH": os.fspath(ROOT)}
    subprocess.run(saved, cwd=project, check=True, capture_output=True, env=environment)
    static = {"lib/libb.a": b"b" * 90_000, "conda-meta/b-1.0-0.json": record("b", ["lib/libb.a"])}
    make_tree(project / "env", static)  # it does not ship
    inputs = {"ENVIRONMENT": "env", "BASELINE": "b.json", "BUDGET": "condaprune.toml"}
    done = run_action(project, **inputs, PRUNED="true")
    assert done.returncode == 0, done.stderr
    assert "over-budget=false" in (project / "output").read_text()
    assert run_action(project, **inputs).returncode == 2


def test_the_action_without_a_budget_never_fails(project: Path) -> None:
    done = run_action(project, ENVIRONMENT="env", HTML="page.html", PROFILE="safe")
    assert done.returncode == 0, done.stderr
    assert (project / "page.html").exists()


def test_the_action_takes_inputs_as_data_only() -> None:
    assert "${{" not in script_of_action()
    text = (ROOT / "action.yml").read_text()
    named = set(re.findall(r"inputs\.([a-z]+)", text))
    declared = text.split("\noutputs:")[0].split("\ninputs:")[1]
    assert named == set(re.findall(r"^  ([a-z]+):$", declared, re.MULTILINE))


def test_the_hook_runs_a_command_that_exists(project: Path) -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    entry = re.search(r"^  entry: condaprune (.*)$", text, re.MULTILINE)
    assert entry
    (project / "condaprune.toml").write_text('[budget.environment]\nmax = "1 MB"\n')
    command = [sys.executable, "-m", "condaprune", *entry[1].split(), "env"]
    environment = {**os.environ, "PYTHONPATH": os.fspath(ROOT)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, check=False)
    assert done.returncode == 0


def test_the_documented_pytest_snippet_works(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "check.md").read_text()
    snippet = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert snippet
    monkeypatch.chdir(project)
    (project / "condaprune.toml").write_text('[budget.environment]\nmax = "1 MB"\n')
    namespace: dict[str, object] = {}
    exec(compile(snippet[1], "snippet", "exec"), namespace)
    test = namespace["test_the_image_is_within_budget"]
    assert callable(test)
    monkeypatch.setenv("IMAGE_PREFIX", "env")
    test()
    (project / "condaprune.toml").write_text('[budget.environment]\nmax = "1 kB"\n')
    with pytest.raises(AssertionError, match="over by"):
        test()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_made_for_each_shell(shell: str) -> None:
    done = complete({"_CONDAPRUNE_COMPLETE": f"{shell}_source"})
    assert "_CONDAPRUNE_COMPLETE" in done


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("condaprune au", "audit", id="a command"),
        pytest.param("condaprune check --bas", "--baseline", id="an option"),
        pytest.param("condaprune audit x --by cat", "category", id="a choice"),
    ],
)
def test_completion_knows_commands_options_and_choices(words: str, expected: str) -> None:
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert expected in complete({**variables, "_CONDAPRUNE_COMPLETE": "bash_complete"})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(
            "condaprune ENV --select python-idle", "python-idlelib", id="a rule to select"
        ),
        pytest.param("condaprune rules show sta", "static-libraries", id="a rule to show"),
        pytest.param("condaprune audit ENV --profile mini", "minimal", id="a profile"),
        pytest.param("condaprune ENV --no-guard dlo", "dlopen", id="a guard"),
        pytest.param("condaprune why ENV zl", "zlib", id="a conda package of the environment"),
        pytest.param("condaprune why ENV dem", "demo", id="a distribution of the environment"),
        pytest.param("condaprune ENV --drop-package zl", "zlib", id="a package to drop"),
    ],
)
def test_completion_knows_rules_profiles_guards_and_packages(
    words: str, expected: str, tmp_path: Path
) -> None:
    files = {"lib/libz.so": b"", **distribution("demo", {"demo.py": b""})}
    prefix = make_prefix(tmp_path / "env", files, packages={"zlib": ["lib/libz.so"]})
    words = words.replace("ENV", str(prefix))
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    found = complete({**variables, "_CONDAPRUNE_COMPLETE": "bash_complete"}).split()
    assert f"plain,{expected}" in found


def test_completion_of_packages_in_what_is_no_environment_is_empty(tmp_path: Path) -> None:
    variables = {"COMP_WORDS": f"condaprune why {tmp_path} n", "COMP_CWORD": "3"}
    assert complete({**variables, "_CONDAPRUNE_COMPLETE": "bash_complete"}).strip() == ""


def complete(variables: dict[str, str]) -> str:
    """What the installed program answers to a shell that completes."""
    program = Path(sys.executable).parent / "condaprune"
    if not program.exists():
        pytest.skip("condaprune is not installed beside this Python")
    environment = {**os.environ, **variables}
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    return done.stdout
