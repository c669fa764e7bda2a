"""An audit as one self-contained HTML page: a treemap, tables, search; it loads nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from condaprune.errors import UsageProblem
from condaprune.report.audit.categories import CATEGORIES
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import UNOWNED, Audit, Item, Measure, Row
from condaprune.report.forms.text import facts, planned, summary
from condaprune.report.layout import Show, changed, folder_and_name
from condaprune.report.rendering import Data, Page

ALONE = 20_000
"""How many files, the largest ones, have a tile of their own; others of a folder are grouped."""

_NAMES: dict[Measure, str] = {
    "bytes": "apparent",
    "disk": "on disk",
    "compressed": "compressed",
    "strippable": "strippable",
}
_REMOVED, _UNUSED = 1, 2
_CHANGED = ("package", "category", "folder", "file")
_VIEWS = ("package", "category", "extension", "rule")


def audit_as_html(audit: Audit, _show: Show) -> Iterator[Page]:
    """The page. Errors: `UsageProblem` for a saved audit without files."""
    yield Page(f"condaprune audit: {audit.label}", _data(audit))


def comparison_as_html(comparison: Comparison, _show: Show) -> Iterator[Page]:
    """The map of B, with tables of the changes from A. Errors: `UsageProblem` as above."""
    data = _data(comparison.after)
    total = comparison.total
    data["changes"] = {
        name: [_change(change) for change in changes]
        for name, changes in comparison.views.items()
        if name in _CHANGED
    }
    grown = changed(total.before.bytes, total.after.bytes)
    data["facts"] = f"compared with {comparison.before.label}: {grown}"
    yield Page(f"condaprune diff: {comparison.after.label}", data)


def _data(audit: Audit) -> dict[str, Data]:
    if not audit.items:
        raise UsageProblem(
            "a saved audit without its files has no map to draw",
            where="-o html",
            remedy="Name the environment itself, or save it with `condaprune audit ENV "
            "--all-files -o json=FILE`",
        )
    measures: list[Measure] = [m for m in _NAMES if m in audit.measured]
    packages: dict[str, int] = {}
    # In a fixed order, so that a category has the same colour on every page.
    categories = {name: at for at, name in enumerate(CATEGORIES)}
    over = planned(audit)
    names = [_NAMES[m] for m in measures]
    return {
        "label": audit.label,
        "facts": facts(audit),
        "totals": ", ".join(summary(audit)),
        "measures": names,
        "columns": [*names, *(["goes"] if over else []), "files"],
        "planned": over,
        "unowned": UNOWNED,
        "views": {
            name: [_row(row, measures, over) for row in audit.view(name)]
            for name in _VIEWS
            if name in audit.views
        },
        "tree": _tree(audit.items, measures, packages, categories),
        "packages": list(packages),
        "categories": list(categories),
    }


def _change(change: Change) -> list[Data]:
    old, new = change.before, change.after
    versions = [row.version for row in (old, new) if row.version]
    files = new.files - old.files
    return [
        change.name,
        " to ".join(dict.fromkeys(versions)),
        *(old.bytes, new.bytes, change.grown, files),
    ]


def _row(row: Row, measures: Sequence[Measure], over: bool) -> list[Data]:
    sizes = [row.of(measure) for measure in measures]
    gone = [row.removed_bytes] if over else []
    return [row.name, row.version, *sizes, *gone, row.files]


def _tree(
    items: Sequence[Item],
    measures: Sequence[Measure],
    packages: dict[str, int],
    categories: dict[str, int],
) -> list[Any]:
    """Nested arrays, as treemap.js reads them; small files of a folder that share a package,
    category and flags are one node."""
    least = _least(items)
    root: list[Any] = ["", [0] * len(measures), []]
    folders: dict[str, list[Any]] = {"": root}
    groups: dict[tuple[str, int, int, int], list[Any]] = {}

    def folder(path: str) -> list[Any]:
        node = folders.get(path)
        if node is None:
            head, name = folder_and_name(path)
            node = folders[path] = [name, [0] * len(measures), []]
            folder(head)[2].append(node)
        return node

    for item in items:
        sizes = [int(getattr(item, measure)) for measure in measures]
        if item.kind == "folder":
            folder(item.path)[1] = sizes
            continue
        head, name = folder_and_name(item.path)
        label = item.package or UNOWNED
        package = packages.setdefault(label, len(packages))
        category = categories.setdefault(item.category, len(categories))
        flags = _REMOVED * item.removed + _UNUSED * item.unused
        if item.bytes >= least:
            folder(head)[2].append([name, package, category, flags, *sizes])
            continue
        key = (head, package, category, flags)
        group = groups.get(key)
        if group is None:
            group = groups[key] = [0, package, category, flags] + [0] * len(measures)
            folder(head)[2].append(group)
        group[0] += 1
        for at, value in enumerate(sizes, 4):
            group[at] += value
    return root


def _least(items: Sequence[Item]) -> int:
    """The size from which a file has a tile of its own."""
    sizes = sorted((item.bytes for item in items if item.kind != "folder"), reverse=True)
    return sizes[ALONE] + 1 if len(sizes) > ALONE else 0
