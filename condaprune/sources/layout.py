"""Where things lie in an environment, read off its entries and records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from condaprune.model import Entry, Layout, Platform, Record
from condaprune.paths import parent

_INNER = re.compile(r"(envs/[^/]+)/conda-meta/history")
_PYTHON_FOLDER = re.compile(r"lib/(?:python|pypy)(\d+\.\d+)t?")


def find_layout(entries: Mapping[str, Entry], records: Iterable[Record]) -> Layout:
    """The platform, Python version and named roots of an environment.

    Only real folders count as Python folders: several environments hold a link
    ``lib/python3.1 -> python3.10`` that would count everything twice.
    """
    records = tuple(records)
    platform = _platform(entries, records)
    versions: dict[str, str] = {}
    if platform == "win":
        if "Lib/os.py" in entries or "Lib/site-packages" in entries:
            versions["Lib"] = ""
        roots = {
            "bin": _folders(entries, "Scripts", "Library/bin"),
            "include": _folders(entries, "include", "Library/include"),
            "lib": _folders(entries, "libs", "Library/lib"),
            "share": _folders(entries, "share", "Library/share"),
        }
    else:
        marks = [path for path in entries if path.endswith(("/os.py", "/site-packages"))]
        for path in dict.fromkeys(map(parent, marks)):
            match = _PYTHON_FOLDER.fullmatch(path)
            if match and path in entries and entries[path].kind == "folder":
                versions[path] = match[1]
        roots = {name: _folders(entries, name) for name in ("bin", "include", "lib", "share")}
    roots["stdlib"] = tuple(versions)
    roots["site"] = tuple(
        f"{folder}/site-packages" for folder in versions if f"{folder}/site-packages" in entries
    )
    python = next((r.version for r in records if r.name in ("python", "pypy")), "")
    return Layout(platform, python or next(iter(versions.values()), ""), roots)


def inner_environments(entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """The folders of the environments inside a base environment (``envs/NAME``)."""
    if "envs" not in entries:
        return ()
    return tuple(match[1] for match in map(_INNER.fullmatch, entries) if match)


def _folders(entries: Mapping[str, Entry], *paths: str) -> tuple[str, ...]:
    return tuple(p for p in paths if p in entries and entries[p].kind == "folder")


def _platform(entries: Mapping[str, Entry], records: Iterable[Record]) -> Platform:
    for record in records:
        if record.subdir.startswith("linux-"):
            return "linux"
        if record.subdir.startswith("osx-"):
            return "osx"
        if record.subdir.startswith("win-"):
            return "win"
    if "python.exe" in entries or ("Lib" in entries and "Scripts" in entries):
        return "win"
    if any(p.startswith("lib/") for p in [p for p in entries if p.endswith(".dylib")]):
        return "osx"
    return "linux"
