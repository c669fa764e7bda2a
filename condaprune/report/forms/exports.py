"""An audit or a comparison for other programs: CSV, and the export format of ncdu."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from condaprune.errors import UsageProblem
from condaprune.paths import printable
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import MEASURES, Audit, total_of
from condaprune.report.layout import Show
from condaprune.version import __version__


def audit_as_csv(audit: Audit, show: Show) -> Iterator[str]:
    """All rows of the views asked for (else all), and with `show.files` every file."""
    measures = [name for name in MEASURES if name in audit.measured]
    rows = [(view, row) for view in show.by or audit.views for row in audit.view(view)]
    if show.files:
        rows += [("file", total_of(i.path, (i,))) for i in audit.items if i.kind != "folder"]
    yield _line(["view", "name", "version", "files", *measures, "removed_files", "removed_bytes"])
    for view, row in rows:
        numbers = [row.files, *map(row.of, measures), row.removed_files, row.removed_bytes]
        yield _line([view, _safe(row.name), row.version, *numbers])


def comparison_as_csv(comparison: Comparison, show: Show) -> Iterator[str]:
    """All changes of the views asked for (else all)."""
    figures = ("version", "files", "bytes")
    sides = [f"{figure}_{side}" for figure in figures for side in ("before", "after")]
    yield _line(["view", "name", *sides, "delta"])
    for view in show.by or comparison.views:
        for change in comparison.views.get(view, ()):
            old, new = change.before, change.after
            numbers = [old.files, new.files, old.bytes, new.bytes, change.grown]
            yield _line([view, _safe(change.name), old.version, new.version, *numbers])


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    shown = printable(name)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _line(values: Iterable[str | int]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue().removesuffix("\n")


def audit_as_ncdu(audit: Audit, _show: Show) -> Iterator[str]:
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
    root: list[Any] = [{"name": printable(audit.label)}]
    folders: dict[str, list[Any]] = {"": root}

    def folder(path: str) -> list[Any]:
        node = folders.get(path)
        if node is None:
            head, _, name = path.rpartition("/")
            node = folders[path] = [{"name": printable(name)}]
            folder(head).append(node)
        return node

    for item in audit.items:
        if item.kind == "folder":
            facts = folder(item.path)[0]
        else:
            head, _, name = item.path.rpartition("/")
            facts = {"name": printable(name)}
            folder(head).append(facts)
        facts["asize"] = item.bytes
        facts["dsize"] = item.disk if measured else item.bytes
        if item.kind in ("link", "other"):
            facts["notreg"] = True
    head_facts = {"progname": "condaprune", "progver": __version__}
    yield json.dumps([1, 2, head_facts, root])
