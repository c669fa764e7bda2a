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
    Sums,
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
    sums: dict[str, Sums] = {}
    for item in items:
        name = key(item)
        row = sums.get(name)
        if row is None:
            row = sums[name] = Sums()
        row.add(item)
    return in_order(row.row(name, (versions or {}).get(name, "")) for name, row in sums.items())


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
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
    sums = {NO_RULE: Sums()}
    for item in items:
        if item.removed:
            sums.setdefault(item.rule, Sums()).add(item)
        elif item.freed or item.added:
            row = sums.setdefault(item.rule, Sums())
            row.add(replace(item, bytes=item.freed, disk=0, compressed=0, strippable=0))
            rest = sums[NO_RULE]
            rest.bytes += item.bytes - item.freed
            rest.disk += item.disk
            rest.compressed += item.compressed
            rest.strippable += item.strippable
        else:
            sums[NO_RULE].add(item)
    return in_order(row.row(name) for name, row in sums.items())


def _folders(items: Iterable[Item], depth: int) -> tuple[Row, ...]:
    """Folders down to *depth* levels, each with all below it and its own size."""
    sums: dict[str, Sums] = {}
    chains: dict[str, tuple[Sums, ...]] = {}
    for item in items:
        folder = item.path if item.kind == "folder" else item.path.rpartition("/")[0]
        chain = chains.get(folder)
        if chain is None:
            parts = folder.split("/")[:depth]
            names = ["/".join(parts[: n + 1]) for n in range(len(parts))] if folder else [TOP]
            chain = chains[folder] = tuple(sums.setdefault(name, Sums()) for name in names)
        for row in chain:
            row.add(item)
    return in_order(row.row(name) for name, row in sums.items())
