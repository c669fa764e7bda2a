"""The files in ``data``: tables as TOML, and the parts of the HTML page."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]


def text(name: str) -> str:
    """The text of a file."""
    return files("condaprune.report").joinpath("data").joinpath(name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """The table in a TOML file."""
    parsed: dict[str, Any] = tomllib.loads(text(name))
    return parsed
