"""``conda condaprune``: with conda where it can be imported, else with the part we ask of it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trees import make_prefix

HOOKSPEC = "def hookimpl(function):\n    return function\n"
TYPES = (
    "from collections import namedtuple\nCondaSubcommand = namedtuple('C', 'name summary action')\n"
)
ASK = """
import sys
before = set(sys.modules)
from condaprune import conda_plugin
(command,) = conda_plugin.conda_subcommands()
known = {"conda", *sys.stdlib_module_names}
print(command.name, *sorted(n for n in {*sys.modules} - before if n.split(".")[0] not in known))
sys.exit(command.action(tuple(sys.argv[1:])))
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where conda is imported from. Its present versions are not on PyPI, so that most tests run
    with a stand-in."""
    if importlib.util.find_spec("conda"):
        return ""
    plugins = tmp_path / "lib" / "conda" / "plugins"
    plugins.mkdir(parents=True)
    (plugins.parent / "__init__.py").write_text("")
    (plugins / "__init__.py").write_text(HOOKSPEC)
    (plugins / "types.py").write_text(TYPES)
    return str(tmp_path / "lib")


def _ask(path: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    code = (
        f"import sys; sys.path[:0] = [{path!r}] if {path!r} else []\nimport conda.plugins.types\n"
    )
    command = [sys.executable, "-c", code + ASK, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_entry_point_is_declared() -> None:
    (point,) = importlib.metadata.entry_points(group="conda", name="condaprune")
    assert point.value == "condaprune.conda_plugin"


def test_it_imports_nothing_else_when_conda_starts(path: str) -> None:
    first = _ask(path, "--version").stdout.splitlines()[0]
    assert first == "condaprune condaprune condaprune.conda_plugin condaprune.version"


def test_it_is_the_command_line(path: str, tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {"lib/libz.a": b"x"}, packages={"zlib": ["lib/libz.a"]})
    done = _ask(path, env, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "static-libraries" in done.stdout
    missing = _ask(path, tmp_path / "nowhere")
    assert missing.returncode == 2
    assert "no such file or folder" in missing.stderr
