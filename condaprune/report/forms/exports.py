"""An audit or a comparison for other programs: CSV, and the export format of ncdu."""

from __future__ import annotations

from collections.abc import Iterator

from condaprune.errors import UsageProblem
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import MEASURES, Audit, total_of
from condaprune.report.layout import Show, folder_and_name
from condaprune.report.rendering import Data, Row
from condaprune.version import __version__


def audit_as_csv(audit: Audit, show: Show) -> Iterator[Row]:
    """All rows of the views asked for (else all), and with `show.files` every file."""
    measures = [name for name in MEASURES if name in audit.measured]
    rows = [(view, row) for view in show.by or audit.views for row in audit.view(view)]
    if show.files:
        rows += [("file", total_of(i.path, (i,))) for i in audit.items if i.kind != "folder"]
    yield ["view", "name", "version", "files", *measures, "removed_files", "removed_bytes"]
    for view, row in rows:
        numbers = [row.files, *map(row.of, measures), row.removed_files, row.removed_bytes]
        yield [view, row.name, row.version, *numbers]


def comparison_as_csv(comparison: Comparison, show: Show) -> Iterator[Row]:
    """All changes of the views asked for (else all)."""
    figures = ("version", "files", "bytes")
    sides = [f"{figure}_{side}" for figure in figures for side in ("before", "after")]
    yield ["view", "name", *sides, "delta"]
    for view in show.by or comparison.views:
        for change in comparison.views.get(view, ()):
            old, new = change.before, change.after
            numbers = [old.files, new.files, old.bytes, new.bytes, change.grown]
            yield [view, change.name, old.version, new.version, *numbers]


def audit_as_ncdu(audit: Audit, _show: Show) -> Iterator[Data]:
    """The tree of all items, to browse with ``ncdu -f FILE`` (also gdu and others).

    The sizes on disk are those of the apparent bytes where they were not measured. Further paths
    of a hard-linked file show up with no size, so that ncdu's sums are those of the audit.
    Errors: `UsageProblem` for a saved audit without files.
    """
    if not audit.items:
        raise UsageProblem(
            "a saved audit without its files has no tree to show",
            where="-o ncdu",
            remedy="Save it with `condaprune audit ENV --all-files -o json=FILE`",
        )
    measured = "disk" in audit.measured
    facts: dict[str, Data] = {"name": audit.label}
    folders: dict[str, tuple[dict[str, Data], list[Data]]] = {"": (facts, [facts])}

    def folder(path: str) -> tuple[dict[str, Data], list[Data]]:
        node = folders.get(path)
        if node is None:
            head, name = folder_and_name(path)
            facts: dict[str, Data] = {"name": name}
            node = folders[path] = facts, [facts]
            folder(head)[1].append(node[1])
        return node

    for item in audit.items:
        if item.kind == "folder":
            facts = folder(item.path)[0]
        else:
            head, name = folder_and_name(item.path)
            facts = {"name": name}
            folder(head)[1].append(facts)
        facts["asize"] = item.bytes
        facts["dsize"] = item.disk if measured else item.bytes
        if item.kind in ("link", "other"):
            facts["notreg"] = True
    yield [1, 2, {"progname": "condaprune", "progver": __version__}, folders[""][1]]
