"""Parsed TOML read into dataclasses, strictly; and what they say as a JSON Schema.

The types of `condaprune.ruleset.format` and `condaprune.request.format` declare what a document may
hold; the metadata of their fields says what each is for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from condaprune.errors import nearest

Key = tuple[str | int, ...]
"""Where in a document something stands, such as ``("rule", 3, "when", "python")``."""

Schema = dict[str, object]

T = TypeVar("T")

_SHOWN = 100
"""Characters of a value that a message quotes."""


class Invalid(Exception):
    """Something in a document that its format does not allow."""

    def __init__(self, key: Key, what: str, remedy: str) -> None:
        super().__init__(what)
        self.key = key
        self.what = what
        self.remedy = remedy


def read(kind: type[T], data: Mapping[str, object], key: Key = ()) -> T:
    """An instance of a format type from a TOML table. Errors: `Invalid`."""
    declarations = fields_of(kind)  # type: ignore[arg-type]
    for name in data:
        if name not in declarations:
            known = list(declarations)
            raise Invalid(
                (*key, name), f"unknown key {_shown(name)}", nearest(name[:_SHOWN], known)
            )
    values: dict[str, object] = {}
    for name, (declared, hint) in declarations.items():
        if name in data:
            values[name] = _value(hint, data[name], declared, (*key, name))
        elif _required(declared):
            raise Invalid(key, f"{name!r} is missing", f"Add {name!r}: {_doc(declared)}")
    return kind(**values)


@cache
def fields_of(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    """The fields of a format type with their resolved types."""
    hints = get_type_hints(kind)
    return {declared.name: (declared, hints[declared.name]) for declared in fields(kind)}


def _required(declared: Field[Any]) -> bool:
    return declared.default is MISSING and declared.default_factory is MISSING


def _value(hint: Any, data: object, declared: Field[Any], key: Key) -> object:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not NoneType]
        if isinstance(data, str) and str in options:
            return _string(data, declared, key)
        return _value(next((o for o in options if o is not str), str), data, declared, key)
    if hint is str:
        return _string(data, declared, key)
    if hint is int:
        if type(data) is not int or data < 0:
            what = f"{_named(key)} is {_shown(data)}"
            raise Invalid(key, what, "Give a whole number, 0 or more.")
        return data
    if hint is bool:
        if not isinstance(data, bool):
            raise _wrong_type(key, data, "true or false")
        return data
    if origin is Literal:
        choices = get_args(hint)
        if data not in choices:
            what = f"{_named(key)} is {_shown(data)}"
            raise Invalid(
                key, what, nearest(data[:_SHOWN] if isinstance(data, str) else "", choices)
            )
        return data
    if origin is tuple:
        return _items(get_args(hint)[0], data, declared, key)
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return read(hint, _table(data, key), key)
    item = get_args(hint)[1]
    tables = {}
    for name, value in _table(data, key).items():
        _string(name, declared, (*key, name))
        tables[name] = read(item, _table(value, (*key, name)), (*key, name))
    return tables


def _string(data: object, declared: Field[Any], key: Key) -> str:
    if not isinstance(data, str):
        raise _wrong_type(key, data, "a string")
    pattern = declared.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, data):
        what = f"{_named(key)} is {_shown(data)}" if data.strip() else f"{_named(key)} is blank"
        raise Invalid(key, what, f"Expected: {_doc(declared)}")
    return data


def _items(item: Any, data: object, declared: Field[Any], key: Key) -> tuple[object, ...]:
    if not isinstance(data, list):
        raise _wrong_type(key, data, "a list")
    if len(data) < declared.metadata.get("least", 0):
        raise Invalid(key, f"{_named(key)} is empty", f"Give at least one: {_doc(declared)}")
    items = tuple(_value(item, part, declared, (*key, at)) for at, part in enumerate(data))
    if item is str and len(set(items)) < len(items):
        twice = Counter(items).most_common(1)[0][0]
        raise Invalid(key, f"{_named(key)} lists {_shown(twice)} twice", "Delete one of them.")
    return items


def _table(data: object, key: Key) -> Mapping[str, object]:
    if not isinstance(data, dict):
        raise _wrong_type(key, data, "a table")
    return data


def _wrong_type(key: Key, data: object, expected: str) -> Invalid:
    return Invalid(key, f"{_named(key)} is {_kind(data)}", f"Give {expected}.")


def _kind(data: object) -> str:
    kinds = {str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    kinds |= {list: "a list", dict: "a table"}
    return kinds.get(type(data), "a date or time")


def _shown(data: object) -> str:
    """A value for a message: short texts and numbers as they are, anything else by its kind."""
    if isinstance(data, str):
        return repr(data if len(data) <= _SHOWN else f"{data[:_SHOWN]}...")
    if isinstance(data, bool) or (isinstance(data, int) and abs(data) < 1 << 64):
        return repr(data)
    return repr(data) if isinstance(data, float) else _kind(data)


def _named(key: Key) -> str:
    """The last named part of a key, for messages."""
    return _shown(next(part for part in reversed(key) if isinstance(part, str)))


def _doc(declared: Field[Any]) -> str:
    doc: str = declared.metadata["doc"]
    return doc[:1].lower() + doc[1:]


def table_lines(text: str, name: str) -> list[int]:
    """The 1-based lines of all ``[[name]]`` headers."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]\s*(#.*)?")
    lines = enumerate(text.splitlines(), 1)
    return [number for number, line in lines if header.fullmatch(line)]


def line_of(text: str, key: Key) -> int:
    """The best line for a key, since tomllib has none: its own, else that of its table, else 1."""
    lines = text.splitlines()
    start, end = 0, len(lines)
    names = [part for part in key if isinstance(part, str)]
    if len(key) >= 2 and isinstance(key[1], int):
        headers = table_lines(text, str(key[0]))
        if key[1] >= len(headers):
            return 1
        start = headers[key[1]] - 1
        if key[1] + 1 < len(headers):
            end = headers[key[1] + 1] - 1
        names = names[1:]
    best = start
    for name in names:
        quoted = rf"[\"']?{re.escape(name)}[\"']?"
        own = re.compile(rf"\s*(?:{quoted}\s*[.=]|\[[^\]=]*\b{quoted}\s*\])|.*[{{,]\s*{quoted}\s*=")
        best = next((number for number in range(best, end) if own.match(lines[number])), best)
    return best + 1


def schema_of(kind: type[object], title: str, description: str) -> Schema:
    """The JSON Schema of a format type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        **_table_schema(kind),
    }


def _table_schema(kind: Any) -> Schema:
    properties: Schema = {}
    required = []
    for name, (declared, hint) in fields_of(kind).items():
        properties[name] = _schema(hint, declared) | {"description": declared.metadata["doc"]}
        if _required(declared):
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(hint: Any, declared: Field[Any]) -> Schema:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        options = [_schema(o, declared) for o in get_args(hint) if o is not NoneType]
        return options[0] if len(options) == 1 else {"anyOf": options}
    if hint is str:
        pattern = declared.metadata["pattern"]
        return {"type": "string", "pattern": f"^(?:{pattern})$"} if pattern else {"type": "string"}
    if hint is bool:
        return {"type": "boolean"}
    if hint is int:
        return {"type": "integer", "minimum": 0}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is tuple:
        item = get_args(hint)[0]
        schema: Schema = {"type": "array", "items": _schema(item, declared)}
        if declared.metadata["least"]:
            schema["minItems"] = declared.metadata["least"]
        if item is str:
            schema["uniqueItems"] = True
        return schema
    if is_dataclass(hint):
        return _table_schema(hint)
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^(?:{declared.metadata['pattern']})$"},
        "additionalProperties": _table_schema(get_args(hint)[1]),
    }
