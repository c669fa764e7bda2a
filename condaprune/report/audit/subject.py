"""Opens what can be audited: an environment, or a document: a saved audit, a manifest."""

from __future__ import annotations

import base64
import gzip
import io
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache, partial
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from condaprune.errors import SourceError
from condaprune.files import read_named, too_large, unreadable
from condaprune.parse import parse_json
from condaprune.paths import printable
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.model import FOLDERS, MEASURES, Audit, Item, total_of
from condaprune.report.audit.saved import FORMAT, SCHEMA
from condaprune.report.audit.views import make_views
from condaprune.report.prune import SCHEMA as MANIFEST_SCHEMA
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.model import Kind

_AT_MOST = 256 << 20
"""Bytes of a document, unpacked; reading it takes up to 25 times as much memory."""
_SHOWN = 200
_LARGEST = 1 << 63
_LEVELS = 200
"""Of folders; forms that nest them cannot go much deeper."""

Subject = Source | Audit
"""What can be audited: an environment, or the audit that a document holds."""


def open_subject(name: str) -> Subject:
    """What the user named. Errors: `SourceError`, `ArchiveError`."""
    from condaprune.sources.find import find_source
    from condaprune.sources.pathlist import start_of

    if os.path.isfile(name) and start_of(name).lstrip()[:1] == b"{":
        return read_document(name)
    return find_source(name)


def read_document(name: str) -> Audit:
    """The audit in a file, plain or gzip. Errors: `SourceError`, for newer schemas and damage."""
    data = _read_json(name)
    if data.get("format") == FORMAT:
        what, newest, read = "saved audit", SCHEMA, _saved
        remedy = "Save it again with `condaprune audit ENV --save FILE`"
    elif isinstance(data.get("removed"), list) and isinstance(data.get("environment"), dict):
        what, newest, read = "manifest", MANIFEST_SCHEMA, _removed
        remedy = "Write it again with `condaprune prune ENV --manifest FILE`"
    else:
        raise SourceError(
            "this JSON is neither a saved audit nor a manifest of condaprune",
            where=printable(name),
            remedy="Write one with `condaprune audit ENV --save FILE` or "
            "`condaprune prune ENV --manifest FILE`",
        )
    try:
        schema = data["schema"]
        if type(schema) is not int or not 0 < schema < _LARGEST:
            raise ValueError("its `schema` is not a number")
        if schema <= newest:
            return read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = printable(f"{type(error).__name__}: {error}"[:_SHOWN])
        why = f"this {what} is damaged ({detail})"
        raise SourceError(why, where=printable(name), remedy=remedy) from error
    raise SourceError(
        f"this {what} has schema {schema}, and this condaprune reads up to {newest}",
        where=printable(name),
        remedy=f"Upgrade condaprune. {remedy} and this version",
    )


def _read_json(name: str) -> Mapping[str, Any]:
    where = printable(name)
    try:
        raw = read_named(name, _AT_MOST)
        data = parse_json(_unpacked(raw, name) if raw[:2] == b"\x1f\x8b" else raw)
    except OSError as error:
        raise SourceError(unreadable(error), where=where, remedy="Name another file") from error
    except (ValueError, EOFError, zlib.error) as error:
        why = f"is not valid JSON ({printable(str(error))})"
        raise SourceError(why, where=where, remedy="Write the file again") from error
    if not isinstance(data, dict):
        raise SourceError("holds no JSON object", where=where, remedy="Write the file again")
    return data


def _unpacked(raw: bytes, name: str) -> bytes:
    data = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(_AT_MOST + 1)
    if len(data) > _AT_MOST:
        raise too_large(_AT_MOST, name)
    return data


def _saved(data: Mapping[str, Any]) -> Audit:
    audit: Audit = _reader(Audit)(
        {
            **data,
            **data["environment"],
            "measured": [name for name in MEASURES if name in data["measures"]],
            "items": [
                {"freed": item["bytes"] if item.get("removed") else 0, **item}
                for item in data.get("files", ())
            ],
            "unused_packages": (data.get("unused") or {}).get("packages", ()),
            "exact": data.get("compressed_is_exact", False),
        }
    )
    names = [row.name for rows in audit.views.values() for row in rows]
    if not all(names):
        raise ValueError("a row has no name")
    if any(name.count("/") >= _LEVELS for name in (*names, *(i.path for i in audit.items))):
        raise ValueError(f"it has more than {_LEVELS} levels of folders")
    return audit


def _removed(data: Mapping[str, Any]) -> Audit:
    """What a manifest says was removed."""
    categories = Categories()
    rows = [
        {
            **row,
            "category": categories.of(_text(row["path"]), cast("Kind", _text(row["kind"]))),
            "removed": True,
            "freed": row["bytes"],
        }
        for row in data["removed"]
    ]
    items: tuple[Item, ...] = _reader(tuple[Item, ...])(rows)
    environment = data["environment"]
    labels = (text.partition("==") for text in _reader(tuple[str, ...])(environment["packages"]))
    packages = {label: version for label, _, version in labels}
    return Audit(
        label=_text(environment["label"]),
        source="manifest",
        platform=_text(environment["platform"]),
        python=_text(environment["python"]),
        packages=packages,
        total=total_of("total", items),
        views=make_views(items, packages, rules=True),
        measured=frozenset(("bytes",)),
        items=items,
        folders=total_of(FOLDERS, (i for i in items if i.kind == "folder")),
        profile=_text(data.get("profile") or "") or "runtime",
    )


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of a type from JSON; an object may leave fields out and have more keys.

    Errors of what it returns: `TypeError`, `ValueError`, `AttributeError`.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    make: Callable[..., Any] = origin or kind
    if is_dataclass(kind):
        fields = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
        return lambda data: make(
            **{name: read(data[name]) for name, read in fields.items() if name in data}
        )
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if origin is Literal:
        return partial(_choice, arguments)
    if origin in (Union, UnionType):  # with None
        read = _reader(arguments[0])
        return lambda data: None if data is None else read(data)
    if origin in (tuple, frozenset):
        read = _reader(arguments[0])
        return lambda data: make(map(read, _list(data)))
    if origin is Mapping:
        read = _reader(arguments[1])
        return lambda data: {_text(name): read(value) for name, value in data.items()}
    raise TypeError(f"no reader for {kind}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    value.encode("utf-8", "surrogateescape")  # a surrogate stands for one byte, or for nothing
    return value


def _whole(value: object) -> int:
    if type(value) is not int or abs(value) >= _LARGEST:
        raise TypeError("a whole number is expected")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false is expected")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise TypeError("a list is expected")
    return list(value)


_SIMPLE: Mapping[object, Callable[[Any], object]] = {
    str: _text,
    int: _whole,
    bool: _truth,
    bytes: partial(base64.b64decode, validate=True),
}


def _choice(choices: tuple[str, ...], value: object) -> str:
    if value not in choices:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
    return str(value)
