"""Runs a shell command in an environment as its activation would, with a scratch HOME."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from condaprune.paths import to_bytes

_OUTPUT_AT_MOST = 1 << 20
_SCRIPT = """\
for condaprune_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
  if [ -f "$condaprune_script" ]; then . "$condaprune_script"; fi
done
unset condaprune_script
eval "$1"
"""
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONSTARTUP")

Wrap = Callable[[Sequence[str], Mapping[str, str]], tuple[Sequence[str], Mapping[str, str]]]
"""Turns a command and its variables into those that record it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended: its exit status (negative: signal; None: out of time), and output."""

    code: int | None
    output: str
    seconds: float

    @property
    def words(self) -> str:
        """How it ended, in words."""
        if self.code is None:
            return f"did not end within {self.seconds:.0f} s"
        if self.code < 0:
            return f"was ended by signal {signal.Signals(-self.code).name}"
        return f"ended with exit status {self.code}"


def run_command(
    command: str, prefix: str, *, seconds: float = 0.0, wrap: Wrap | None = None
) -> Ended:
    """Run *command* by the shell, in the folder we are in, as in the activated environment.

    ``PATH`` and ``CONDA_PREFIX`` and the variables of the environment are set, the scripts in
    ``etc/conda/activate.d`` are read, ``HOME`` is a scratch folder, Python writes no bytecode.
    After *seconds* (0: never) the command and its children are killed.
    """
    shell = shutil.which("bash") or "/bin/sh"
    with tempfile.TemporaryDirectory(prefix="condaprune-home-") as home:
        words: Sequence[str] = [shell, "-c", _SCRIPT, "condaprune-verify", command]
        variables: Mapping[str, str] = activated(prefix, home, os.environ)
        if wrap is not None:
            words, variables = wrap(words, variables)
        return _run(words, variables, seconds)


def activated(prefix: str, home: str, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of the activated environment, before its scripts are read."""
    found = {name: value for name, value in given.items() if name not in _FOREIGN}
    for name in [name for name in found if name.startswith("XDG_")]:
        del found[name]
    found.update(_own_variables(prefix))
    found.update(
        PATH=os.pathsep.join((f"{prefix}/bin", given.get("PATH", os.defpath))),
        CONDA_PREFIX=prefix,
        CONDA_DEFAULT_ENV=os.path.basename(prefix),
        CONDA_SHLVL="1",
        HOME=home,
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONNOUSERSITE="1",
    )
    return found


def _own_variables(prefix: str) -> dict[str, str]:
    """What packages and `conda env config vars` set: JSON files of names and values."""
    found: dict[str, str] = {}
    folder = f"{prefix}/etc/conda/env_vars.d"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        names = []
    for name in names:
        if name.endswith(".json"):
            found.update(_variables(f"{folder}/{name}", ""))
    found.update(_variables(f"{prefix}/conda-meta/state", "env_vars"))
    return {name: value for name, value in found.items() if value != "***unset***"}


def _variables(path: str, key: str) -> dict[str, str]:
    try:
        with open(path, "rb") as stream:
            raw = json.load(stream)
    except (OSError, ValueError):
        return {}
    raw = raw.get(key) if key and isinstance(raw, dict) else raw
    if not isinstance(raw, dict):
        return {}
    return {str(n): v for n, v in raw.items() if isinstance(v, str) and n and "=" not in n}


def _run(words: Sequence[str], variables: Mapping[str, str], seconds: float) -> Ended:
    began = time.monotonic()
    # A file rather than a pipe: a child left behind would hold a pipe open.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [to_bytes(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={to_bytes(name): to_bytes(value) for name, value in variables.items()},
            start_new_session=True,
        )
        code: int | None
        try:
            code = process.wait(seconds or None)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill_group(process)
        spent = time.monotonic() - began
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _OUTPUT_AT_MOST))
        return Ended(code, output.read().decode("utf-8", "backslashreplace"), spent)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End what the command left running: it would go on in a prefix that may be undone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
