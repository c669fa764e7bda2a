"""A request as it applies to one environment: rules chosen, traces read, packages looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from condaprune.model import Inventory
from condaprune.request.request import DEFAULT_PROFILE, Request
from condaprune.request.rules import check_choices, choose_rules
from condaprune.rule import Rule

_RECORDS = "/conda-meta/*.json"


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides about the entries of one environment.

    `keep` and `drop` are patterns in gitignore's syntax; `traced` maps entries that a trace
    touched to what was seen; `dropped` maps entries that go with a package, or as untraced, to the
    option that says so. `guards_off` names guards not to run, or ``all``. `slim_records` keeps
    conda's records without their file lists, `hash_bytecode` makes kept bytecode unchecked,
    `strip` takes symbols and debug data off. `notes` are for the user, one sentence each.
    """

    rules: tuple[Rule, ...]
    profile: str = ""
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    traced: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    guards_off: frozenset[str] = frozenset()
    slim_records: bool = False
    hash_bytecode: bool = False
    strip: bool = False
    notes: tuple[str, ...] = ()


def make_terms(request: Request, inventory: Inventory) -> Terms:
    """The terms of a request. Errors: `RuleError`, `ConfigError`, `UsageProblem`, `TraceError`."""
    check_choices(request)
    rules, notes = choose_rules(request)
    traced: Mapping[str, str] = {}
    dropped: Mapping[str, str] = {}
    guards_off = frozenset(request.no_guard)
    if request.drop_packages or request.only_packages:
        from condaprune.sources.packages import drop_packages

        packages = drop_packages(
            inventory,
            request.drop_packages,
            only=request.only_packages,
            with_orphans=request.with_orphans,
        )
        dropped, notes = packages.paths, notes + packages.notes
    if request.traces or request.only_traced:
        evidence = _read_traces(request, inventory)
        traced, notes = evidence.traced, notes + evidence.notes
        dropped = {**evidence.dropped, **dropped}
        guards_off |= evidence.guards_off
    records = () if request.keep_conda_meta in (None, "drop") else (_RECORDS,)
    return Terms(
        rules=rules,
        profile=request.profile or DEFAULT_PROFILE,
        keep=(*request.keep, *records),
        drop=request.drop,
        traced=traced,
        dropped=dropped,
        guards_off=guards_off,
        slim_records=request.keep_conda_meta == "slim",
        hash_bytecode=request.bytecode == "hash",
        strip=bool(request.strip),
        notes=notes,
    )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the traces of a request ask for."""

    traced: Mapping[str, str]
    dropped: Mapping[str, str]
    guards_off: frozenset[str]
    notes: tuple[str, ...]


def _read_traces(request: Request, inventory: Inventory) -> _Evidence:
    from condaprune.traces.ageing import fingerprint_difference
    from condaprune.traces.format import read_trace
    from condaprune.traces.needs import only_traced, traced_needs

    traces = [read_trace(file) for file in request.traces]
    differences = [fingerprint_difference(trace, inventory) for trace in traces]
    notes = tuple(
        f"{file} was recorded in another environment: {difference}"
        for file, difference in zip(request.traces, differences, strict=True)
        if difference
    )
    failed = request.accept_failed
    if request.only_traced:
        only = only_traced(traces, inventory, closure=request.closure, accept_failed=failed)
        return _Evidence(only.kept, only.dropped, only.guards_off, notes + only.risks)
    traced = traced_needs(traces, inventory, accept_failed=failed)
    return _Evidence(traced, {}, frozenset(), notes)
