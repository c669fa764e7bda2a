"""The report of a verification as text: the losses first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from condaprune.live.verify.results import Culprit, Finding, Unchecked, Verification
from condaprune.paths import printable

_UNKNOWN_RULE = "an unknown rule (no manifest was given, or it names none)"
_SUBJECTS_SHOWN = 4


def render(verification: Verification) -> str:
    """The report; it ends with a line feed."""
    return "\n".join(_lines(verification)) + "\n"


def _lines(report: Verification) -> Iterator[str]:
    before, after = printable(report.before), printable(report.after)
    if report.ok:
        yield f"nothing lost: {after} does what {before} did, as far as was checked"
    else:
        yield f"{len(report.lost):,} lost: {after} no longer does all that {before} did"
    if report.lost:
        yield ""
        yield from _findings("lost", report.lost)
    if report.announced:
        yield ""
        yield from _findings("announced by a rule", report.announced)
    if report.removed:
        yield ""
        yield "removed on purpose"
        for (check, kind, rule), count in sorted(
            Counter((f.check, f.kind, f.rule) for f in report.removed).items()
        ):
            what = f"{kind}s" if count > 1 else kind
            yield f"  {check}: {count:,} {what} by {printable(rule) or _UNKNOWN_RULE}"
    if report.unchecked:
        yield ""
        yield "not checked"
        yield from _unchecked(report.unchecked)
    yield ""
    yield "  check         compared    lost  announced  removed  seconds"
    for name, row in report.counts.items():
        yield (
            f"  {name:<12}{row.compared:>10,}{row.lost:>8,}{row.announced:>11,}"
            f"{row.removed:>9,}{row.seconds:>9.1f}"
        )
    for note in report.notes:
        yield f"note: {printable(note)}"


def _unchecked(unchecked: Sequence[Unchecked]) -> Iterator[str]:
    """One line a reason, with the first few subjects that it holds for."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for item in unchecked:
        subjects = reasons.setdefault((item.check, item.why), [])
        if item.subject:
            subjects.append(printable(item.subject))
    for (check, why), subjects in reasons.items():
        shown = ", ".join(subjects[:_SUBJECTS_SHOWN])
        more = len(subjects) - _SUBJECTS_SHOWN
        rest = f" and {more:,} more" if more > 0 else ""
        yield f"  {check}: {printable(why)}" + (f": {shown}{rest}" if shown else "")


def _findings(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    """Findings with the same evidence become one: a missing module is many lost imports."""
    yield title
    groups: dict[Finding, list[str]] = {}
    for finding in findings:
        groups.setdefault(replace(finding, name=""), []).append(printable(finding.name))
    for finding, names in groups.items():
        shown = ", ".join(names[:_SUBJECTS_SHOWN])
        if len(names) > _SUBJECTS_SHOWN:
            shown += f" and {len(names) - _SUBJECTS_SHOWN:,} more"
        count = f"{len(names):,} {finding.kind}s" if len(names) > 1 else finding.kind
        yield f"  {finding.check}: {count} {shown}"
        yield f"    before: {printable(finding.before)}; after: {printable(finding.after)}"
        if finding.evidence:
            yield f"    {printable(finding.evidence)}"
        for culprit in finding.removed:
            yield f"    {_removed(culprit)}"
        if finding.announcement:
            yield f"    {printable(finding.rule)} says: {printable(finding.announcement)}"


def _removed(culprit: Culprit) -> str:
    by = f"removed by {printable(culprit.rule)}" if culprit.rule else "is gone"
    return f"{printable(culprit.path)} {by}"
