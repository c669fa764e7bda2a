"""The kind of content of a file, decided by its path alone; every entry has one category."""

from __future__ import annotations

import re

from condaprune.model import Kind
from condaprune.paths import parent
from condaprune.report.resources import table

_TABLE = table("categories.toml")


def _by_word(key: str) -> dict[str, str]:
    """The categories by the words that their tables list under a key."""
    return {word: name for name, row in _TABLE.items() for word in row.get(key, "").split()}


CATEGORIES: dict[str, str] = {name: row["holds"] for name, row in _TABLE.items()}
"""What each category holds, in the order of the colours on the HTML page."""

_FOLDERS = _by_word("folders")
_ANYWHERE = _by_word("anywhere")
_SUFFIXES = _by_word("suffixes")
_WHOLE = frozenset(name for name, row in _TABLE.items() if row.get("whole"))
_MAPPED = (".js", ".css", ".mjs", ".ts")
_DATA = ("share/", "etc/", "Library/share/", "Library/etc/")
_DEEPEST = 2048  # levels of folders: more than a path of Linux can have
_NUMBERED_LIBRARY = re.compile(r"\.so\.[0-9]")


class Categories:
    """Classifies entries; remembers the category of each folder."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {"": ""}

    def of(self, path: str, kind: Kind) -> str:
        """The category of an entry, one of `CATEGORIES`."""
        if kind == "folder":
            return "folders"
        head, _, name = path.rpartition("/")
        folder = self._folder(head)
        if folder in _WHOLE:
            return folder
        stem, dot, suffix = name.rpartition(".")
        category = _SUFFIXES.get(suffix.lower(), "") if dot and stem else ""
        if category == "source-maps" and not stem.endswith(_MAPPED):
            category = ""
        if not category and ".so." in name and _NUMBERED_LIBRARY.search(name):
            category = "shared-libraries"
        if folder == "executables" and category not in ("shared-libraries", "bytecode"):
            return "executables"
        if folder == "headers":
            return "headers"
        return category or folder or ("data" if path.startswith(_DATA) else "other")

    def _folder(self, path: str) -> str:
        known = self._folders.get(path)
        if known is not None:
            return known
        missing = ["/".join(path.split("/", _DEEPEST)[:_DEEPEST])]
        while missing[-1] not in self._folders:
            missing.append(parent(missing[-1]))
        for folder in reversed(missing[:-1]):
            self._folders[folder] = _below(self._folders[parent(folder)], folder)
        return self._folders[missing[0]]


def _below(above: str, path: str) -> str:
    """The category of a folder in a folder of the category *above*."""
    name = path.rpartition("/")[2]
    if above in _WHOLE:
        return above
    if name.endswith((".dist-info", ".egg-info")):
        return "python-metadata"
    if name.endswith(".dSYM"):
        return "debug-info"
    return _FOLDERS.get(path) or _ANYWHERE.get(name) or above
