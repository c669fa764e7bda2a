"""Makes an audit of an environment: measures it, lays a plan over, groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from condaprune.errors import SourceError, UsageProblem
from condaprune.model import Inventory, Owner, Plan, Progress, no_progress
from condaprune.report.audit.measure import Sizes, as_pruned, disk_sizes, make_items
from condaprune.report.audit.model import Audit, Item, Measure, Row, total_of
from condaprune.report.audit.subject import Environment
from condaprune.report.audit.views import make_views


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an audit shall find out.

    `compressed` is ``no``, ``sample`` (estimated) or ``exact``. `exclude` holds patterns in
    gitignore's syntax; `trace` is the path of a trace. `exclusive` asks for the exclusive size of
    each package. `profile` is the profile asked for, which a saved audit must have been made with.
    """

    depth: int = 1
    compressed: str = "no"
    strippable: bool = False
    duplicates: bool = False
    exclusive: bool = False
    exclude: tuple[str, ...] = ()
    trace: str = ""
    profile: str = ""


def make_audit(
    subject: Environment,
    wanted: Wanted,
    plan: Plan | None = None,
    *,
    pruned: bool = False,
    progress: Progress = no_progress,
) -> Audit:
    """The audit of an environment, with a *plan* for it laid over if there is one.

    *pruned* counts only what the plan would leave. Errors: `SourceError`, `ArchiveError`,
    `UsageProblem`, `TraceError`.
    """
    progress("scan", 0, 0)
    inventory = subject.source.inventory()
    if not any(entry.kind != "folder" for entry in inventory.entries.values()):
        raise SourceError(
            "holds no files at all",
            where=inventory.label,
            remedy="Name an environment that was built",
        )
    sizes, measured = _measure(subject, inventory, wanted, progress)
    items = make_items(
        inventory,
        sizes,
        plan,
        excluded=_excluded(inventory, wanted.exclude),
        untouched=_untouched(inventory, wanted.trace),
        root=subject.kind == "prefix",
    )
    if pruned:
        items = as_pruned(items)
    owners: tuple[Owner, ...] = (*inventory.distributions, *inventory.records)
    audit = from_items(
        items,
        label=inventory.label,
        source=subject.kind,
        platform=inventory.layout.platform,
        python=inventory.layout.python,
        packages={owner.label: owner.version for owner in owners},
        measured=measured,
        wanted=wanted,
        profile="" if plan is None or pruned else plan.profile,
    )
    audit = replace(audit, pruned=pruned, guarded=bool(plan and plan.guards and not pruned))
    if wanted.trace:
        audit = _with_unused(audit)
    if wanted.exclusive:
        from condaprune.report.audit.needs import with_exclusive

        audit = with_exclusive(audit, inventory)
    if wanted.duplicates:
        from condaprune.report.audit.contents import find_duplicates

        progress("duplicates", 0, 0)
        audit = replace(audit, duplicates=find_duplicates(subject, inventory, items))
    return audit


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
    profile: str,
) -> Audit:
    """An audit of items: the total and all views."""
    return Audit(
        label=label,
        source=source,
        platform=platform,
        python=python,
        packages=packages,
        total=total_of("total", items),
        views=make_views(items, packages, depth=wanted.depth, rules=bool(profile)),
        measured=frozenset(measured),
        items=items,
        folders=total_of("(folders)", (i for i in items if i.kind == "folder")),
        shared=total_of("shared", (i for i in items if i.shared)),
        profile=profile,
        exact=wanted.compressed == "exact",
        exclude=wanted.exclude,
        depth=wanted.depth,
    )


def regrouped(found: Audit, wanted: Wanted) -> Audit:
    """A saved audit as wanted: grouped as deep as that, where it holds the items.

    Errors: `UsageProblem` where it does not hold what is asked for.
    """
    asked = {
        "--profile": wanted.profile and wanted.profile != found.profile,
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
        sizes = replace(sizes, disk=disk_sizes(subject.prefix, inventory))
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
        from condaprune.report.audit.contents import compressed_sizes

        exact = wanted.compressed == "exact"
        compressed = compressed_sizes(subject, inventory, exact=exact, progress=progress)
        sizes = replace(sizes, compressed=compressed)
        measured.add("compressed")
    if wanted.strippable:
        from condaprune.report.audit.contents import strippable_sizes

        progress("symbols", 0, 0)
        sizes = replace(sizes, strippable=strippable_sizes(subject, inventory))
        measured.add("strippable")
    return sizes, measured


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
