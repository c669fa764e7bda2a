"""Groups items into views: by package, distribution, category, rule, folder and extension."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from condaprune.report.audit.model import (
    FOLDERS,
    NO_DISTRIBUTION,
    NO_RULE,
    TOP,
    UNOWNED,
    Item,
    Row,
    total_of,
    total_of_rows,
)


def make_views(
    items: Iterable[Item], versions: Mapping[str, str], *, depth: int = 1, rules: bool = False
) -> dict[str, tuple[Row, ...]]:
    """All views of the items; *versions* maps package labels to versions.

    The rows of a view add up to the whole. Those of `folder` are nested down to *depth* levels,
    each with all that lies below it: there the rows of the first level add up. *rules* adds the
    view by rule.
    """
    items = tuple(items)
    views = {
        "package": _group(items, lambda i: _own(i, i.package or UNOWNED), versions),
        "distribution": _group(
            items, lambda i: _own(i, i.distribution or NO_DISTRIBUTION), versions
        ),
        "category": _group(items, lambda item: item.category),
        "extension": _group(items, lambda item: _own(item, extension_of(item.path))),
        "folder": _folders(items, depth),
    }
    if rules:
        views["rule"] = _by_rule(items)
    return views


def _own(item: Item, name: str) -> str:
    return FOLDERS if item.kind == "folder" else name


def _group(
    items: Iterable[Item], key: Callable[[Item], str], versions: Mapping[str, str] | None = None
) -> tuple[Row, ...]:
    """Items summed up by a key."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    versions = versions or {}
    return _in_order(total_of(name, g, versions.get(name, "")) for name, g in groups.items())


def _in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows sorted by size, then files, then name."""
    return tuple(sorted(rows, key=lambda row: (-row.bytes, -row.files, row.name)))


def extension_of(path: str) -> str:
    """The extension that a view groups by: ``.so`` for ``libz.so.1.2``, ``(none)`` without one.

    >>> extension_of("lib/libz.so.1.2"), extension_of("bin/.hidden"), extension_of("a.tar.gz")
    ('.so', '(none)', '.gz')
    """
    name = path.rpartition("/")[2]
    if ".so." in name:
        return ".so"
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or len(suffix) > 12 or not suffix.isalnum():
        return "(none)"
    return "." + suffix.lower()


def _by_rule(items: Iterable[Item]) -> tuple[Row, ...]:
    """What each rule frees, as the account of the plan has it; `NO_RULE` is what is left.

    A rewritten file is divided: what that frees is its row's, the rest stays.
    """
    groups: dict[str, list[Item]] = {NO_RULE: []}
    rests: list[Row] = []
    for item in items:
        name = item.rule if item.removed else NO_RULE
        if not item.removed and (item.freed or item.added):
            rest = item.bytes - item.freed
            rests.append(Row("", 0, rest, item.disk, item.compressed, item.strippable))
            name = item.rule
            item = replace(item, bytes=item.freed, disk=0, compressed=0, strippable=0)
        groups.setdefault(name, []).append(item)
    rows = {name: total_of(name, group) for name, group in groups.items()}
    rows[NO_RULE] = total_of_rows(NO_RULE, (rows[NO_RULE], *rests))
    return _in_order(rows.values())


def _folders(items: Iterable[Item], depth: int) -> tuple[Row, ...]:
    """Folders down to *depth* levels, each with all below it and its own size."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        folder = item.path if item.kind == "folder" else item.path.rpartition("/")[0]
        parts = folder.split("/")[:depth]
        names = ["/".join(parts[: n + 1]) for n in range(len(parts))] if folder else [TOP]
        for name in names:
            groups.setdefault(name, []).append(item)
    return _in_order(total_of(name, group) for name, group in groups.items())
