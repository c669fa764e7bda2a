"""Parsing of input: whatever cannot be parsed is a ValueError."""

from __future__ import annotations

import pytest

from condaprune.parse import parse_json, parse_toml


def test_json_is_parsed() -> None:
    assert parse_json(b'{"a": [1, null]}') == {"a": [1, None]}


def test_numbers_are_parsed() -> None:
    assert parse_json("[1.5e300, -1e-999, 12]") == [1.5e300, 0.0, 12]


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"a":' * 200_000, "NaN", "[-Infinity]", "{", "", "1e999", '{"a": -1.0E+400}'],
)
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(text)


def test_toml_is_parsed() -> None:
    assert parse_toml("[a]\nb = 1\n") == {"a": {"b": 1}}


@pytest.mark.parametrize("text", ["a = " + "[" * 200_000, "a = " + "{a=" * 200_000, "a", "[a"])
def test_what_is_not_toml_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_toml(text)
