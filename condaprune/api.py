"""The Python API: what the command line is a thin face of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from condaprune.errors import UsageProblem
from condaprune.model import Inventory, Outcome, Plan, Progress, Rule, no_progress
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.request.config import Config
    from condaprune.sources.members import Limits


@dataclass(frozen=True, slots=True)
class Result:
    """A plan with what came of carrying it out."""

    plan: Plan
    outcome: Outcome


def open_source(environment: str | os.PathLike[str], limits: Limits | None = None) -> Source:
    """An environment by the path of its prefix, the path of an archive, or its name.

    *limits* bound what an archive may ask of its reader.
    Errors: `SourceError` where there is none, `ArchiveError` for archives of no known kind.
    """
    from condaprune.sources.find import find_source

    return find_source(os.fspath(environment), limits)


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
    settings: Sequence[str] = (),
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    traced: Mapping[str, str] | None = None,
    dropped: Mapping[str, str] | None = None,
    guards_off: Sequence[str] = (),
    drop_packages: Sequence[str] = (),
    with_orphans: bool = False,
    only_packages: Sequence[str] = (),
    keep_conda_meta: str = "drop",
    bytecode: str = "profile",
    strip: bool = False,
    config: Config | None = None,
    progress: Progress = no_progress,
) -> Plan:
    """What would be removed from an environment, and why; nothing is touched.

    *select* and *ignore* take rule ids or categories, *settings* ``RULE.NAME=a,b``, *keep* and
    *drop* patterns in gitignore's syntax, relative to the prefix. *keep_conda_meta* is ``drop``,
    ``slim`` or ``full``, *bytecode* ``drop``, ``keep``, ``hash`` (kept, and loaded unchecked) or
    ``profile``, what the profile says. *strip* takes symbols and debug data off programs and
    libraries. *traced* maps entries that stay to why, *dropped* entries
    that may go to the option that wants it. *config* adds to all of them. ``all`` in *guards_off*
    is every guard.
    Errors: `SourceError`, `RuleError`, `ConfigError`, `UsageProblem`.
    """
    from condaprune.plan.planner import Wishes, make_plan

    source: Source
    if isinstance(environment, (str, os.PathLike)):
        source = open_source(environment)
    else:
        source = environment
    if bytecode not in ("profile", "drop", "keep", "hash"):
        raise UsageProblem(
            f"{bytecode!r} is no choice",
            where="bytecode",
            remedy="Choose profile, drop, keep or hash",
        )
    if bytecode == "drop":
        select = (*select, "bytecode")
    elif bytecode != "profile":
        ignore = (*ignore, "bytecode")
    rules, notes = choose_rules(
        profile=profile,
        rule_files=rule_files,
        select=select,
        ignore=ignore,
        settings=settings,
        config=config,
    )
    if keep_conda_meta not in ("drop", "slim", "full"):
        raise UsageProblem(
            f"{keep_conda_meta!r} is no choice",
            where="keep_conda_meta",
            remedy="Choose drop, slim or full",
        )
    progress("scan", 0, 0)
    inventory = source.inventory()
    if drop_packages or only_packages:
        from condaprune.sources.packages import drop_packages as whole

        found = whole(inventory, drop_packages, only=only_packages, with_orphans=with_orphans)
        dropped, notes = {**(dropped or {}), **found.paths}, notes + found.notes
    records = () if keep_conda_meta == "drop" else ("/conda-meta/*.json",)
    wishes = Wishes(
        keep=(*keep, *records),
        drop=tuple(drop),
        traced=traced,
        dropped=dropped,
        guards_off=frozenset(guards_off),
        slim_records=keep_conda_meta == "slim",
        hash_bytecode=bytecode == "hash",
        strip=strip,
    )
    made = make_plan(inventory, source, rules, profile=profile, wishes=wishes, progress=progress)
    return replace(made, notes=made.notes + notes) if notes else made


def choose_rules(
    *,
    profile: str = "runtime",
    rule_files: Sequence[str | os.PathLike[str]] = (),
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    settings: Sequence[str] = (),
    config: Config | None = None,
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules that apply, and notes on what the user should know about the choice.

    Errors: `RuleError` for files and names that do not fit, `ConfigError`, `UsageProblem`.
    """
    from condaprune.ruleset import choose, combine, load_builtin, load_file, rename_notes

    rules = load_builtin()
    if rule_files:
        rules = combine(rules, *(load_file(os.fspath(file)) for file in rule_files))
    if config is not None:
        profile, more, less = config.profile(profile)
        select, ignore = (*more, *select), (*less, *ignore)
    # A rule file is named to be used: its rules apply whatever their risk.
    own = [rule.id for rule in rules if rule_files and _is_own(rule, rule_files)]
    chosen = choose(rules, profile, (*own, *select), ignore, settings)
    notes = rename_notes((*select, *ignore))
    if config is not None and config.values.suppress:
        import datetime

        from condaprune.request.config import apply_suppressions

        ids = [rule.id for rule in rules]
        chosen, expired = apply_suppressions(chosen, config, ids, datetime.date.today())
        notes += expired
    return chosen, notes


def _is_own(rule: Rule, files: Sequence[str | os.PathLike[str]]) -> bool:
    return rule.origin in {os.fspath(file) for file in files}


def carry_out(
    plan: Plan,
    source: Source,
    *,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    allow_self: bool = False,
    progress: Progress = no_progress,
    **options: Any,
) -> Outcome:
    """Carry a plan out: in place, or with *output* on an archive or folder.

    *options* are those of `condaprune.sinks.outputs.archive.open_sink`. Errors: `SinkError`,
    `ProtectedPathError`.
    """
    from condaprune.sinks.outputs.choose import choose_sink

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
    **options: Any,
) -> Result:
    """Prune an environment in place, or into *output*; see `plan` for the *options*.

    Errors: those of `plan` and `carry_out`. A refusal comes before anything is touched.
    """
    from condaprune.sinks.inplace.recovery import recover
    from condaprune.sources.prefix import PrefixSource

    source = open_source(environment)
    if isinstance(source, PrefixSource):
        recover(source.prefix, source.label, progress=progress)
    made = plan(source, progress=progress, **options)
    outcome = carry_out(
        made, source, output=output, force=force, allow_self=allow_self, progress=progress
    )
    return Result(made, outcome)
