"""The small answers: why a package is there, the status of a prefix, a verification."""

from __future__ import annotations

import json
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from condaprune.report.layout import Column, Show, counted, listed, share, size, table

if TYPE_CHECKING:
    from condaprune.live.verify.results import Count, Culprit, Finding, Unchecked, Verification
    from condaprune.report.audit.needs import Why
    from condaprune.sinks.inplace.status import PrefixStatus

_FEW = 12
_SUBJECTS = 4
_UNKNOWN_RULE = "an unknown rule"
_COUNTS: tuple[Column[Count], ...] = (
    Column("compared", 8, lambda row: f"{row.compared:,}"),
    Column("lost", 6, lambda row: f"{row.lost:,}"),
    Column("announced", 9, lambda row: f"{row.announced:,}"),
    Column("removed", 7, lambda row: f"{row.removed:,}"),
    Column("seconds", 7, lambda row: f"{row.seconds:.1f}"),
)


@dataclass(frozen=True, slots=True)
class Status:
    """What was done to the environment that the user named *label*."""

    label: str
    prefix: PrefixStatus


def why_as_text(why: Why, _show: Show) -> Iterator[str]:
    """Who needs a package, by which chains, what would go with it, whether it can go."""
    alone = counted(len(why.goes_along), "package")
    yield f"{why.label} {why.version}".rstrip()
    yield ""
    yield f"  its own      {size(why.own.bytes)} in {counted(why.own.files, 'file')}"
    yield f"  exclusive    {size(why.exclusive)}, with {alone} that nothing else needs"
    for label in why.goes_along[:_FEW]:
        yield f"                 {label}"
    if len(why.goes_along) > _FEW:
        yield f"                 ... and {len(why.goes_along) - _FEW:,} more"
    yield f"  asked for    {'yes, by a spec' if why.asked else 'not according to the records'}"
    if why.direct:
        yield f"  needed by    {listed(why.direct, _FEW)}"
    for number, chain in enumerate(why.chains):
        head = "by way of" if not number else ""
        yield f"  {head:<11}  {' -> '.join(chain)}"
    if why.roots > len(why.chains):
        yield f"               ... and from {why.roots - len(why.chains):,} more"
    if why.unused is not None:
        yield f"  trace        {'touched nothing of it' if why.unused else 'touched it'}"
    yield ""
    yield f"  {_can_go(why)}"


def _can_go(why: Why) -> str:
    if len(why.direct) == 1:
        return f"It cannot go by itself: {why.direct[0]} says that it needs it."
    if not why.can_go:
        users = counted(len(why.direct), "package")
        return f"It cannot go by itself: {users} say that they need it."
    unless = "you do not use it yourself: you asked for it"
    if not why.asked:
        unless = "your code does not import or run it: nothing needs it"
    return f"It can go if {unless}. {size(why.exclusive)}."


def why_as_json(why: Why, _show: Show) -> Iterator[str]:
    """The same as JSON."""
    from condaprune.report.forms.document import document

    return document(
        "why",
        {
            "package": why.label,
            "version": why.version,
            "bytes": why.own.bytes,
            "files": why.own.files,
            "exclusive": why.exclusive,
            "goes_along": why.goes_along,
            "needed_by": why.direct,
            "needs": why.needs,
            "chains": why.chains,
            "asked_for": why.asked,
            "can_go": why.can_go,
            "unused": why.unused,
        },
    )


def status_as_text(status: Status, _show: Show) -> Iterator[str]:
    """The runs on a prefix, and whether anything is left undone."""
    prefix = status.prefix
    done = "was pruned in place" if prefix.runs else "has not been pruned in place"
    yield f"{status.label} {done}"
    for number, run in enumerate(prefix.runs, 1):
        saved = run.bytes_before - run.bytes_after
        when = _date(prefix.when) if number == len(prefix.runs) else ""
        yield f"  by condaprune {run.version} with profile {run.profile}{when}"
        yield (
            f"    {size(run.bytes_before)} to {size(run.bytes_after)}, "
            f"saved {size(saved)} ({share(saved, run.bytes_before)}), "
            f"{run.files_before - run.files_after:,} of {run.files_before:,} files"
        )
        yield f"    rules: {', '.join(run.rules) or 'none'}"
    if prefix.undoable:
        yield "  the last run can be undone: `condaprune undo`"
    yield f"  left undone: {prefix.pending}" if prefix.pending else "  nothing is left undone"


def _date(seconds: int | None) -> str:
    """When the last run was; empty where that is not known, or no calendar has it."""
    if seconds is None:
        return ""
    try:
        return time.strftime(" on %Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        return ""


def status_as_json(status: Status, _show: Show) -> Iterator[str]:
    """The same as JSON."""
    yield json.dumps(status.prefix.to_json(), indent=1)


def verification_as_text(report: Verification, _show: Show) -> Iterator[str]:
    """What a verification found, the losses first."""
    before, after = report.before, report.after
    if report.ok:
        yield f"nothing lost: {after} does what {before} did, as far as was checked"
    else:
        yield f"{len(report.lost):,} lost: {after} no longer does all that {before} did"
    for title, findings in ("lost", report.lost), ("announced by a rule", report.announced):
        if findings:
            yield from ("", title)
            yield from _findings(findings)
    if report.removed:
        yield from ("", "removed on purpose")
        totals = Counter((f.check, f.kind, f.rule) for f in report.removed)
        for (check, kind, rule), count in sorted(totals.items()):
            yield f"  {check}: {counted(count, kind)} by {rule or _UNKNOWN_RULE}"
    if report.unchecked:
        yield from ("", "not checked")
        yield from _unchecked(report.unchecked)
    yield ""
    yield from table("check", _COUNTS, report.counts.items())
    for note in report.notes:
        yield f"note: {note}"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Findings with the same evidence become one: a missing module is many lost imports."""
    groups: dict[Finding, list[str]] = {}
    for finding in findings:
        groups.setdefault(replace(finding, name=""), []).append(finding.name)
    for finding, names in groups.items():
        count = finding.kind if len(names) == 1 else counted(len(names), finding.kind)
        yield f"  {finding.check}: {count} {listed(names, _SUBJECTS)}"
        yield f"    before: {finding.before}; after: {finding.after}"
        if finding.evidence:
            yield f"    {finding.evidence}"
        for culprit in finding.removed:
            by = f"removed by {culprit.rule}" if culprit.rule else "is gone"
            yield f"    {culprit.path} {by}"
            yield f"      {_option(culprit)} keeps it"
        if not finding.removed and not finding.announcement:
            yield "    no removed file was found that explains it"
        if finding.announcement:
            yield f"    {finding.rule} says: {finding.announcement}"
            if not finding.removed:
                yield f"      --ignore {finding.rule} keeps it"


def _option(culprit: Culprit) -> str:
    """The option of a prune that keeps a file, and the one that keeps all that its rule takes."""
    from condaprune.live.heal.units import pattern_of

    alone = f"--keep {shlex.quote(pattern_of(culprit.path))}"
    ignored = culprit.rule and not culprit.rule.startswith("--")
    return f"{alone} or --ignore {culprit.rule}" if ignored else alone


def _unchecked(unchecked: Sequence[Unchecked]) -> Iterator[str]:
    """One line a reason, with the first few subjects that it holds for."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for item in unchecked:
        subjects = reasons.setdefault((item.check, item.why), [])
        if item.subject:
            subjects.append(item.subject)
    for (check, why), subjects in reasons.items():
        shown = f": {listed(subjects, _SUBJECTS)}" if subjects else ""
        yield f"  {check}: {why}{shown}"


def verification_as_json(verification: Verification, _show: Show) -> Iterator[str]:
    """The same as JSON."""
    yield json.dumps(verification.to_json(), indent=1)
