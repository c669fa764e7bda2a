"""Parsed TOML read into the types of `condaprune.ruleset.format`, strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from condaprune.errors import nearest

Key = tuple[str | int, ...]
"""Where in a document something stands, such as ``("rule", 3, "when", "python")``."""

T = TypeVar("T")


class Invalid(Exception):
    """Something in a document is not as the format wants it."""

    def __init__(self, key: Key, what: str, remedy: str) -> None:
        super().__init__(what)
        self.key = key
        self.what = what
        self.remedy = remedy


def read(kind: type[T], data: Mapping[str, object], key: Key = ()) -> T:
    """An instance of a format type from a TOML table. Errors: `Invalid`."""
    known = fields_of(kind)  # type: ignore[arg-type]
    for name in data:
        if name not in known:
            raise Invalid((*key, name), f"unknown key {name!r}", nearest(name, list(known)))
    values: dict[str, object] = {}
    for name, (declared, hint) in known.items():
        if name in data:
            values[name] = _value(hint, data[name], declared, (*key, name))
        elif declared.default is MISSING and declared.default_factory is MISSING:
            doc = declared.metadata["doc"]
            raise Invalid(key, f"{name!r} is missing", f"Add {name!r}: {_lower(doc)}")
    return kind(**values)


@cache
def fields_of(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    """The fields of a format type with their resolved types."""
    hints = get_type_hints(kind)
    return {declared.name: (declared, hints[declared.name]) for declared in fields(kind)}


def _value(hint: Any, data: object, declared: Field[Any], key: Key) -> object:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not NoneType]
        if isinstance(data, str) and str in options:
            return _value(str, data, declared, key)
        return _value(next(o for o in options if o is not str), data, declared, key)
    if hint is str:
        return _string(data, declared, key)
    if hint is bool:
        if not isinstance(data, bool):
            raise _wrong(key, data, "true or false")
        return data
    if origin is Literal:
        choices = get_args(hint)
        if data not in choices:
            remedy = nearest(data, choices) if isinstance(data, str) else _one_of(choices)
            raise Invalid(key, f"{_named(key)} is {data!r}", remedy)
        return data
    if origin is tuple:
        return _items(get_args(hint)[0], data, declared, key)
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return read(hint, _table(data, key), key)
    item = get_args(hint)[1]
    found = {}
    for name, value in _table(data, key).items():
        _string(name, declared, (*key, name))
        found[name] = read(item, _table(value, (*key, name)), (*key, name))
    return found


def _string(data: object, declared: Field[Any], key: Key) -> str:
    if not isinstance(data, str):
        raise _wrong(key, data, "a string")
    pattern = declared.metadata["pattern"]
    if pattern and not re.fullmatch(pattern, data):
        what = f"{_named(key)} is {data!r}" if data.strip() else f"{_named(key)} is blank"
        doc = declared.metadata["doc"]
        raise Invalid(key, what, f"Expected: {_lower(doc)}")
    return data


def _items(item: Any, data: object, declared: Field[Any], key: Key) -> tuple[object, ...]:
    if not isinstance(data, list):
        raise _wrong(key, data, "a list")
    if len(data) < declared.metadata["least"]:
        doc = declared.metadata["doc"]
        raise Invalid(key, f"{_named(key)} is empty", f"Give at least one: {_lower(doc)}")
    found = tuple(_value(item, part, declared, (*key, at)) for at, part in enumerate(data))
    if item is str and len(set(found)) < len(found):
        twice = next(part for part in found if found.count(part) > 1)
        raise Invalid(key, f"{_named(key)} lists {twice!r} twice", "Drop one of them.")
    return found


def _table(data: object, key: Key) -> Mapping[str, object]:
    if not isinstance(data, dict):
        raise _wrong(key, data, "a table")
    return data


def _wrong(key: Key, data: object, wanted: str) -> Invalid:
    kinds = {str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    kinds |= {list: "a list", dict: "a table"}
    given = kinds.get(type(data), "a date or time")
    return Invalid(key, f"{_named(key)} is {given}", f"Give {wanted}.")


def _named(key: Key) -> str:
    """The last named part of a key, for messages."""
    names = [part for part in key if isinstance(part, str)]
    return repr(names[-1])


def _one_of(choices: tuple[object, ...]) -> str:
    return "Known: " + ", ".join(map(str, choices))


def _lower(doc: str) -> str:
    return doc[:1].lower() + doc[1:]
