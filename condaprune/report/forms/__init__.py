"""The forms an audit and a comparison are shown in; a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import Audit

# name -> module below this package, with `audit_text` and, but for ncdu, `comparison_text`
FORMATS: dict[str, str] = {
    "text": "text",
    "json": "document",
    "csv": "spreadsheet",
    "md": "markdown",
    "ncdu": "ncdu",
    "html": "page",
    "github": "github",
}


@dataclass(frozen=True, slots=True)
class Show:
    """What to show: the views, how many rows of each (0: all), the terminal's width in columns.

    `files` asks for every file where a format can hold them; `ascii` for bars of plain ASCII.
    """

    by: tuple[str, ...] = ()
    top: int = 20
    width: int = 80
    files: bool = False
    ascii: bool = False


def audit_format(name: str) -> Callable[[Audit, Show], str]:
    """The function that renders an audit in a format of `FORMATS`."""
    return _checked(import_module(f"{__name__}.{FORMATS[name]}").audit_text)


def comparison_format(name: str) -> Callable[[Comparison, Show], str] | None:
    """The function that renders a comparison; None where a format cannot hold one."""
    found = getattr(import_module(f"{__name__}.{FORMATS[name]}"), "comparison_text", None)
    return found if found is None else _checked(found)


def _checked(found: Callable[..., str]) -> Callable[..., str]:
    return found
