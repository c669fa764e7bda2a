"""Opens what can be audited: an environment, or a document: a saved audit, a manifest."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache, partial
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from condaprune.errors import SourceError
from condaprune.report.audit.categories import Categories
from condaprune.report.audit.model import FOLDERS, MEASURES, Audit, Item, total_of
from condaprune.report.audit.saved import FORMAT, SCHEMA
from condaprune.report.audit.views import make_views
from condaprune.report.prune import SCHEMA as MANIFEST_SCHEMA
from condaprune.sources.base import Source

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
            where=name,
            remedy="Write one with `condaprune audit ENV --save FILE` or "
            "`condaprune prune ENV --manifest FILE`",
        )
    try:
        schema = data["schema"]
        if type(schema) is not int or schema < 1:
            raise ValueError("its `schema` is not a number")
        if schema <= newest:
            return read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"this {what} is damaged ({type(error).__name__}: {error})"
        raise SourceError(why, where=name, remedy=remedy) from error
    raise SourceError(
        f"this {what} has schema {schema}, and this condaprune reads up to {newest}",
        where=name,
        remedy=f"Upgrade condaprune. {remedy} and this version",
    )


def _read_json(name: str) -> Mapping[str, Any]:
    try:
        with open(name, "rb") as handle:
            raw = handle.read()
        data = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror or error}", where=name, remedy="Name another file"
        ) from error
    except (ValueError, EOFError, zlib.error, RecursionError) as error:
        raise SourceError(
            f"is not valid JSON ({error})", where=name, remedy="Write the file again"
        ) from error
    if not isinstance(data, dict):
        raise SourceError("holds no JSON object", where=name, remedy="Write the file again")
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
    return audit


def _removed(data: Mapping[str, Any]) -> Audit:
    """What a manifest says was removed."""
    categories = Categories()
    rows = [
        {
            **row,
            "category": categories.of(row["path"], row["kind"]),
            "removed": True,
            "freed": row["bytes"],
        }
        for row in data["removed"]
    ]
    items: tuple[Item, ...] = _reader(tuple[Item, ...])(rows)
    environment = data["environment"]
    labels = (str(text).partition("==") for text in environment["packages"])
    packages = {label: version for label, _, version in labels}
    return Audit(
        label=str(environment["label"]),
        source="manifest",
        platform=str(environment["platform"]),
        python=str(environment["python"]),
        packages=packages,
        total=total_of("total", items),
        views=make_views(items, packages, rules=True),
        measured=frozenset(("bytes",)),
        items=items,
        folders=total_of(FOLDERS, (i for i in items if i.kind == "folder")),
        profile=str(data.get("profile", "")) or "runtime",
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
    if kind is bytes:
        return partial(base64.b64decode, validate=True)
    if origin is Literal:
        return partial(_choice, arguments)
    if origin in (Union, UnionType):  # with None
        read = _reader(arguments[0])
        return lambda data: None if data is None else read(data)
    if origin in (tuple, frozenset):
        read = _reader(arguments[0])
        return lambda data: make(map(read, data))
    if origin is Mapping:
        read = _reader(arguments[1])
        return lambda data: {str(name): read(value) for name, value in data.items()}
    return make


def _choice(choices: tuple[str, ...], value: object) -> str:
    if value not in choices:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
    return str(value)
