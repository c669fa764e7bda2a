"""The command line as a whole: the default command, start-up, misspelt commands."""

import subprocess
import sys

import pytest

import condaprune as package
from tests.cli.runner import condaprune


def test_version_and_help_answer_at_once() -> None:
    assert condaprune("--version").out.strip().endswith(package.__version__)
    help_text = condaprune("--help")
    assert help_text.status == 0
    assert "prune" in help_text.out
    assert "explain" in help_text.out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["prune", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from condaprune.cli import run\n"
        f"try: run({arguments!r})\nexcept SystemExit: pass\n"
        "heavy = {'zstandard', 'conda_pack', 'tqdm', 'pathspec', 're2', 'isal'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    ran = condaprune("explian", "/env")
    assert ran.status == 2
    assert "Did you mean 'explain'?" in ran.err


def test_every_command_has_help_that_names_its_arguments() -> None:
    from condaprune.cli import COMMANDS

    for name in COMMANDS:
        ran = condaprune(name, "--help")
        assert ran.status == 0, name
        assert ran.out.startswith("Usage: condaprune"), name


def test_python_m_condaprune_is_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "condaprune", "--version"], capture_output=True, text=True
    )
    assert done.stdout.strip().endswith(package.__version__)


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    ran = condaprune("prune", "/env", "--dry-rum")
    assert ran.status == 2
    assert "--dry-run" in ran.err
