"""The files in ``data``: tables as TOML, and the parts of the HTML page."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from condaprune.parse import parse_toml


def text(name: str) -> str:
    """The text of a file."""
    return files("condaprune.report").joinpath("data").joinpath(name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """The table in a TOML file."""
    return parse_toml(text(name))
