"""An audit as a JSON document, and back: what ``-o json=FILE`` and ``--save FILE`` write.

docs/audit.schema.json describes the document. The one of ``--save`` is small enough to commit: it
has the rows and no list of files, but four bytes of hash for each file, by category, so that
``check`` recognises new files.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from condaprune.errors import SourceError
from condaprune.model import Kind
from condaprune.paths import to_bytes
from condaprune.report.audit.model import MEASURES, Audit, Duplicate, Item, Measure, Row
from condaprune.version import __version__

FORMAT = "condaprune-audit"
SCHEMA = 1
_KINDS: tuple[Kind, ...] = ("file", "link", "folder", "other")
_LARGEST = 50
_DIGEST = 4
_MARKS = (
    *("package", "distribution", "category", "rule"),
    *("removed", "added", "shared", "unused"),
)
T = TypeVar("T", Row, Item)


def to_data(audit: Audit, *, files: bool = False, baseline: bool = False) -> dict[str, Any]:
    """The document of an audit; *files* adds all items, *baseline* the hashes of their paths.

    Bytes of a path that are not UTF-8 become lone surrogates (Python's ``surrogateescape``).
    """
    measures = [name for name in MEASURES if name in audit.measured]
    data: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        "environment": {
            "label": audit.label,
            "source": audit.source,
            "platform": audit.platform,
            "python": audit.python,
        },
        "measures": measures,
        "compressed_is_exact": audit.exact,
        "exclude": list(audit.exclude),
        "depth": audit.depth,
        "profile": audit.profile,
        "guarded": audit.guarded,
        "pruned": audit.pruned,
        "total": _row(audit.total, measures),
        "folders": _row(audit.folders, measures),
        "shared": _row(audit.shared, measures),
        "packages": dict(sorted(audit.packages.items())),
        "views": {
            name: [_row(row, measures) for row in rows] for name, rows in audit.views.items()
        },
    }
    if audit.unused is not None:
        data["unused"] = {
            **_row(audit.unused, measures),
            "packages": list(audit.unused_packages),
        }
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


def from_data(name: str, data: Mapping[str, Any]) -> Audit:
    """The audit that a document holds. Errors: `SourceError` for a newer schema or damage."""
    schema = data.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise _damaged(name, "its `schema` is not a number")
    if schema > SCHEMA:
        raise SourceError(
            f"this saved audit has schema {schema}, and this condaprune reads up to {SCHEMA}",
            where=name,
            remedy="Upgrade condaprune, or save the audit again with this version",
        )
    try:
        return _audit(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(name, f"{type(error).__name__}: {error}") from error


def _audit(data: Mapping[str, Any]) -> Audit:
    environment = data["environment"]
    unused = data.get("unused")
    duplicates = data.get("duplicates")
    return Audit(
        label=str(environment["label"]),
        source=str(environment["source"]),
        platform=str(environment["platform"]),
        python=str(environment["python"]),
        packages={str(k): str(v) for k, v in data["packages"].items()},
        total=_read(Row, data["total"]),
        views={str(k): tuple(_read(Row, row) for row in rows) for k, rows in data["views"].items()},
        measured=frozenset(m for m in MEASURES if m in data["measures"]),
        items=tuple(map(_read_item, data.get("files", ()))),
        folders=_read(Row, data["folders"]),
        shared=_read(Row, data["shared"]),
        unused=_read(Row, unused) if unused is not None else None,
        unused_packages=tuple(map(str, unused["packages"])) if unused is not None else (),
        duplicates=tuple(map(_read_duplicate, duplicates)) if duplicates is not None else None,
        fingerprints={
            str(k): base64.b64decode(v, validate=True)
            for k, v in data.get("fingerprints", {}).items()
        },
        profile=str(data.get("profile", "")),
        guarded=bool(data.get("guarded", False)),
        pruned=bool(data.get("pruned", False)),
        exact=bool(data.get("compressed_is_exact", False)),
        exclude=tuple(map(str, data.get("exclude", ()))),
        depth=int(data.get("depth", 1)),
    )


def _read_duplicate(data: Mapping[str, Any]) -> Duplicate:
    return Duplicate(int(data["bytes"]), tuple(map(str, data["paths"])))


def _damaged(name: str, why: str) -> SourceError:
    return SourceError(
        f"this saved audit is damaged ({why})",
        where=name,
        remedy="Save it again with `condaprune audit ENV --save FILE`",
    )


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


def _read_item(data: Mapping[str, Any]) -> Item:
    freed = data["bytes"] if data.get("removed") else 0
    missing = {"disk": 0, "package": "", "distribution": "", "freed": freed}
    return _read(Item, {**missing, **data})


def _read(cls: type[T], data: Mapping[str, Any]) -> T:
    """A row or item of a document; fields that the document leaves out have their defaults."""
    given = [field for field in fields(cls) if field.name in data]
    return cls(**{field.name: _READERS[str(field.type)](data[field.name]) for field in given})


def _kind(value: object) -> Kind:
    if value not in _KINDS:
        raise ValueError(f"kind {value!r}")
    return next(kind for kind in _KINDS if kind == value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "str": str,
    "int": int,
    "int | None": int,
    "bool": bool,
    "Kind": _kind,
}
"""How the values of a field are read, by its annotation."""
