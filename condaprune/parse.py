"""JSON and TOML from anywhere: what cannot be parsed is a `ValueError`, however deep or odd it is.

Everything parsed here is input, our own files included. The result is `object`: who reads it checks
each type.
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import NoReturn

_MOST_PARTS = 50
_SHOWN = 20
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*"""
"""A part of a dotted key, with its dot."""


def parse_json(data: str | bytes) -> object:
    """The value of a JSON text, which can be written as JSON again. Errors: `ValueError`, also for
    NaN, Infinity, numbers that would become one, and nesting that is deeper than the interpreter's
    stack."""
    try:
        value: object = json.loads(data, parse_float=_finite, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def parse_toml(text: str) -> dict[str, object]:
    """The tables of a TOML text. Errors: `ValueError` (tomllib's own says line and column)."""
    # For each key, tomllib takes time by the square of the number of its parts.
    for key in re.finditer(rf"(?<![\w-])(?:{_PART})+", text):
        if len(re.findall(_PART, key[0])) >= _MOST_PARTS:
            raise ValueError(f"a key has more than {_MOST_PARTS} parts")
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]
    try:
        tables: dict[str, object] = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return tables


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"a number is too large: {digits[:_SHOWN]}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
