"""Imports that are seen and do not count, each with its reason: data, to be kept small.

They are of the standard library, where it imports a part of itself that every minimal Python
leaves out, for a use that the rules announce in their ``breaks``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announced:
    """A file (the end of its path), the module it imports (or one below), and why it may.

    The module ``*`` stands for all.
    """

    importer: str
    module: str
    reason: str


ANNOUNCED = (
    Announced(
        "/distutils/util.py",
        "lib2to3",
        "run_2to3 converts Python 2 sources while a package is built; gone from Python 3.12",
    ),
    Announced(
        "/distutils/command/build_py.py",
        "lib2to3",
        "build_py_2to3 converts Python 2 sources while a package is built; gone from Python 3.12",
    ),
    Announced(
        "/_compat_pickle.py",
        "*",
        "the modules that moved in Python 3, for pickles of Python 2: a table, not an import",
    ),
    Announced(
        "/unittest/__main__.py",
        "test",
        "the regression tests of Python itself",
    ),
    Announced(
        "/pydoc.py",
        "test",
        "pydoc leaves the regression tests out of its lists",
    ),
)


def announced(importer: str, text: str) -> bool:
    """Whether an import (``imports a.b``) in a file is one of those above."""
    name = text.rpartition(" ")[2]
    return any(
        importer.endswith(item.importer)
        and (item.module in ("*", name) or name.startswith(item.module + "."))
        for item in ANNOUNCED
    )
