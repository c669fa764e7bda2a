"""The built-in rules as Python keeps its own sources: compiled once, in ``__pycache__``.

Reading and checking some seventy TOML files costs several times what matching them does. So what
was read is kept beside the bytecode, as `pickle` (it lies where bytecode lies, and is trusted as
much), and used while no rule file and no code that reads them has changed. Where it cannot be
written the rules are read each time.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_HERE = os.path.dirname(__file__)
_CODE = tuple(
    os.path.join(_HERE, f"{name}.py")
    for name in ("../model", "builtin", "format", "load", "patterns", "retired")
)


def compiled(folder: str, kind: type[T], make: Callable[[], T]) -> T:
    """What *make* gives for the rule files in *folder*, from the cache where that is fresh."""
    stamp = _stamp(folder)
    if not stamp or sys.pycache_prefix:
        return make()
    path = os.path.join(_HERE, "__pycache__", f"rules.{sys.implementation.cache_tag}.pickle")
    # Whatever is wrong with the cache (cut short, of another version), the files are right.
    with contextlib.suppress(Exception), open(path, "rb") as handle:
        known, found = pickle.load(handle)
        if known == stamp and isinstance(found, kind):
            return found
    made = make()
    if not sys.dont_write_bytecode:
        temporary = f"{path}.{os.getpid()}"
        with contextlib.suppress(OSError):
            with open(temporary, "wb") as handle:
                pickle.dump((stamp, made), handle)
            os.replace(temporary, path)
    return made


def _stamp(folder: str) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of all that the result depends on; empty where it cannot be told."""
    found = []
    try:
        for path in _CODE:
            info = os.stat(path)
            found.append((path, info.st_mtime_ns, info.st_size))
        pending = [folder]
        while pending:
            with os.scandir(pending.pop()) as listing:
                for item in listing:
                    if item.is_dir():
                        pending.append(item.path)
                    elif item.name.endswith(".toml"):
                        info = item.stat()
                        found.append((item.path, info.st_mtime_ns, info.st_size))
    except OSError:
        return ()
    return tuple(sorted(found))
