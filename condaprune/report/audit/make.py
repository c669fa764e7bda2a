"""Makes an audit of an environment: reads, measures, lays a plan over, groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from condaprune.errors import SourceError, UsageProblem
from condaprune.model import Inventory, Owner, Plan, Progress, no_progress
from condaprune.report.audit.measure import NOTHING_OVER, Overlay, Sizes, disk_sizes, make_items
from condaprune.report.audit.model import Audit, Item, Measure, Row, total_of
from condaprune.report.audit.subject import Environment, Subject, open_subject
from condaprune.report.audit.views import make_views


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an audit shall find out.

    `compressed` is ``no``, ``sample`` (estimated) or ``exact``. `profile` lays the rules of a
    profile over, with the guards where `guards`. `exclude` holds patterns in gitignore's syntax;
    `trace` is the path of a trace. `exclusive` asks for the exclusive size of each package.
    """

    depth: int = 1
    compressed: str = "no"
    strippable: bool = False
    duplicates: bool = False
    exclusive: bool = False
    profile: str = ""
    guards: bool = False
    rule_files: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    trace: str = ""


def audit(
    name: str | Subject,
    wanted: Wanted | None = None,
    *,
    plan: Plan | None = None,
    progress: Progress = no_progress,
) -> Audit:
    """The audit of what *name* stands for; a saved audit or manifest is handed back as it is.

    With a *plan* for the environment, only what it would leave is counted. Errors: `SourceError`,
    `ArchiveError`, `RuleError`, `UsageProblem`, `TraceError`.
    """
    wanted = wanted or Wanted()
    subject = open_subject(name) if isinstance(name, str) else name
    if isinstance(subject, Audit):
        return _regrouped(subject, wanted)
    progress("scan", 0, 0)
    inventory = subject.source.inventory()
    if not any(entry.kind != "folder" for entry in inventory.entries.values()):
        raise SourceError(
            "holds no files at all",
            where=inventory.label,
            remedy="Name an environment that was built",
        )
    excluded = _excluded(inventory, wanted.exclude)
    sizes, measured = _measure(subject, inventory, wanted, progress)
    overlay = _planned(plan) if plan else _lay_over(subject, inventory, wanted, progress)
    untouched = _untouched(inventory, wanted.trace)
    items = make_items(
        inventory,
        sizes,
        overlay,
        excluded=excluded,
        untouched=untouched,
        root=subject.kind == "prefix",
    )
    if plan:
        from condaprune.report.audit.pruned import as_pruned

        items = as_pruned(items, plan)
    owners: tuple[Owner, ...] = (*inventory.distributions, *inventory.records)
    packages = {owner.label: owner.version for owner in owners}
    made = from_items(
        items,
        label=inventory.label,
        source=subject.kind,
        platform=inventory.layout.platform,
        python=inventory.layout.python,
        packages=packages,
        measured=measured,
        wanted=wanted,
    )
    if plan:
        made = replace(made, pruned=True)
    if wanted.trace:
        made = _with_unused(made)
    if wanted.exclusive:
        from condaprune.report.audit.needs import with_exclusive

        made = with_exclusive(made, inventory, subject.source)
    if wanted.duplicates:
        from condaprune.report.audit.duplicates import find_duplicates

        progress("duplicates", 0, 0)
        made = replace(made, duplicates=find_duplicates(subject, inventory, items))
    return made


def from_items(
    items: tuple[Item, ...],
    *,
    label: str,
    source: str,
    platform: str,
    python: str,
    packages: Mapping[str, str],
    measured: Collection[Measure],
    wanted: Wanted,
) -> Audit:
    """An audit of items: the total and all views."""
    return Audit(
        label=label,
        source=source,
        platform=platform,
        python=python,
        packages=packages,
        total=total_of("total", items),
        views=make_views(items, packages, depth=wanted.depth, rules=bool(wanted.profile)),
        measured=frozenset(measured),
        items=items,
        folders=total_of("(folders)", (i for i in items if i.kind == "folder")),
        shared=total_of("shared", (i for i in items if i.shared)),
        profile=wanted.profile,
        guarded=wanted.guards,
        exact=wanted.compressed == "exact",
        exclude=wanted.exclude,
        depth=wanted.depth,
    )


def _regrouped(found: Audit, wanted: Wanted) -> Audit:
    """A document's audit; where it holds the items, grouped as deep as wanted."""
    asked = {
        "--profile": wanted.profile and wanted.profile != found.profile,
        "--guards": wanted.guards and not found.guarded,
        "--exact": wanted.compressed == "exact" and not found.exact,
        "--duplicates": wanted.duplicates and found.duplicates is None,
        "--exclude": wanted.exclude and wanted.exclude != found.exclude,
        "--unused": wanted.trace,
        "--exclusive": wanted.exclusive,
    }
    for option, missing in asked.items():
        if missing:
            raise UsageProblem(
                f"a {'manifest' if found.source == 'manifest' else 'saved audit'} "
                "does not hold what this option needs",
                where=option,
                remedy=f"Leave {option} out, or audit the environment itself",
            )
    if found.items and wanted.depth != found.depth:
        views = make_views(
            found.items, found.packages, depth=wanted.depth, rules="rule" in found.views
        )
        return replace(found, views=views, depth=wanted.depth)
    return found


def _measure(
    subject: Environment, inventory: Inventory, wanted: Wanted, progress: Progress
) -> tuple[Sizes, set[Measure]]:
    measured: set[Measure] = {"bytes"}
    sizes = Sizes()
    if subject.kind == "prefix":
        progress("sizes on disk", 0, len(inventory.entries))
        disk, root = disk_sizes(subject.prefix, inventory)
        sizes = replace(sizes, disk=disk, root=root)
        measured.add("disk")
    if subject.kind == "path list":
        if wanted.compressed == "exact" or wanted.duplicates:
            raise UsageProblem(
                "a path list holds no contents, which this option needs",
                where="--exact" if wanted.compressed == "exact" else "--duplicates",
                remedy="Audit the environment itself",
            )
        return sizes, measured
    if wanted.compressed != "no":
        from condaprune.report.audit.compress import compressed_sizes

        exact = wanted.compressed == "exact"
        compressed = compressed_sizes(subject, inventory, exact=exact, progress=progress)
        sizes = replace(sizes, compressed=compressed)
        measured.add("compressed")
    if wanted.strippable:
        from condaprune.report.audit.strippable import strippable_sizes

        progress("symbols", 0, 0)
        sizes = replace(sizes, strippable=strippable_sizes(subject, inventory))
        measured.add("strippable")
    return sizes, measured


def _lay_over(
    subject: Environment, inventory: Inventory, wanted: Wanted, progress: Progress
) -> Overlay:
    """The rules of a profile, alone or with the guards, as they would prune the environment."""
    if not wanted.profile:
        return NOTHING_OVER
    if wanted.guards:
        from condaprune import api

        if subject.kind == "path list":
            raise UsageProblem(
                "guards read files, and a path list holds no contents",
                where="--guards",
                remedy="Leave --guards out, or audit the environment itself",
            )
        plan = api.plan(
            subject.source,
            profile=wanted.profile,
            rule_files=wanted.rule_files,
            select=wanted.select,
            ignore=wanted.ignore,
            progress=progress,
        )
        return _planned(plan)
    from condaprune.ruleset import choose, compile_rules, load_builtin, load_file

    progress("match", 0, len(inventory.entries))
    known = load_builtin()
    for file in wanted.rule_files:
        known += load_file(file)
    chosen = choose(known, wanted.profile, wanted.select, wanted.ignore)
    matches = compile_rules(chosen, inventory).match(inventory)
    entries = inventory.entries
    going = {
        path: match.rule
        for path, match in matches.items()
        if match.rule and not match.rule_keep and entries[path].kind in ("file", "link")
    }
    return Overlay(going, going.keys())


def _planned(plan: Plan) -> Overlay:
    rules = {path: d.wanted or d.name for path, d in plan.decisions.items() if d.name}
    return Overlay(rules, {path for path in plan.decisions if plan.removes(path)})


def _excluded(inventory: Inventory, patterns: tuple[str, ...]) -> set[str]:
    """The paths that patterns in gitignore's syntax leave out of the audit."""
    if not patterns:
        return set()
    from condaprune.ruleset import compile_rules

    matches = compile_rules((), inventory, patterns).match(inventory)
    return {path for path, match in matches.items() if match.keep}


def _untouched(inventory: Inventory, trace: str) -> set[str]:
    if not trace:
        return set()
    from condaprune.report.audit.unused import untouched

    return untouched(inventory, trace)


def _with_unused(made: Audit) -> Audit:
    unused = [item for item in made.items if item.unused]
    used = {item.package for item in made.items if not item.unused and item.kind != "folder"}
    packages = {item.package for item in unused if item.package} - used
    row: Row = total_of("unused", unused)
    return replace(made, unused=row, unused_packages=tuple(sorted(packages)))
