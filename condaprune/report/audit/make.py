"""Makes an audit of an environment: measures it, lays a plan over, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from condaprune.errors import SourceError, UsageProblem
from condaprune.model import Inventory, Owner, Plan, Progress, no_progress
from condaprune.report.audit.measure import as_pruned, disk_sizes, make_items
from condaprune.report.audit.model import FOLDERS, Audit, Measure, total_of
from condaprune.report.audit.views import make_views
from condaprune.sources.base import Source


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
    source: Source,
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
    inventory = source.inventory()
    if not any(entry.kind != "folder" for entry in inventory.entries.values()):
        raise SourceError(
            "holds no files at all",
            where=inventory.label,
            remedy="Name an environment that was built",
        )
    sizes = _measure(source, inventory, wanted, progress)
    items = make_items(
        inventory,
        sizes,
        plan,
        excluded=_excluded(inventory, wanted.exclude),
        untouched=_untouched(inventory, wanted.trace) if wanted.trace else (),
    )
    if pruned:
        items = as_pruned(items)
    owners: tuple[Owner, ...] = (*inventory.distributions, *inventory.records)
    packages = {owner.label: owner.version for owner in owners}
    profile = "" if plan is None or pruned else plan.profile
    audit = Audit(
        label=inventory.label,
        source=source.kind,
        platform=inventory.layout.platform,
        python=inventory.layout.python,
        packages=packages,
        total=total_of("total", items),
        views=make_views(items, packages, depth=wanted.depth, rules=bool(profile)),
        measured=frozenset(("bytes", *sizes)),
        items=items,
        folders=total_of(FOLDERS, (i for i in items if i.kind == "folder")),
        shared=total_of("shared", (i for i in items if i.shared)),
        profile=profile,
        guarded=bool(plan and plan.guards and not pruned),
        pruned=pruned,
        exact=wanted.compressed == "exact",
        exclude=wanted.exclude,
        depth=wanted.depth,
    )
    if wanted.trace:
        audit = _with_unused(audit)
    if wanted.exclusive:
        from condaprune.report.audit.needs import with_exclusive

        audit = with_exclusive(audit, inventory)
    if wanted.duplicates:
        from condaprune.report.audit.contents import find_duplicates

        progress("duplicates", 0, 0)
        audit = replace(audit, duplicates=find_duplicates(source, inventory, items))
    return audit


def regrouped(audit: Audit, wanted: Wanted) -> Audit:
    """A saved audit as wanted: grouped as deep as that, where it holds the items.

    Errors: `UsageProblem` where it does not hold what is asked for.
    """
    asked = {
        "--profile": wanted.profile and wanted.profile != audit.profile,
        "--exact": wanted.compressed == "exact" and not audit.exact,
        "--duplicates": wanted.duplicates and audit.duplicates is None,
        "--exclude": wanted.exclude and wanted.exclude != audit.exclude,
        "--unused": wanted.trace,
        "--exclusive": wanted.exclusive,
    }
    for option, missing in asked.items():
        if missing:
            raise UsageProblem(
                f"a {'manifest' if audit.source == 'manifest' else 'saved audit'} "
                "does not hold what this option needs",
                where=option,
                remedy=f"Leave {option} out, or audit the environment itself",
            )
    if audit.items and wanted.depth != audit.depth:
        rules = "rule" in audit.views
        views = make_views(audit.items, audit.packages, depth=wanted.depth, rules=rules)
        return replace(audit, views=views, depth=wanted.depth)
    return audit


def _measure(
    source: Source, inventory: Inventory, wanted: Wanted, progress: Progress
) -> dict[Measure, Mapping[str, int]]:
    sizes: dict[Measure, Mapping[str, int]] = {}
    if source.kind == "prefix":
        progress("sizes on disk", 0, len(inventory.entries))
        sizes["disk"] = disk_sizes(source.prefix, inventory)
    exact = wanted.compressed == "exact"
    if not source.readable:
        if exact or wanted.duplicates:
            raise UsageProblem(
                "a path list holds no contents, which this option needs",
                where="--exact" if exact else "--duplicates",
                remedy="Audit the environment itself",
            )
        return sizes
    if wanted.compressed != "no":
        from condaprune.report.audit.contents import compressed_sizes

        sizes["compressed"] = compressed_sizes(source, inventory, exact=exact, progress=progress)
    if wanted.strippable:
        from condaprune.report.audit.contents import strippable_sizes

        progress("symbols", 0, 0)
        sizes["strippable"] = strippable_sizes(source, inventory)
    return sizes


def _excluded(inventory: Inventory, patterns: tuple[str, ...]) -> set[str]:
    """The paths that patterns in gitignore's syntax leave out of the audit."""
    if not patterns:
        return set()
    from condaprune.ruleset import compile_rules

    matches = compile_rules((), inventory, patterns).match(inventory)
    return {path for path, match in matches.items() if match.keep}


def _untouched(inventory: Inventory, trace: str) -> set[str]:
    """The files and links of an environment that no run of a trace opened or executed.

    A source whose bytecode was touched counts as touched, and a bytecode whose source was; so
    does whatever a touched link leads to. Errors: `TraceError`.
    """
    from condaprune.evidence.tree import Tree
    from condaprune.sources.owners import source_of_bytecode
    from condaprune.traces.format import read_trace
    from condaprune.traces.trace import check_usable

    recorded = read_trace(trace)
    check_usable(recorded, accept_failed=True)
    tree = Tree(inventory, ())
    touched = {path for path, entry in recorded.entries.items() if entry.kinds - {"enoent", "list"}}
    for path in tuple(touched):
        trail = tree.follow(path)
        touched.update((*trail.links, trail.end))
    touched |= {source_of_bytecode(path) for path in touched if path.endswith(".pyc")}
    return {
        path
        for path, entry in inventory.entries.items()
        if entry.kind in ("file", "link")
        and path not in touched
        and not (path.endswith(".pyc") and source_of_bytecode(path) in touched)
    }


def _with_unused(audit: Audit) -> Audit:
    unused = [item for item in audit.items if item.unused]
    used = {item.package for item in audit.items if not item.unused and item.kind != "folder"}
    packages = {item.package for item in unused if item.package} - used
    row = total_of("unused", unused)
    return replace(audit, unused=row, unused_packages=tuple(sorted(packages)))
