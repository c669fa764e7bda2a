"""Holds an audit to a budget: which limits are kept, by how much the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from condaprune.errors import ConfigError, SourceError, UsageProblem, nearest
from condaprune.paths import printable
from condaprune.report.audit.budget import Budget, Limit
from condaprune.report.audit.compare import Change, changes
from condaprune.report.audit.model import Audit, Item, Row, total_of, total_of_rows
from condaprune.report.audit.saved import fingerprint, fingerprints, known_paths
from condaprune.report.units import size

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
        _same_environment(audit, baseline, budget)
    found = [f for limit in budget.limits for f in _findings(audit, budget, baseline, limit)]
    found.sort(key=lambda finding: finding.kept)
    grew: tuple[Change, ...] = ()
    if baseline is not None:
        all_changes = changes(baseline.view("package"), audit.view("package"))
        grew = tuple(c for c in all_changes if c.grown > 0)[:_GREW_MOST]
    return Verdict(audit, baseline, tuple(found), grew)


def _same_environment(audit: Audit, baseline: Audit, budget: Budget) -> None:
    where = budget.baseline or baseline.label
    remedy = f"Save one of this environment: condaprune check {audit.label} --save {where}"
    if baseline.source == "manifest":
        raise SourceError("a manifest cannot be a baseline", where=where, remedy=remedy)
    if baseline.platform != audit.platform:
        raise SourceError(
            f"the baseline is of a {baseline.platform} environment, this one is for "
            f"{audit.platform}",
            where=where,
            remedy=remedy,
        )
    old, new = set(baseline.packages), set(audit.packages)
    if 2 * len(old & new) < min(len(old), len(new)):
        raise SourceError(
            f"the baseline is of another environment ({printable(baseline.label)}): "
            f"{len(old & new)} of its {len(old)} packages are in this one",
            where=where,
            remedy=remedy,
        )
    if baseline.pruned != audit.pruned:
        kind = "what a prune would leave" if baseline.pruned else "the environment as it is"
        raise SourceError(
            f"the baseline counts {kind}, and this check does not",
            where=where,
            remedy="Use --pruned for both or for none; " + remedy,
        )
    if set(baseline.exclude) != set(audit.exclude):
        raise SourceError(
            f"the baseline was saved with other excludes ({', '.join(baseline.exclude) or 'none'})",
            where=where,
            remedy=remedy,
        )


def _findings(
    audit: Audit, budget: Budget, baseline: Audit | None, limit: Limit
) -> Iterator[Finding]:
    if limit.measure not in audit.measured:
        raise ConfigError(
            f"the budget of {limit.label} measures {limit.measure} bytes, which this "
            f"{audit.source} does not tell",
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
        _known_package(audit, budget, baseline, limit)
    row = _row(audit, limit)
    base = _row(baseline, limit, budget) if baseline is not None else None
    actual = row.of(limit.measure)
    if limit.absent:
        text = f"is there with {size(row.bytes)}" if row.files else "is absent"
        yield Finding(limit, "absent", row.files, 0, None, text)
    if limit.max is not None:
        text = f"{size(actual)} of {size(limit.max)}"
        base_size = base.of(limit.measure) if base else None
        yield Finding(limit, "max", actual, limit.max, base_size, text)
    if limit.max_files is not None:
        text = f"{row.files:,} of {limit.max_files:,} files"
        yield Finding(limit, "max_files", row.files, limit.max_files, None, text)
    if limit.growth is not None and base is not None:
        before = base.of(limit.measure)
        allowed = limit.growth.limit(before)
        percent = f"{100 * (actual - before) / before:+.1f} %" if before else "new"
        change = actual - before
        grown = f"grew by {size(change)}" if change >= 0 else f"shrank by {size(-change)}"
        text = f"{grown} ({percent}) to {size(actual)}, {limit.growth.text} allowed"
        yield Finding(limit, "growth", actual, allowed, before, text)
    if not limit.new_files and baseline is not None:
        new = _new_files(audit, baseline, limit, budget)
        text = f"{len(new):,} new files" if new else "no new file"
        if new:
            text += ": " + ", ".join(printable(path) for path in new[:_SHOWN_FILES])
            text += ", ..." if len(new) > _SHOWN_FILES else ""
        yield Finding(limit, "new_files", len(new), 0, None, text)


def _known_package(audit: Audit, budget: Budget, baseline: Audit | None, limit: Limit) -> None:
    labels = [*audit.packages, *(baseline.packages if baseline else ())]
    if any(_means(limit.name, label) for label in labels):
        return
    known = sorted({label.partition(":")[2] for label in labels})
    raise ConfigError(
        f"budget.package.{limit.name} names a package that is neither in the environment nor in "
        "the baseline",
        where=budget.origin,
        remedy=nearest(limit.name.partition(":")[2] or limit.name, known)
        + " To forbid a package, write absent = true",
    )


def _means(name: str, label: str) -> bool:
    return label in (name, f"conda:{name}", f"pypi:{name}")


def _row(audit: Audit, limit: Limit, budget: Budget | None = None) -> Row:
    """What a limit looks at, of an audit; *budget* is given for a baseline."""
    if limit.scope == "environment":
        return audit.total
    if limit.scope == "category":
        return audit.row("category", limit.name) or Row(limit.name, 0, 0)
    if limit.scope == "package":
        rows = [row for row in audit.view("package") if _means(limit.name, row.name)]
        return total_of_rows(limit.name, rows)
    if audit.items:
        below = limit.name + "/"
        items = (i for i in audit.items if i.path == limit.name or i.path.startswith(below))
        return total_of(limit.name, items)
    if limit.name.count("/") >= audit.depth:
        raise SourceError(
            f"holds folders to {audit.depth} levels, and the budget asks for {limit.name}",
            where=budget.baseline if budget and budget.baseline else audit.label,
            remedy="Save it again with `condaprune check ENV --save FILE`, or with "
            f"`condaprune audit ENV --depth {limit.name.count('/') + 1} --save FILE`",
        )
    return audit.row("folder", limit.name) or Row(limit.name, 0, 0)


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

    def new(item: Item) -> bool:
        if item.kind == "folder" or (limit.scope == "category" and item.category != limit.name):
            return False
        return fingerprint(item.path) not in known

    found = sorted(filter(new, audit.items), key=lambda item: (-item.bytes, item.path))
    return [item.path for item in found]
