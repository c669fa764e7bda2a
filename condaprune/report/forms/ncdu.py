"""An audit in the export format of ncdu, to browse with ``ncdu -f FILE`` (also gdu and others)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from condaprune.errors import UsageProblem
from condaprune.paths import printable
from condaprune.report.audit.model import Audit
from condaprune.report.layout import Show
from condaprune.version import __version__


def audit(audit: Audit, _show: Show) -> Iterator[str]:
    """The tree of all items. Errors: `UsageProblem` for a saved audit without files.

    The sizes on disk are those of the apparent bytes where they were not measured. Further paths
    of a hard-linked file show up with no size, so that ncdu's sums are those of the audit.
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
