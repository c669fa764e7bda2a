"""Wheels from PyPI, by pip, for the interpreter asked for."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ..cache import WHEELS, cache_root, digest, locked, new_folder
from ..errors import BuildError
from ..interpreter import Interpreter, clean_environ


def download(interpreter: Interpreter, requirements: Iterable[str]) -> list[Path]:
    """The wheels that satisfy the requirements and all that they depend on.

    pip is asked once for each set of requirements; then the cached answer stands, so that what
    PyPI gains meanwhile changes nothing. Pins go into a file that `$PIP_CONSTRAINT` names, as
    pip has it.
    """
    wanted = sorted(set(requirements))
    name = f"cp{interpreter.compact}-{digest(interpreter.version, _constraints(), *wanted)}"
    folder = cache_root() / WHEELS / name
    if not folder.is_dir():
        with locked(name):
            if not folder.is_dir():  # another may have been waited for
                with new_folder(folder) as work:
                    _pip_download(interpreter, wanted, work)
    return sorted(folder.glob("*.whl"))


def _constraints() -> str:
    named = os.environ.get("PIP_CONSTRAINT", "")
    return "\n".join(
        Path(name).read_text("utf-8") for name in named.split() if Path(name).is_file()
    )


def _pip_download(interpreter: Interpreter, requirements: list[str], folder: Path) -> None:
    command = [
        *_pip(interpreter), "download", "--quiet", "--no-input", "--disable-pip-version-check",
        "--only-binary", ":all:", "--dest", str(folder), *requirements,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), check=False)
    if done.returncode:
        raise BuildError(
            f"pip cannot download {', '.join(requirements)}:\n{done.stderr.strip()}",
            where=interpreter.executable,
            fix="see pip's message; the first build of an environment needs a package index",
        )


def _pip(interpreter: Interpreter) -> list[str]:
    """The interpreter's own pip, or ours working on its behalf."""
    own = [str(interpreter.executable), "-m", "pip"]
    asked = subprocess.run(
        [*own, "--version"], capture_output=True, env=clean_environ(), check=False
    )
    if asked.returncode == 0:
        return own
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(interpreter.executable)]
    raise BuildError(
        "there is no pip to download wheels with", where=interpreter.executable, fix="install pip"
    )
