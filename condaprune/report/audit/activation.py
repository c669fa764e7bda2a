"""Runs the activation scripts of an environment, and shows which variables they set.

Only where the user asks for it: it executes code of the environment.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

from condaprune.errors import SourceError
from condaprune.live.activation import activate
from condaprune.live.sandbox import open_sandbox
from condaprune.report.audit.runtime import Variable

_SECONDS = 30.0
_SHELL = frozenset({"CONDA_PREFIX", "PATH", "HOME", "PS1"})


def run_activation(prefix: str, scripts: Sequence[str]) -> tuple[Variable, ...]:
    """The variables that activation of *prefix* by *scripts* (paths below it) sets or changes,
    without those that only a shell needs.

    Errors: `SourceError` where a script fails, or does not end within half a minute.
    """
    with tempfile.TemporaryDirectory(prefix="condaprune-activation-") as scratch:
        sandbox = open_sandbox(prefix, scratch)
        activation = activate(sandbox, _SECONDS, scripts)
    if activation.failure:
        raise SourceError(
            f"the activation script failed: {activation.failure}",
            where=prefix,
            remedy="Leave out --run-activation: the scripts are then read, not run",
        )
    return tuple(
        Variable(name, variable.value.replace(prefix, "$CONDA_PREFIX"), variable.source)
        for name, variable in activation.variables.items()
        if name not in _SHELL and not name.startswith("_CONDA_")
    )
