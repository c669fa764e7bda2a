"""The command line as a whole: the default command, start-up, misspelt commands."""

import shlex
import subprocess
import sys
from pathlib import Path

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
    from condaprune.cli.group import COMMANDS

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


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_nothing(closed: str, tmp_path: Path) -> None:
    out = tmp_path / "rules"
    command = f"{shlex.quote(sys.executable)} -m condaprune rules show python-bytecode"
    done = subprocess.run(
        ["sh", "-c", f"({command} {closed}) >{out}"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert ("bytecode" in out.read_text()) == (">&-" not in closed.split())


def test_a_folder_that_is_gone_is_named_as_the_trouble(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    command = f"rmdir {shlex.quote(str(here))}; {shlex.quote(sys.executable)} -P -m condaprune env"
    done = subprocess.run(["sh", "-c", command], cwd=here, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "condaprune: the working folder is gone: change to one that exists\n"


def test_a_full_disk_behind_stdout_is_one_line_and_exit_2() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "condaprune", "rules", "list"],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "condaprune: reading or writing failed: No space left on device\n"
