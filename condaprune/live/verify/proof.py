"""`compare`, `sweep` and `compare_imports`: opens environments, runs checks, sorts findings."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from condaprune.errors import UsageProblem, nearest
from condaprune.live.activation import activate
from condaprune.live.sandbox import Sandbox, open_sandbox
from condaprune.live.verify.archives import relocate, unpack
from condaprune.live.verify.checks import CHECKS, NAMES
from condaprune.live.verify.checks.base import Check, Pair
from condaprune.live.verify.checks.imports import compare_with
from condaprune.live.verify.listing import Listing, changed, list_prefix
from condaprune.live.verify.removals import Ledger, Removals, from_plan, read_manifest
from condaprune.live.verify.results import Count, Finding, Outcome, Unchecked, Verification
from condaprune.live.verify.subject import Subject, check_prefix, copy_probes, describe
from condaprune.live.verify.sweep import ImportResults, sweep_subject
from condaprune.model import Progress, no_progress
from condaprune.paths import from_bytes

if TYPE_CHECKING:
    from condaprune.model import Plan

TIMEOUT = 60.0
_WRITTEN_SHOWN = 5


def compare(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    checks: Sequence[str] = (),
    jobs: int = 2,
    timeout: float = TIMEOUT,
    manifest: str | os.PathLike[str] | Plan | Ledger | None = None,
    progress: Progress = no_progress,
) -> Verification:
    """Hold the environment *after* against *before*; each is a prefix or an archive of one.

    *checks* are names of `NAMES` (all of them where empty), *jobs* the processes at a time,
    *timeout* the seconds that one import, command or script may take. *manifest* tells which rule
    removed what: the file of a manifest, or the plan. Neither environment is written to.

    Errors: `UsageProblem` for a check of no known name, or the same environment twice;
    `SourceError`, `ArchiveError` where an environment or the manifest cannot be read.
    """
    began = time.monotonic()
    wanted = _choose(checks)
    ledger = _ledger(manifest)
    with tempfile.TemporaryDirectory(prefix="condaprune-verify-") as scratch:
        copy_probes(scratch)
        progress("open", 0, 0)
        old = _open(os.fspath(before), f"{scratch}/before", scratch, timeout)
        new = _open(os.fspath(after), f"{scratch}/after", scratch, timeout)
        if old.root == new.root:
            raise UsageProblem(
                "BEFORE and AFTER are the same environment",
                where=os.fspath(after),
                remedy="Keep a copy from before pruning, or give the archive that was written",
            )
        # Links and RPATHs of a copy may still name the place of the original.
        old = Listing(old.root, old.entries, (new.root,))
        new = Listing(new.root, new.entries, (old.root,))
        notes = []
        if any(check.runs_code for check in wanted):
            first, isolation = _subject(os.fspath(before), old, scratch, new.root, timeout)
            second, _ = _subject(os.fspath(after), new, scratch, old.root, timeout)
            notes.append(f"isolation: {isolation}")
        else:
            first = Subject(os.fspath(before), old, Sandbox(old.root, scratch), None)
            second = Subject(os.fspath(after), new, Sandbox(new.root, scratch), None)
        pair = Pair(first, second, Removals.between(old, new, ledger), jobs, timeout, progress)
        outcomes = {}
        seconds = {}
        for check in wanted:
            progress(check.name, 0, 0)
            started = time.monotonic()
            outcomes[check.name] = check.run(pair)
            seconds[check.name] = time.monotonic() - started
        if notes:
            notes += _written(old.root, old) + _written(new.root, new)
    return _verification(pair, outcomes, seconds, notes, time.monotonic() - began)


def sweep(
    prefix: str | os.PathLike[str],
    *,
    jobs: int = 2,
    timeout: float = TIMEOUT,
    progress: Progress = no_progress,
) -> ImportResults:
    """Import every module of one prefix: the baseline for `compare_imports`.

    Errors: `SourceError` where it is no prefix or its Python does not run here.
    """
    with tempfile.TemporaryDirectory(prefix="condaprune-verify-") as scratch:
        copy_probes(scratch)
        label = os.fspath(prefix)
        subject, _ = _subject(label, list_prefix(check_prefix(label)), scratch, "", timeout)
        return sweep_subject(subject, jobs=jobs, timeout=timeout, progress=progress)


def compare_imports(
    baseline: ImportResults,
    prefix: str | os.PathLike[str],
    *,
    removed: Plan | Ledger,
    jobs: int = 2,
    timeout: float = TIMEOUT,
    progress: Progress = no_progress,
) -> Verification:
    """Hold the imports of a prefix against a baseline taken before it was pruned in place.

    *removed* is the plan that was carried out (or a ledger): it tells what went on purpose.
    Errors: `SourceError` where it is no prefix.
    """
    began = time.monotonic()
    ledger = removed if isinstance(removed, Ledger) else from_plan(removed)
    with tempfile.TemporaryDirectory(prefix="condaprune-verify-") as scratch:
        copy_probes(scratch)
        label = os.fspath(prefix)
        listing = list_prefix(check_prefix(label))
        subject, isolation = _subject(label, listing, scratch, "", timeout)
        known = {*ledger.rules, *(attempt.path for attempt in baseline.attempts.values())}
        removals = Removals((path for path in known if path not in listing), ledger)
        pair = Pair(subject, subject, removals, jobs, timeout, progress)
        outcome = compare_with(baseline, pair)
        notes = [f"isolation: {isolation}", *_written(listing.root, listing)]
    seconds = time.monotonic() - began
    return _verification(pair, {"imports": outcome}, {"imports": seconds}, notes, seconds)


def _choose(names: Sequence[str]) -> list[Check]:
    for name in names:
        if name not in NAMES:
            raise UsageProblem(f"no check is called {name!r}", remedy=nearest(name, NAMES))
    return [check for check in CHECKS if not names or check.name in names]


def _ledger(manifest: str | os.PathLike[str] | Plan | Ledger | None) -> Ledger | None:
    if manifest is None or isinstance(manifest, Ledger):
        return manifest
    if isinstance(manifest, (str, os.PathLike)):
        return read_manifest(os.fspath(manifest))
    return from_plan(manifest)


def _open(path: str, folder: str, scratch: str, timeout: float) -> Listing:
    """The listing of a prefix, or of an archive unpacked to *folder*."""
    if os.path.isfile(path):
        unpack(path, folder)
        return relocate(path, from_bytes(os.path.realpath(os.fsencode(folder))), scratch, timeout)
    return list_prefix(check_prefix(path))


def _subject(
    label: str, listing: Listing, scratch: str, covered: str, timeout: float
) -> tuple[Subject, str]:
    """A subject whose processes see the variables that activation sets, and its isolation."""
    plain, isolation = open_sandbox(listing.root, scratch, covered=covered)
    variables = activate(plain, timeout).values
    sandbox = Sandbox(plain.root, plain.scratch, plain.wrapper, variables)
    subject = describe(label, listing, sandbox, timeout)
    if subject.interpreter and subject.interpreter.version >= (3, 8) and not _has_bytecode(listing):
        # Compiled once, not once a process. Never where there is bytecode of its own: this would
        # hide it, and with it what is wrong with it.
        cache = tempfile.mkdtemp(prefix="bytecode-", dir=scratch)
        subject = replace(subject, sandbox=replace(sandbox, bytecode=cache))
    return subject, isolation


def _has_bytecode(listing: Listing) -> bool:
    return any("/__pycache__/" in path for path in listing)


def _written(root: str, listing: Listing) -> list[str]:
    """A note where files of an environment changed while it was checked."""
    paths = changed(listing, list_prefix(root))
    if not paths:
        return []
    more = f" and {len(paths) - _WRITTEN_SHOWN:,} more" if len(paths) > _WRITTEN_SHOWN else ""
    shown = ", ".join(paths[:_WRITTEN_SHOWN])
    return [f"{root} was changed while it was checked: {shown}{more}"]


def _verification(
    pair: Pair,
    outcomes: dict[str, Outcome],
    seconds: dict[str, float],
    notes: list[str],
    total: float,
) -> Verification:
    lost: list[Finding] = []
    announced: list[Finding] = []
    removed: list[Finding] = []
    unchecked: list[Unchecked] = []
    counts = {}
    for name, outcome in outcomes.items():
        gone = frozenset(f.name for f in (*outcome.lost, *outcome.removed) if f.kind == "module")
        told = {f: pair.removals.announced(f, gone) for f in outcome.lost}
        known = [finding for finding in told.values() if finding is not None]
        unknown = [finding for finding, found in told.items() if found is None]
        lost += unknown
        announced += known
        removed += outcome.removed
        unchecked += outcome.unchecked
        counts[name] = Count(
            outcome.counted,
            len(unknown),
            len(known),
            len(outcome.removed),
            len(outcome.unchecked),
            seconds[name],
        )
    return Verification(
        pair.before.label,
        pair.after.label,
        tuple(outcomes),
        tuple(lost),
        tuple(announced),
        tuple(removed),
        tuple(unchecked),
        counts,
        total,
        tuple(notes),
    )
