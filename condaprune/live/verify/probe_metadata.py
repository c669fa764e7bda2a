"""Runs inside the environment (or, if it cannot run, here): what importlib.metadata says.

Usage: ``python -I -B probe_metadata.py [FOLDER...]``; without folders the interpreter's own
search path counts. Works with Python 3.8 and later. Each line written is an ASCII literal:
``(metadata folder, name, version, [(group, name, value)...], [requires...], top_level)``.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Callable
    from typing import Any


def _safely(read: "Callable[[], Any]", default: "Any") -> "Any":
    try:
        return read()
    except Exception:
        return default


def _row(found: "importlib.metadata.Distribution") -> "tuple[object, ...]":
    home = str(getattr(found, "_path", ""))
    name = _safely(lambda: found.metadata["Name"], None) or ""
    version = _safely(lambda: found.version, None) or ""
    points = _safely(lambda: sorted({(e.group, e.name, e.value) for e in found.entry_points}), [])
    requires = _safely(lambda: list(found.requires or ()), [])
    top = _safely(lambda: found.read_text("top_level.txt"), None) or ""
    return (home, str(name), str(version), points, requires, top)


def describe(folders: "list[str]") -> "list[tuple[object, ...]]":
    """One row for each distribution found in *folders*, in the order they are found."""
    import importlib.metadata

    return [_row(found) for found in importlib.metadata.distributions(path=folders)]


if __name__ == "__main__":
    for row in describe(sys.argv[1:] or sys.path):
        os.write(1, (ascii(row) + "\n").encode("ascii"))
