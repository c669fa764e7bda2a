"""The Python API: what the command line is a thin face of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from condaprune.model import Inventory, Outcome, Plan, Progress, no_progress
from condaprune.sources.base import Source


@dataclass(frozen=True, slots=True)
class Result:
    """A plan with what came of carrying it out."""

    plan: Plan
    outcome: Outcome


def open_source(environment: str | os.PathLike[str]) -> Source:
    """An environment by the path of its prefix, the path of an archive, or its name.

    Errors: `SourceError` where there is none, `ArchiveError` for archives of no known kind.
    """
    from condaprune.sources.find import find_source

    return find_source(os.fspath(environment))


def inventory(environment: str | os.PathLike[str]) -> Inventory:
    """All entries of an environment with their owners. Errors: `SourceError`."""
    return open_source(environment).inventory()


def plan(
    environment: str | os.PathLike[str] | Source,
    *,
    profile: str = "runtime",
    rule_files: Sequence[str | os.PathLike[str]] = (),
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    traced: Mapping[str, str] | None = None,
    guards_off: Sequence[str] = (),
    progress: Progress = no_progress,
) -> Plan:
    """What would be removed from an environment, and why; nothing is touched.

    *select* and *ignore* take rule ids or categories, *keep* and *drop* patterns in gitignore's
    syntax, relative to the prefix. Errors: `SourceError`, `RuleError`, `UsageProblem`.
    """
    from condaprune.planner import Wishes, make_plan
    from condaprune.ruleset import choose, load_builtin, load_file

    source = environment if not isinstance(environment, (str, os.PathLike)) else None
    source = source or open_source(environment)  # type: ignore[arg-type]
    rules = load_builtin()
    for file in rule_files:
        rules += load_file(os.fspath(file))
    progress("scan", 0, 0)
    return make_plan(
        source.inventory(),
        source,
        choose(rules, profile, select, ignore),
        profile=profile,
        wishes=Wishes(tuple(keep), tuple(drop), traced, frozenset(guards_off)),
        progress=progress,
    )


def carry_out(
    plan: Plan,
    source: Source,
    *,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    allow_self: bool = False,
    progress: Progress = no_progress,
    **options: object,
) -> Outcome:
    """Carry a plan out: in place, or with *output* on an archive or folder.

    *options* are those of `condaprune.sinks.archive.open_sink`. Errors: `SinkError`,
    `ProtectedPathError`.
    """
    from condaprune.sinks.choose import choose_sink

    sink = choose_sink(
        source,
        None if output is None else os.fspath(output),
        force=force,
        allow_self=allow_self,
        **options,
    )
    return sink.carry_out(plan, source, progress)


def prune(
    environment: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    allow_self: bool = False,
    progress: Progress = no_progress,
    **options: object,
) -> Result:
    """Prune an environment in place, or into *output*; see `plan` for the *options*.

    Errors: those of `plan` and `carry_out`. A refusal comes before anything is touched.
    """
    source = open_source(environment)
    made = plan(source, progress=progress, **options)  # type: ignore[arg-type]
    outcome = carry_out(
        made, source, output=output, force=force, allow_self=allow_self, progress=progress
    )
    return Result(made, outcome)
