"""Runs inside the environment (or, if it cannot run, here): what importlib.metadata says.

Usage: ``python -I -B probe_metadata.py``. Works with Python 3.8 and later. Each line written is an
ASCII literal: ``(metadata folder, name, version, [(group, name, value)...], [requires...],
[top-level name...])``.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Callable
    from typing import Any

    Row = tuple[str, str, str, list[tuple[str, str, str]], list[str], list[str]]


def _safely(read: "Callable[[], Any]", default: "Any") -> "Any":
    try:
        return read()
    except Exception:
        return default


def _row(found: "importlib.metadata.Distribution") -> "Row":
    home = str(getattr(found, "_path", ""))
    name = _safely(lambda: found.metadata["Name"], None) or ""
    version = _safely(lambda: found.version, None) or ""
    points = _safely(lambda: sorted({(e.group, e.name, e.value) for e in found.entry_points}), [])
    requires = _safely(lambda: list(found.requires or ()), [])
    top = _safely(lambda: found.read_text("top_level.txt"), None) or ""
    return (home, str(name), str(version), points, requires, str(top).split())


def describe(folders: "list[str]") -> "list[Row]":
    """One row for each distribution in *folders*, in the order of importlib.metadata."""
    import importlib.metadata

    return [_row(found) for found in importlib.metadata.distributions(path=folders)]


if __name__ == "__main__":
    for row in describe(sys.path):
        os.write(1, (ascii(row) + "\n").encode("ascii"))
