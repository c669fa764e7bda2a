"""An audit as one self-contained HTML page: a treemap, tables, search; it loads nothing."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from condaprune.errors import UsageProblem
from condaprune.paths import printable
from condaprune.report.audit.categories import CATEGORIES
from condaprune.report.audit.compare import Change, Comparison
from condaprune.report.audit.model import UNOWNED, Audit, Item, Measure, Row
from condaprune.report.forms import Show
from condaprune.report.forms.text import percent, signed
from condaprune.report.units import size

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


def audit_text(audit: Audit, _show: Show) -> str:
    """The page. Errors: `UsageProblem` for a saved audit without files."""
    if not audit.items:
        raise UsageProblem(
            "a saved audit without its files has no map to draw",
            where="-o html",
            remedy="Save it with `condaprune audit ENV --all-files -o json=FILE`",
        )
    return _page(f"condaprune audit: {printable(audit.label)}", _data(audit))


def comparison_text(comparison: Comparison, _show: Show) -> str:
    """The map of B, with what changed from A in tables. Errors: `UsageProblem` as above."""
    after = comparison.after
    if not after.items:
        raise UsageProblem(
            "a saved audit without its files has no map to draw",
            where="-o html",
            remedy="Let B be an environment, or save it with --all-files",
        )
    data = _data(after)
    old, grown = comparison.total.before.bytes, comparison.total.grown
    data["changes"] = {
        name: [_change(change) for change in comparison.views[name]]
        for name in _CHANGED
        if name in comparison.views
    }
    data["facts"] = (
        f"compared with {printable(comparison.before.label)}: {signed(grown)} "
        f"({percent(grown, old)})"
    )
    return _page(f"condaprune diff: {printable(after.label)}", data)


def _page(title: str, data: dict[str, Any]) -> str:
    from importlib.resources import files

    home = files("condaprune.report.forms")

    def asset(name: str) -> str:
        return home.joinpath(name).read_text(encoding="utf-8")

    # In a script element only `</script` and `<!--` can end the text: no `<` is left in it.
    raw = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        raw = raw.replace(char, f"\\u{ord(char):04x}")
    page = asset("page.html")
    parts = {
        "@TITLE@": html.escape(title),
        "@CSS@": asset("page.css").strip(),
        "@JS@": (asset("treemap.js") + asset("page.js")).strip(),
        "@DATA@": raw,
    }
    # The data goes in last and is never searched, whatever names it holds.
    head, _, tail = page.partition("@DATA@")
    for mark in ("@TITLE@", "@CSS@", "@JS@"):
        head, tail = head.replace(mark, parts[mark]), tail.replace(mark, parts[mark])
    return head + raw + tail


def _data(audit: Audit) -> dict[str, Any]:
    measures: list[Measure] = [m for m in _NAMES if m in audit.measured]
    packages: dict[str, int] = {}
    # In a fixed order, so that a category has the same colour on every page.
    categories = {name: at for at, name in enumerate(CATEGORIES)}
    total = audit.total
    parts = [f"{size(total.bytes)} in {total.files:,} files"]
    if "disk" in audit.measured:
        parts.append(f"{size(total.disk)} on disk")
    if "compressed" in audit.measured:
        parts.append(f"{'' if audit.exact else 'about '}{size(total.compressed)} compressed")
    planned = bool(audit.profile) and audit.source != "manifest"
    if planned:
        parts.append(f"profile {audit.profile} would take {size(total.removed_bytes)}")
    facts = [audit.source, audit.platform]
    facts += [f"Python {audit.python}"] if audit.python else []
    columns = [_NAMES[m] for m in measures] + (["goes"] if planned else []) + ["files"]
    return {
        "label": printable(audit.label),
        "facts": ", ".join([*facts, f"{len(audit.packages):,} packages"]),
        "totals": ", ".join(parts),
        "measures": [_NAMES[m] for m in measures],
        "columns": columns,
        "planned": planned,
        "unowned": UNOWNED,
        "views": {
            name: [_row(row, measures, planned) for row in audit.view(name)]
            for name in _VIEWS
            if name in audit.views
        },
        "tree": _tree(audit.items, measures, packages, categories),
        "packages": [printable(name) for name in packages],
        "categories": list(categories),
    }


def _change(change: Change) -> list[str | int]:
    old, new = change.before, change.after
    versions = [printable(row.version) for row in (old, new) if row.version]
    files = new.files - old.files
    return [
        printable(change.name),
        " to ".join(dict.fromkeys(versions)),
        *(old.bytes, new.bytes, change.grown, files),
    ]


def _row(row: Row, measures: Sequence[Measure], planned: bool) -> list[str | int]:
    sizes = [row.of(measure) for measure in measures]
    gone = [row.removed_bytes] if planned else []
    return [printable(row.name), printable(row.version), *sizes, *gone, row.files]


def _tree(
    items: Sequence[Item],
    measures: Sequence[Measure],
    packages: dict[str, int],
    categories: dict[str, int],
) -> list[Any]:
    """Nested arrays, as treemap.js reads them; small files of a folder are grouped by what they
    have in common."""
    least = _least(items)
    root: list[Any] = ["", [0] * len(measures), []]
    folders: dict[str, list[Any]] = {"": root}
    groups: dict[tuple[str, int, int, int], list[Any]] = {}

    def folder(path: str) -> list[Any]:
        found = folders.get(path)
        if found is None:
            head, _, name = path.rpartition("/")
            found = folders[path] = [printable(name), [0] * len(measures), []]
            folder(head)[2].append(found)
        return found

    for item in items:
        sizes = [int(getattr(item, measure)) for measure in measures]
        if item.kind == "folder":
            folder(item.path)[1] = sizes
            continue
        head, _, name = item.path.rpartition("/")
        label = item.package or UNOWNED
        package = packages.setdefault(label, len(packages))
        category = categories.setdefault(item.category, len(categories))
        flags = _REMOVED * item.removed + _UNUSED * item.unused
        if item.bytes >= least:
            folder(head)[2].append([printable(name), package, category, flags, *sizes])
            continue
        key = (head, package, category, flags)
        held = groups.get(key)
        if held is None:
            held = groups[key] = [0, package, category, flags] + [0] * len(measures)
            folder(head)[2].append(held)
        held[0] += 1
        for at, value in enumerate(sizes, 4):
            held[at] += value
    return root


def _least(items: Sequence[Item]) -> int:
    """The size from which a file has a tile of its own."""
    sizes = sorted((item.bytes for item in items if item.kind != "folder"), reverse=True)
    return sizes[ALONE] + 1 if len(sizes) > ALONE else 0
