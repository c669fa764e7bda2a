"""Runs the activation scripts of an environment in a shell, and sees which variables they set.

Only where the user asks for it: it executes code of the environment.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from condaprune.errors import SourceError
from condaprune.report.audit.runtime import Variable

_SECONDS = 30
_OWN = frozenset(("_", "PWD", "OLDPWD", "SHLVL", "CONDA_PREFIX", "PATH", "HOME", "PS1"))


def run_activation(prefix: str, scripts: Sequence[str]) -> tuple[Variable, ...]:
    """The variables that the scripts (paths below *prefix*) set or change, in their order.

    Errors: `SourceError` where a script fails, or does not end within half a minute.
    """
    before = {
        "PATH": f"{prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "CONDA_PREFIX": prefix,
    }
    found: dict[str, Variable] = {}
    for script in scripts:
        after = _after(prefix, script, before)
        for name, value in after.items():
            if name not in _OWN and before.get(name) != value and not name.startswith("_CONDA_"):
                shown = value.replace(prefix, "$CONDA_PREFIX")
                found[name] = Variable(name, shown, script)
        before = {**before, **after}
    return tuple(found.values())


def _after(prefix: str, script: str, environment: dict[str, str]) -> dict[str, str]:
    where = f"{prefix}/{script}"
    # The marker keeps what the script itself prints apart from what env prints.
    command = '. "$1" >/dev/null 2>&1 </dev/null; printf "\\0condaprune\\0"; exec /usr/bin/env -0'
    remedy = "Leave out --run-activation: the scripts are then read, not run"
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    try:
        done = subprocess.run(
            [shell, "-c", command, "activation", where],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"cannot be run: {error}", where=where, remedy=remedy) from error
    _, marker, listed = done.stdout.partition(b"\0condaprune\0")
    if done.returncode or not marker:
        raise SourceError("the activation script failed", where=where, remedy=remedy)
    pairs = (os.fsdecode(item).partition("=") for item in listed.split(b"\0") if item)
    return {name: value for name, _, value in pairs}
