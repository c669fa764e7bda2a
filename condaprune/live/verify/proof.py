"""`compare`, `sweep` and `compare_imports`: opens environments, runs checks, sorts findings."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from condaprune.errors import UsageProblem
from condaprune.live.sandbox import Sandbox
from condaprune.live.verify.checks import choose_checks
from condaprune.live.verify.checks.imports import compare_with
from condaprune.live.verify.importer import ImportResults, sweep_subject
from condaprune.live.verify.listing import Listing, changed, list_prefix
from condaprune.live.verify.removals import Ledger, Removals, from_plan, read_manifest
from condaprune.live.verify.results import Count, Finding, Outcome, Verification
from condaprune.live.verify.scope import make_scope
from condaprune.live.verify.subject import (
    Effort,
    Pair,
    Subject,
    check_prefix,
    copy_probes,
    describe,
    open_environment,
)
from condaprune.model import Progress, no_progress

if TYPE_CHECKING:
    from condaprune.model import Plan

TIMEOUT = 60.0
_WRITTEN_SHOWN = 5
_NO_MANIFEST = (
    "no manifest was given, so every file that is gone counts as removed on purpose: what went by "
    "mistake is not seen, no rule is named, and no loss is known to be announced; give the file "
    "that `condaprune prune --manifest FILE` wrote, by --manifest"
)


def compare(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    checks: Sequence[str] = (),
    jobs: int = 2,
    timeout: float = TIMEOUT,
    manifest: str | os.PathLike[str] | Plan | Ledger | None = None,
    packages: Sequence[str] = (),
    changed_only: bool = False,
    progress: Progress = no_progress,
) -> Verification:
    """Compare the environment *after* with *before*; each is a prefix or an archive of one.

    *checks* are names of `checks.NAMES` (all of them where empty), *jobs* the processes at a time,
    *timeout* the seconds that one import, command or script may take. *manifest* names the rule
    behind each removal: the file of a manifest, or the plan. Imports and commands are tried of
    *packages* alone, by name (all of them where empty), and with *changed_only* of those alone of
    which a file went or changed. Neither environment is written to.

    Errors: `UsageProblem` for an unknown check or package, or the same environment twice;
    `SourceError`, `ArchiveError` where an environment or the manifest cannot be read.
    """
    began = time.monotonic()
    chosen = [*choose_checks(checks)]
    ledger = _ledger(manifest)
    effort = Effort(jobs, timeout, progress)
    with tempfile.TemporaryDirectory(prefix="condaprune-verify-") as scratch:
        copy_probes(scratch)
        progress("open", 0, 0)
        first_label, second_label = os.fspath(before), os.fspath(after)
        old = open_environment(first_label, f"{scratch}/before", scratch, timeout)
        new = open_environment(second_label, f"{scratch}/after", scratch, timeout)
        if old.root == new.root:
            raise UsageProblem(
                "BEFORE and AFTER are the same environment",
                where=second_label,
                remedy="Keep a copy from before pruning, or give the archive that was written",
            )
        # Links and RPATHs of a copy may still name the place of the original.
        old = Listing(old.root, old.entries, (new.root,))
        new = Listing(new.root, new.entries, (old.root,))
        scope = make_scope(old, new, packages, changed_only=changed_only)
        notes = []
        if any(check.runs_code for check in chosen):
            first = describe(first_label, old, scratch, timeout, new.root)
            second = describe(second_label, new, scratch, timeout, old.root)
            notes.append(f"isolation: {first.sandbox.isolation}")
        else:
            first = Subject(first_label, old, Sandbox(old.root, scratch), None)
            second = Subject(second_label, new, Sandbox(new.root, scratch), None)
        gone = (path for path in old if path not in new)
        pair = Pair(first, second, Removals(gone, ledger), effort, scope)
        outcomes = {}
        for check in chosen:
            progress(check.name, 0, 0)
            started = time.monotonic()
            outcomes[check.name] = (check.run(pair), time.monotonic() - started)
        if notes:
            notes += _written(old) + _written(new)
        notes += filter(None, [scope.note, _NO_MANIFEST if pair.removals.unexplained else ""])
    return _verification(pair, outcomes, notes, began)


def sweep(
    prefix: str | os.PathLike[str],
    *,
    jobs: int = 2,
    timeout: float = TIMEOUT,
    progress: Progress = no_progress,
) -> ImportResults:
    """Import every module of one prefix: the baseline for `compare_imports`.

    Errors: `SourceError` where it is not a prefix, or its Python does not run here.
    """
    with _opened(prefix, timeout) as subject:
        return sweep_subject(subject, Effort(jobs, timeout, progress))


def compare_imports(
    baseline: ImportResults,
    prefix: str | os.PathLike[str],
    *,
    removed: Plan | Ledger,
    jobs: int = 2,
    timeout: float = TIMEOUT,
    progress: Progress = no_progress,
) -> Verification:
    """Compare the imports of a prefix with a baseline taken before it was pruned in place.

    *removed* is the plan that was carried out, or a ledger. Errors: `SourceError` where it is not
    a prefix.
    """
    began = time.monotonic()
    ledger = removed if isinstance(removed, Ledger) else from_plan(removed)
    with _opened(prefix, timeout) as subject:
        listing = subject.listing
        before = {*ledger.rules, *(attempt.path for attempt in baseline.attempts.values())}
        removals = Removals((path for path in before if path not in listing), ledger)
        pair = Pair(subject, subject, removals, Effort(jobs, timeout, progress))
        outcome = compare_with(baseline, pair)
        notes = [f"isolation: {subject.sandbox.isolation}", *_written(listing)]
    return _verification(pair, {"imports": (outcome, time.monotonic() - began)}, notes, began)


@contextmanager
def _opened(prefix: str | os.PathLike[str], timeout: float) -> Iterator[Subject]:
    label = os.fspath(prefix)
    with tempfile.TemporaryDirectory(prefix="condaprune-verify-") as scratch:
        copy_probes(scratch)
        yield describe(label, list_prefix(check_prefix(label)), scratch, timeout)


def _ledger(manifest: str | os.PathLike[str] | Plan | Ledger | None) -> Ledger | None:
    if manifest is None or isinstance(manifest, Ledger):
        return manifest
    if isinstance(manifest, (str, os.PathLike)):
        return read_manifest(os.fspath(manifest))
    return from_plan(manifest)


def _written(listing: Listing) -> list[str]:
    """A note where files of an environment changed while it was checked."""
    paths = changed(listing, list_prefix(listing.root))
    shown, more = ", ".join(paths[:_WRITTEN_SHOWN]), len(paths) - _WRITTEN_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return [f"{listing.root} was changed while it was checked: {shown}{rest}"] if paths else []


def _verification(
    pair: Pair, outcomes: Mapping[str, tuple[Outcome, float]], notes: Sequence[str], began: float
) -> Verification:
    lost: list[Finding] = []
    announced: list[Finding] = []
    counts = {}
    for name, (outcome, seconds) in outcomes.items():
        gone = frozenset(f.name for f in (*outcome.lost, *outcome.removed) if f.kind == "module")
        pairs = [(finding, pair.removals.announced(finding, gone)) for finding in outcome.lost]
        expected = [by_rule for _, by_rule in pairs if by_rule is not None]
        unexpected = [finding for finding, by_rule in pairs if by_rule is None]
        lost += unexpected
        announced += expected
        counts[name] = Count(
            compared=outcome.counted,
            lost=len(unexpected),
            announced=len(expected),
            removed=len(outcome.removed),
            unchecked=len(outcome.unchecked),
            seconds=round(seconds, 3),
        )
    return Verification(
        before=pair.before.label,
        after=pair.after.label,
        checks=tuple(outcomes),
        lost=tuple(lost),
        announced=tuple(announced),
        removed=tuple(f for outcome, _ in outcomes.values() for f in outcome.removed),
        unchecked=tuple(u for outcome, _ in outcomes.values() for u in outcome.unchecked),
        counts=counts,
        seconds=round(time.monotonic() - began, 3),
        notes=tuple(notes),
    )
