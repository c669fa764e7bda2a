"""Activation: the variables that an environment sets, and commands run in it as activated.

This is the only place that computes them. As conda does, it reads the JSON files of
``etc/conda/env_vars.d`` in the order of their names, then ``conda-meta/state``, then runs the
scripts in ``etc/conda/activate.d``, in one shell and with a scratch ``HOME``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from shlex import quote
from typing import NamedTuple

from condaprune.files import read_named
from condaprune.live.processes import Commands
from condaprune.live.sandbox import SYSTEM_PATH, Sandbox
from condaprune.live.trace.recorders.base import Launch
from condaprune.parse import parse_json
from condaprune.paths import from_bytes, to_bytes

_DECLARED = "etc/conda/env_vars.d"
_STATE = "conda-meta/state"
_SCRIPTS = "etc/conda/activate.d"
_UNSET = "***unset***"
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONSTARTUP")
_OUTPUT_AT_MOST = 1 << 20
_DECLARED_AT_MOST = 16 << 20
# Names that the shell sets by itself.
_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})
_PASSED = ("HOME", "TMPDIR", "PATH", "http_proxy", "https_proxy", "all_proxy")
_CLEAN = " ".join(['exec "$0" -i', *(f'{name}="${name}"' for name in _PASSED), '"$@"'])
_DUMP = "{env} -0; printf '=\\0'\n"  # no variable has an empty name

Wrap = Callable[[Launch], Launch]
"""Turns a command into one that is recorded."""


class Variable(NamedTuple):
    """The value of a variable that activation sets, and the file of the prefix that sets it."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Activation:
    """The variables that activation sets or changes, by name.

    `failure` says why the scripts could not be run to their end; then their variables are missing.
    """

    variables: Mapping[str, Variable]
    failure: str = ""

    @property
    def values(self) -> dict[str, str]:
        """The value of each variable."""
        return {name: variable.value for name, variable in self.variables.items()}


def activation_files(paths: Iterable[str]) -> list[str]:
    """Those of *paths*, relative to a prefix, that activation reads or runs, in its order."""
    order = {f"{_DECLARED}/": ".json", _STATE: "", f"{_SCRIPTS}/": ".sh"}
    chosen = sorted(paths, key=to_bytes)
    return [
        path
        for start, end in order.items()
        for path in chosen
        if path.startswith(start) and path.endswith(end)
    ]


def declared_variables(files: Iterable[tuple[str, bytes]]) -> dict[str, Variable]:
    """The variables in the JSON files of an environment, given in the order of activation."""
    variables: dict[str, Variable] = {}
    for path, data in files:
        try:
            raw = parse_json(data)
        except ValueError:
            continue
        if path == _STATE:
            raw = raw.get("env_vars") if isinstance(raw, dict) else None
        for name, value in raw.items() if isinstance(raw, dict) else ():
            if isinstance(value, str) and name and "=" not in name and "\0" not in name + value:
                variables[name] = Variable(value, path)
    return {name: variable for name, variable in variables.items() if variable.value != _UNSET}


def activate(sandbox: Sandbox, seconds: float, scripts: Sequence[str] | None = None) -> Activation:
    """The variables that activating the prefix of *sandbox* sets; its scripts are run there.

    *scripts* replaces the list of scripts, as paths below the prefix.
    """
    prefix = sandbox.root
    variables, present = _read(prefix)
    scripts = present if scripts is None else scripts
    if not scripts:
        return Activation(variables)
    env = shutil.which("env", path=SYSTEM_PATH)
    if env is None:
        return Activation(variables, "there is no `env` to read the variables with")
    dump = _DUMP.format(env=env)
    text = dump + "".join(f"{_source(prefix, path)} >/dev/null\n{dump}" for path in scripts)
    base = {**Activation(variables).values, **_base(prefix)}
    words = [f"{name}={value}" for name, value in base.items()]
    shell = _shell()
    # A variable that the sandbox sets must not hide that a script sets it to the same value.
    done = sandbox.run([shell, "-c", _CLEAN, env, *words, shell, "-c", text], seconds)
    if done.code != 0:
        failure = f"the activation scripts {done.ending}: {done.last_line}"
        return Activation(variables, failure)
    dumps = [_parse(part) for part in done.out.split(b"\0=\0")[:-1]]
    if len(dumps) <= len(scripts):
        return Activation(variables, f"{scripts[len(dumps) - 1]} ended the shell")
    for script, (before, after) in zip(scripts, pairwise(dumps), strict=True):
        for name, value in after.items():
            if name not in _SHELL and before.get(name) != value:
                variables[name] = Variable(value, script)
    return Activation({name: variables[name] for name in variables if name in dumps[-1]})


def _read(prefix: str) -> tuple[dict[str, Variable], list[str]]:
    """The declared variables of a prefix, and its activation scripts."""
    paths = [_STATE]
    for folder in (_DECLARED, _SCRIPTS):
        with contextlib.suppress(OSError):
            paths += [f"{folder}/{name}" for name in os.listdir(f"{prefix}/{folder}")]
    files: list[tuple[str, bytes]] = []
    scripts: list[str] = []
    for path in activation_files(paths):
        if path.startswith(_SCRIPTS):
            if os.path.isfile(f"{prefix}/{path}"):
                scripts.append(path)
            continue
        with contextlib.suppress(OSError):
            files.append((path, read_named(f"{prefix}/{path}", _DECLARED_AT_MOST)))
    return declared_variables(files), scripts


def _source(prefix: str, script: str) -> str:
    """The shell command that reads an activation script."""
    return f". {quote(f'{prefix}/{script}')}"


def _shell() -> str:
    return shutil.which("bash", path=SYSTEM_PATH) or "/bin/sh"


def _base(prefix: str) -> dict[str, str]:
    """The variables that activation sets in any environment, other than ``PATH``."""
    return {
        "CONDA_PREFIX": prefix,
        "CONDA_DEFAULT_ENV": os.path.basename(prefix),
        "CONDA_SHLVL": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _parse(data: bytes) -> dict[str, str]:
    rows = (from_bytes(row).partition("=") for row in data.split(b"\0") if row)
    return {name: value for name, _, value in rows}


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that ended: its exit status (negative: signal; None: out of time), and output."""

    code: int | None
    output: str
    seconds: float

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.code is None:
            return f"did not end within {self.seconds:.0f} s"
        if self.code < 0:
            return f"was ended by signal {signal.Signals(-self.code).name}"
        return f"ended with exit status {self.code}"


def run_command(
    command: str, prefix: str, *, seconds: float = 0.0, wrap: Wrap | None = None
) -> CommandResult:
    """Run *command* by the shell, in the current folder, as in the activated environment.

    It sees the caller's variables, those of the activation, and a scratch ``HOME``; Python writes
    no bytecode. After *seconds* (0: never) the command is killed. Whatever it started ends with it.
    """
    declared, scripts = _read(prefix)
    lines = [*(_source(prefix, script) for script in scripts), f"eval {quote(command)}"]
    with tempfile.TemporaryDirectory(prefix="condaprune-home-") as home:
        variables = {
            **{n: v for n, v in os.environ.items() if n not in _FOREIGN and n[:4] != "XDG_"},
            **Activation(declared).values,
            **_base(prefix),
            "PATH": os.pathsep.join((f"{prefix}/bin", os.environ.get("PATH", os.defpath))),
            "HOME": home,
            "PYTHONNOUSERSITE": "1",
        }
        launch = Launch((_shell(), "-c", "\n".join(lines), "condaprune-verify"), variables)
        return _run(wrap(launch) if wrap is not None else launch, seconds)


def _run(launch: Launch, seconds: float) -> CommandResult:
    began = time.monotonic()
    # A file rather than a pipe: a child left behind would hold a pipe open.
    with tempfile.TemporaryFile() as output:
        variables = {to_bytes(name): to_bytes(value) for name, value in launch.environment.items()}
        handle = output.fileno()
        code: int | None
        with Commands().start(launch.command, variables, stdout=handle, stderr=handle) as process:
            try:
                code = process.wait(seconds or None)
            except subprocess.TimeoutExpired:
                code = None
            spent = time.monotonic() - began
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _OUTPUT_AT_MOST))
        return CommandResult(code, output.read().decode("utf-8", "backslashreplace"), spent)
