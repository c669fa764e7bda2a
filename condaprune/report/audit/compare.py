"""Compares two audits: what changed, by package, category, folder and file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from condaprune.report.audit.model import MEASURES, Audit, Measure, Row
from condaprune.report.audit.views import make_views

VIEWS = ("package", "distribution", "category", "folder", "extension", "file")
_SHOWN = ("package", "category", "folder", "file")


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after; `old` and `new` say on which side it exists at all.

    An upgrade of a package is one change, with both versions in its rows.
    """

    name: str
    before: Row
    after: Row
    old: bool
    new: bool

    @property
    def grown(self) -> int:
        """Apparent bytes after less before."""
        return self.after.bytes - self.before.bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two audits and what changed between them, in each view by the size of the change.

    `measures` are those that both audits have.
    """

    before: Audit
    after: Audit
    total: Change
    views: Mapping[str, tuple[Change, ...]]
    measures: tuple[Measure, ...]


def compare(before: Audit, after: Audit, by: Sequence[str] = ()) -> Comparison:
    """What changed from one audit to another; *by* names views of `VIEWS` (empty: the usual).

    Rows that are alike on both sides are left out. The view by file needs both audits' items, and
    is left out without. Where one side has no records of conda's any more, as a pruned environment,
    its files belong to the packages that the other side's records name.
    """
    before, after = _with_owners(before, after), _with_owners(after, before)
    views: dict[str, tuple[Change, ...]] = {}
    for name in by or _SHOWN:
        if name == "file":
            if before.items and after.items:
                views[name] = changes(_files(before), _files(after))
        elif before.view(name) or after.view(name):
            views[name] = changes(*(_alike(name, a, before, after) for a in (before, after)))
    return Comparison(
        before,
        after,
        Change("total", before.total, after.total, True, True),
        views,
        tuple(m for m in MEASURES if m in before.measured and m in after.measured),
    )


def _with_owners(audit: Audit, other: Audit) -> Audit:
    """The audit with the other's packages, path by path, if only the other knows conda's."""
    owners = {i.path: i.package for i in other.items if i.package.startswith("conda:")}
    if not owners or not audit.items or any(i.package.startswith("conda:") for i in audit.items):
        return audit
    items = tuple(replace(i, package=owners.get(i.path, i.package)) for i in audit.items)
    packages = {**audit.packages, **other.packages}
    views = {**audit.views, "package": make_views(items, packages)["package"]}
    return replace(audit, items=items, views=views)


def _alike(name: str, audit: Audit, *both: Audit) -> Iterable[Row]:
    """The rows of a view, folders no deeper than either audit goes."""
    depth = min(a.depth for a in both)
    return (row for row in audit.view(name) if name != "folder" or row.name.count("/") < depth)


def changes(before: Iterable[Row], after: Iterable[Row]) -> tuple[Change, ...]:
    """The rows that differ in bytes, files or version, the largest change of bytes first."""
    old = {row.name: row for row in before}
    new = {row.name: row for row in after}
    changed = []
    for name in dict.fromkeys((*new, *old)):
        first, second = old.get(name, Row(name, 0, 0)), new.get(name, Row(name, 0, 0))
        alike = _facts(first) == _facts(second) and name in old and name in new
        if not alike:
            changed.append(Change(name, first, second, name in old, name in new))
    return tuple(sorted(changed, key=lambda c: (-abs(c.grown), -c.after.bytes, c.name)))


def _facts(row: Row) -> tuple[int, int, str]:
    return row.bytes, row.files, row.version


def _files(audit: Audit) -> list[Row]:
    return [
        Row(item.path, 1, item.bytes, item.disk, item.compressed, item.strippable)
        for item in audit.items
        if item.kind != "folder"
    ]
