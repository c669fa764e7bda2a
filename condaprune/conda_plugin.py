"""``conda condaprune``: the command line as a sub-command of conda's, where both share a Python.

conda imports this module whenever it starts, so it imports nothing but what conda has loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conda.plugins import hookimpl
from conda.plugins.types import CondaSubcommand


def conda_subcommands() -> Iterator[CondaSubcommand]:
    """What conda asks its plugins for."""
    yield CondaSubcommand(
        name="condaprune",
        summary="Prune an environment to the smallest one that is proven to still work.",
        action=_run,
    )


conda_subcommands = hookimpl(conda_subcommands)


def _run(arguments: Sequence[str]) -> int:
    from condaprune.cli import run

    return run(arguments)
