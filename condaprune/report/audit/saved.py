"""An audit as a JSON document: what ``-o json=FILE`` and ``--save FILE`` write.

docs/audit.schema.json describes the document. The one of ``--save`` is small enough to commit: it
has the rows and no list of files, but four bytes of hash for each file, by category, so that
``check`` recognises new files.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from condaprune.paths import to_bytes
from condaprune.report.audit.model import MEASURES, Audit, Item, Measure, Row
from condaprune.version import __version__

FORMAT = "condaprune-audit"
SCHEMA = 1
_LARGEST = 50
_DIGEST = 4
_MARKS = (
    *("package", "distribution", "category", "rule"),
    *("removed", "added", "shared", "unused"),
)


def to_data(audit: Audit, *, files: bool = False, baseline: bool = False) -> dict[str, Any]:
    """The document of an audit; *files* adds all items, *baseline* the hashes of their paths.

    Bytes of a path that are not UTF-8 become lone surrogates (Python's ``surrogateescape``).
    """
    measures = [name for name in MEASURES if name in audit.measured]
    environment = ("label", "source", "platform", "python")
    data: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        "environment": {name: getattr(audit, name) for name in environment},
        "measures": measures,
        "compressed_is_exact": audit.exact,
        "exclude": list(audit.exclude),
        **{name: getattr(audit, name) for name in ("depth", "profile", "guarded", "pruned")},
        "total": _row(audit.total, measures),
        "folders": _row(audit.folders, measures),
        "shared": _row(audit.shared, measures),
        "packages": dict(sorted(audit.packages.items())),
        "views": {
            name: [_row(row, measures) for row in rows] for name, rows in audit.views.items()
        },
    }
    if audit.unused is not None:
        row = _row(audit.unused, measures)
        data["unused"] = {**row, "packages": list(audit.unused_packages)}
    if audit.duplicates is not None:
        data["duplicates"] = [
            {"bytes": d.bytes, "wasted": d.wasted, "paths": list(d.paths)} for d in audit.duplicates
        ]
    if baseline:
        digests = audit.fingerprints or fingerprints(audit.items)
        data["fingerprints"] = {
            name: base64.b64encode(raw).decode() for name, raw in sorted(digests.items())
        }
    elif audit.items:
        largest = [item for item in audit.items if item.kind != "folder"]
        largest.sort(key=lambda item: (-item.bytes, item.path))
        data["largest"] = [_item(item, measures) for item in largest[:_LARGEST]]
    if files:
        data["files"] = [_item(item, measures) for item in audit.items]
    return data


def to_json(audit: Audit, *, files: bool = False, baseline: bool = False) -> str:
    """`to_data` as text: one row a line, so that a committed baseline has readable diffs."""
    data = to_data(audit, files=files, baseline=baseline)
    parts = []
    for key, value in data.items():
        if key == "views":
            text = _joined(f'  "{name}": {_lines(rows, "   ")}' for name, rows in value.items())
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            text = _lines(value, "  ")
        elif key in ("packages", "fingerprints") and value:
            text = _joined(
                f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()
            )
        else:
            text = json.dumps(value)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _joined(members: Iterable[str]) -> str:
    return "{\n" + ",\n".join(members) + "\n }"


def _lines(rows: Iterable[Mapping[str, Any]], indent: str) -> str:
    text = ",\n".join(indent + json.dumps(row) for row in rows)
    return f"[\n{text}\n{indent[:-1]}]" if text else "[]"


def fingerprints(items: Iterable[Item]) -> dict[str, bytes]:
    """Four bytes of hash for each file and link, sorted and joined, by category."""
    digests: dict[str, list[bytes]] = {}
    for item in items:
        if item.kind != "folder":
            digests.setdefault(item.category, []).append(fingerprint(item.path))
    return {name: b"".join(sorted(parts)) for name, parts in digests.items()}


def fingerprint(path: str) -> bytes:
    """Four bytes that distinguish a path from others."""
    return hashlib.blake2b(to_bytes(path), digest_size=_DIGEST).digest()


def known_paths(digests: bytes) -> frozenset[bytes]:
    """The single hashes of a category's fingerprints."""
    return frozenset(digests[i : i + _DIGEST] for i in range(0, len(digests), _DIGEST))


def _row(row: Row, measures: Iterable[Measure]) -> dict[str, Any]:
    data: dict[str, Any] = {"name": row.name}
    if row.version:
        data["version"] = row.version
    data["files"] = row.files
    data.update((name, row.of(name)) for name in measures)
    if row.removed_files or row.removed_bytes:
        data["removed_files"], data["removed_bytes"] = row.removed_files, row.removed_bytes
    if row.exclusive is not None:
        data["exclusive"] = row.exclusive
    return data


def _item(item: Item, measures: Iterable[Measure]) -> dict[str, Any]:
    data: dict[str, Any] = {"path": item.path, "kind": item.kind}
    data.update((name, getattr(item, name)) for name in measures)
    data.update((name, getattr(item, name)) for name in _MARKS if getattr(item, name))
    if item.freed != (item.bytes if item.removed else 0):
        data["freed"] = item.freed
    return data
