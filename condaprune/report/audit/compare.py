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
    owners = {item.path: item.package for item in other.items if _is_conda(item.package)}
    if not owners or not audit.items or any(_is_conda(item.package) for item in audit.items):
        return audit
    items = tuple(
        replace(item, package=owners[item.path]) if item.path in owners else item
        for item in audit.items
    )
    packages = {**audit.packages, **other.packages}
    views = {**audit.views, "package": make_views(items, packages)["package"]}
    return replace(audit, items=items, views=views)


def _is_conda(package: str) -> bool:
    return package.startswith("conda:")


def _alike(name: str, audit: Audit, *both: Audit) -> Iterable[Row]:
    """The rows of a view, folders no deeper than either audit goes."""
    rows = audit.view(name)
    if name != "folder":
        return rows
    depth = min(a.depth for a in both)
    return (row for row in rows if row.name.count("/") < depth)


def changes(before: Iterable[Row], after: Iterable[Row]) -> tuple[Change, ...]:
    """The rows that differ in bytes, files or version, the largest change of bytes first."""
    old = {row.name: row for row in before}
    new = {row.name: row for row in after}
    found = []
    for name in dict.fromkeys((*new, *old)):
        first, second = old.get(name), new.get(name)
        if first and second and _same(first, second):
            continue
        nothing = Row(name, 0, 0)
        found.append(
            Change(name, first or nothing, second or nothing, first is not None, second is not None)
        )
    return tuple(sorted(found, key=lambda c: (-abs(c.grown), -c.after.bytes, c.name)))


def _same(first: Row, second: Row) -> bool:
    return (first.bytes, first.files, first.version) == (second.bytes, second.files, second.version)


def _files(audit: Audit) -> list[Row]:
    return [
        Row(item.path, 1, item.bytes, item.disk, item.compressed, item.strippable)
        for item in audit.items
        if item.kind != "folder"
    ]
