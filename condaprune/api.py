"""The Python API: what the command line does, for programs.

A `Request` says what is wanted; the same request makes the same plan here and on the command line.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from condaprune.model import Inventory, Plan, Progress, no_progress
from condaprune.request.request import Request
from condaprune.sources.base import Limits, Source

if TYPE_CHECKING:
    from condaprune.app.prune import Pruned
    from condaprune.live.verify.proof import compare, compare_imports, sweep
    from condaprune.planning.account import Account
    from condaprune.request.config import Config
    from condaprune.sinks.outputs.options import OutputOptions

Environment = str | os.PathLike[str] | Source
"""A path or name of an environment, or one that is open."""

__all__ = [
    "Request",
    "account",
    "compare",
    "compare_imports",
    "inventory",
    "open_source",
    "plan",
    "prune",
    "sweep",
]


def __getattr__(name: str) -> object:
    if name in ("compare", "compare_imports", "sweep"):  # loaded when used: they run processes
        from condaprune.live.verify import proof

        return getattr(proof, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def open_source(environment: Environment, limits: Limits | None = None) -> Source:
    """An environment by the path of its prefix, the path of an archive, or its name.

    *limits* bound what an archive may ask of its reader; a source is handed back as it is.
    Errors: `SourceError` where there is none, `ArchiveError` for archives of an unknown kind.
    """
    from condaprune.sources.find import find_source

    if isinstance(environment, (str, os.PathLike)):
        return find_source(os.fspath(environment), limits)
    return environment


def inventory(environment: Environment) -> Inventory:
    """All entries of an environment with their owners. Errors: `SourceError`."""
    return open_source(environment).inventory()


def plan(
    environment: Environment,
    request: Request | None = None,
    *,
    config: Config | None = None,
    progress: Progress = no_progress,
) -> Plan:
    """What would go from an environment, and why; nothing is touched.

    The *request* is merged with all that *config* says, as the command line's options are.
    Errors: `SourceError`, `RuleError`, `ConfigError`, `TraceError`, `UsageProblem`.
    """
    from condaprune.planning.planner import make_plan

    wanted = (request or Request()).configured(config)
    return make_plan(open_source(environment), wanted, progress=progress)


def account(plan: Plan) -> Account:
    """What a plan frees, by rule, every byte counted once."""
    from condaprune.planning.account import make_account

    return make_account(plan)


def prune(
    environment: Environment,
    request: Request | None = None,
    *,
    config: Config | None = None,
    output: str | os.PathLike[str] | OutputOptions | None = None,
    force: bool = False,
    allow_self: bool = False,
    progress: Progress = no_progress,
) -> Pruned:
    """Prune an environment in place, or into *output*, which *force* overwrites (or say both,
    and how it is packed, by `OutputOptions`); see `plan` for the rest.

    Errors: those of `plan`, `SinkError`, `VerificationFailed`, `ProtectedPathError`. A refusal
    comes before anything is touched.
    """
    from condaprune.app.prune import prune

    if isinstance(output, (str, os.PathLike)):
        from condaprune.sinks.outputs.options import OutputOptions

        output = OutputOptions(os.fspath(output), force=force)
    source = open_source(environment)
    return prune(
        source,
        (request or Request()).configured(config),
        reopen=lambda: open_source(source.label),
        output=output,
        allow_self=allow_self,
        progress=progress,
    )
