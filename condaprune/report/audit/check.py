"""Holds an audit to a budget: which limits are kept, by how much the others are not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from condaprune.errors import ConfigError, SourceError, UsageProblem, nearest
from condaprune.report.audit.budget import Budget, Limit
from condaprune.report.audit.compare import Change, changes
from condaprune.report.audit.model import Audit, Row, total_of, total_of_rows
from condaprune.report.audit.saved import fingerprint, fingerprints, known_paths
from condaprune.report.layout import counted, percent, size

_GREW_MOST = 5
_SHOWN_FILES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a limit asks for. `over` is by how much it is not kept: bytes, or files.

    `kind` is the key of the limit: ``max``, ``growth``, ``max_files``, ``new_files``, ``absent``.
    `text` says what was found, and against which limit.
    """

    limit: Limit
    kind: str
    actual: int
    allowed: int
    base: int | None
    text: str

    @property
    def over(self) -> int:
        """By how much the limit is exceeded; 0 where it is kept."""
        return max(0, self.actual - self.allowed)

    @property
    def kept(self) -> bool:
        """Whether the limit is kept."""
        return self.actual <= self.allowed


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings, those that fail first; `grew` are the packages that grew most, with a
    baseline."""

    audit: Audit
    baseline: Audit | None
    findings: tuple[Finding, ...]
    grew: tuple[Change, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that fail."""
        return tuple(finding for finding in self.findings if not finding.kept)


def check(audit: Audit, budget: Budget, baseline: Audit | None) -> Verdict:
    """Hold an audit to a budget.

    Errors: `ConfigError` for a limit on a package that is neither in the environment nor in the
    baseline, or one that needs a baseline or measure that is not there; `SourceError` for a
    baseline of another environment.
    """
    if baseline is not None:
        _check_baseline(audit, baseline, budget)
    findings = [f for limit in budget.limits for f in _findings(audit, budget, baseline, limit)]
    findings.sort(key=lambda finding: finding.kept)
    grew: tuple[Change, ...] = ()
    if baseline is not None:
        all_changes = changes(baseline.view("package"), audit.view("package"))
        grew = tuple(c for c in all_changes if c.grown > 0)[:_GREW_MOST]
    return Verdict(audit, baseline, tuple(findings), grew)


def _check_baseline(audit: Audit, baseline: Audit, budget: Budget) -> None:
    """Refuse a baseline that is not of this environment. Errors: `SourceError`."""
    where = budget.baseline or baseline.label
    command = shlex.join(["condaprune", "check", audit.label, "--save", where])
    remedy = f"Save one of this environment: {command}"
    old, new = set(baseline.packages), set(audit.packages)
    what = ""
    if baseline.source == "manifest":
        what = "a manifest cannot be a baseline"
    elif baseline.platform != audit.platform:
        other = f"the baseline is of a {baseline.platform} environment"
        what = f"{other}, this one is for {audit.platform}"
    elif 2 * len(old & new) < min(len(old), len(new)):
        what = (
            f"the baseline is of another environment ({baseline.label}): "
            f"{len(old & new)} of its {len(old)} packages are in this one"
        )
    elif baseline.pruned != audit.pruned:
        kind = "what a prune would leave" if baseline.pruned else "the environment as it is"
        what = f"the baseline counts {kind}, and this check does not"
        remedy = f"Use --pruned for both or for neither; {remedy}"
    elif set(baseline.exclude) != set(audit.exclude):
        excludes = ", ".join(baseline.exclude) or "none"
        what = f"the baseline was saved with other excludes ({excludes})"
    if what:
        raise SourceError(what, where=where, remedy=remedy)


def _findings(
    audit: Audit, budget: Budget, baseline: Audit | None, limit: Limit
) -> Iterator[Finding]:
    if limit.measure not in audit.measured:
        raise ConfigError(
            f"the budget of {limit.label} measures {limit.measure} bytes, which this "
            f"{audit.source} does not say",
            where=budget.origin,
            remedy="Check the environment itself, or measure apparent bytes",
        )
    if limit.needs_baseline and baseline is None:
        raise ConfigError(
            f"the budget of {limit.label} compares with a baseline, and there is none",
            where=budget.origin,
            remedy="Save one with `condaprune check ENV --save base.json` and name it as "
            "budget.baseline or with --baseline",
        )
    if limit.scope == "package" and not limit.absent:
        _check_package(audit, budget, baseline, limit)
    row = _row(audit, limit)
    actual = row.of(limit.measure)
    before = None if baseline is None else _row(baseline, limit, budget).of(limit.measure)
    if limit.absent:
        text = f"is there with {size(row.bytes)}" if row.files else "is absent"
        yield Finding(limit, "absent", row.files, 0, None, text)
    if limit.max is not None:
        text = f"{size(actual)} of {size(limit.max)}"
        yield Finding(limit, "max", actual, limit.max, before, text)
    if limit.max_files is not None:
        text = f"{row.files:,} of {limit.max_files:,} files"
        yield Finding(limit, "max_files", row.files, limit.max_files, None, text)
    if limit.growth is not None and before is not None:
        change = actual - before
        grown = f"grew by {size(change)}" if change >= 0 else f"shrank by {size(-change)}"
        part = percent(change, before) if before else "new"
        text = f"{grown} ({part}) to {size(actual)}, {limit.growth.text} allowed"
        yield Finding(limit, "growth", actual, limit.growth.limit(before), before, text)
    if not limit.new_files and baseline is not None:
        new = _new_files(audit, baseline, limit, budget)
        text = "no new file"
        if new:
            more = ", ..." if len(new) > _SHOWN_FILES else ""
            paths = ", ".join(new[:_SHOWN_FILES])
            text = f"{counted(len(new), 'new file')}: {paths}{more}"
        yield Finding(limit, "new_files", len(new), 0, None, text)


def _check_package(audit: Audit, budget: Budget, baseline: Audit | None, limit: Limit) -> None:
    """Refuse a package that neither side has. Errors: `ConfigError`."""
    labels = [*audit.packages, *(baseline.packages if baseline else ())]
    if any(_names(limit.name, label) for label in labels):
        return
    known = sorted({label.partition(":")[2] for label in labels})
    raise ConfigError(
        f"budget.package.{limit.name} names a package that is neither in the environment nor in "
        "the baseline",
        where=budget.origin,
        remedy=nearest(limit.name.partition(":")[2] or limit.name, known)
        + " To forbid a package, write absent = true",
    )


def _names(name: str, label: str) -> bool:
    return label in (name, f"conda:{name}", f"pypi:{name}")


def _row(audit: Audit, limit: Limit, budget: Budget | None = None) -> Row:
    """The part of an audit that a limit is for; *budget* is given for a baseline."""
    if limit.scope == "environment":
        return audit.total
    if limit.scope == "package":
        rows = [row for row in audit.view("package") if _names(limit.name, row.name)]
        return total_of_rows(limit.name, rows)
    if limit.scope == "folder" and audit.items:
        below = limit.name + "/"
        items = (i for i in audit.items if i.path == limit.name or i.path.startswith(below))
        return total_of(limit.name, items)
    levels = limit.name.count("/") + 1
    if limit.scope == "folder" and levels > audit.depth:
        raise SourceError(
            f"holds folders to {audit.depth} levels, and the budget asks for {limit.name}",
            where=budget.baseline if budget and budget.baseline else audit.label,
            remedy="Save it again with `condaprune check ENV --save FILE`, or with "
            f"`condaprune audit ENV --depth {levels} --save FILE`",
        )
    return audit.row(limit.scope, limit.name) or Row(limit.name, 0, 0)


def _new_files(audit: Audit, baseline: Audit, limit: Limit, budget: Budget) -> list[str]:
    """Paths that the baseline does not have, the largest first."""
    digests = dict(baseline.fingerprints or fingerprints(baseline.items))
    if not digests or not audit.items:
        raise UsageProblem(
            f"the budget of {limit.label} asks for new files, which needs the files of the "
            "environment and a baseline that was saved with --save",
            where=budget.baseline or baseline.label,
            remedy="Save it again with `condaprune check ENV --save FILE`",
        )
    # Of any category: a path that another version sorts differently is not new.
    known: frozenset[bytes] = frozenset().union(*map(known_paths, digests.values()))
    new = [
        item
        for item in audit.items
        if item.kind != "folder"
        and (limit.scope != "category" or item.category == limit.name)
        and fingerprint(item.path) not in known
    ]
    return [item.path for item in sorted(new, key=lambda item: (-item.bytes, item.path))]
