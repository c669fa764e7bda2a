"""What a failed command says it misses, and which removed entries that may be."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from condaprune.model import Inventory
from condaprune.names import canonical_name
from condaprune.paths import parent
from condaprune.sources.owners import source_of_bytecode

_TOKEN = r"['\"\u2018`]?([^\s'\"\u2019`:;,()<>]+)"
_QUOTED = r"['\"\u2018`]([^'\"\u2019`\n]+)['\"\u2019`]"
_MODULE = (
    re.compile(r"No module named " + _QUOTED),
    re.compile(r"No module named ([\w.]+)"),
    re.compile(r"ModuleNotFoundError: .*?" + _QUOTED),
)
_FROM = re.compile(
    r"cannot import name ['\"](\w+)['\"] from (?:partially initialized module )?['\"]([\w.]+)['\"]"
)
_ATTRIBUTE = re.compile(r"module ['\"]([\w.]+)['\"] has no attribute ['\"](\w+)['\"]")
_DISTRIBUTION = (
    re.compile(r"No package metadata was found for ([\w.\-]+)"),
    re.compile(r"PackageNotFoundError: ['\"]?([\w.\-]+)"),
    re.compile(r"DistributionNotFound: (?:The )?['\"]?([\w.\-]+)"),
)
_LIBRARY = (
    re.compile(r"([^\s:'\"]+): cannot open shared object file"),
    re.compile(r"could not load (?:library|dynamic library) " + _QUOTED, re.I),
    re.compile(r"([^\s:'\"]+\.so[.\d]*): No such file"),
)
_FILE = (
    re.compile(r"No such file or directory:? " + _QUOTED),
    re.compile(_QUOTED + r":? (?:No such file or directory|does not exist|not found)", re.I),
    re.compile(r"([^\s'\"]+): (?:No such file or directory|not found|command not found)"),
    re.compile(r"(?:cannot open|can't open|unable to open|failed to open) \w*\s*" + _TOKEN, re.I),
)
_ABSOLUTE = re.compile(r"/[^\s'\"<>|:;,()]+")


@dataclass(frozen=True, slots=True)
class Clue:
    """A removed entry that was looked for, and the words that say so."""

    path: str
    because: str


class Removed:
    """The entries that a plan removed, found by what a message calls them."""

    def __init__(self, inventory: Inventory, removed: Iterable[str]) -> None:
        self._inventory = inventory
        self._prefix = inventory.prefix.rstrip("/")
        self._removed = dict.fromkeys(removed)
        self._names: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        entries = inventory.entries
        for path in self._removed:
            if entries[path].kind != "folder":
                self._names.setdefault(path.rpartition("/")[2], []).append(path)

    def by_path(self, text: str, *, inside: bool = False) -> list[str]:
        """Entries by a path as a message has it, or with *inside* by one of the prefix.

        In a message a folder stands for what was in it.
        """
        path = text.rstrip("/")
        if inside:
            path = path.lstrip("/")
            folder = path in self._removed and self._inventory.entries[path].kind == "folder"
            return [path] if path in self._removed and not folder else []
        if path.startswith("/"):
            normal = posixpath.normpath(path)
            if not normal.startswith(self._prefix + "/"):
                return []
            path = normal[len(self._prefix) + 1 :]
        path = posixpath.normpath(path)
        if path in self._removed:
            return self._with_content(path)
        if text.startswith("/"):
            return []
        tail = path.lstrip("./")
        name = tail.rpartition("/")[2]
        return [p for p in self._names.get(name, ()) if p == tail or p.endswith("/" + tail)]

    def by_library(self, text: str) -> list[str]:
        """Libraries by name or path."""
        name = text.rpartition("/")[2]
        return self.by_path(text) or self._names.get(name, [])

    def by_module(self, name: str) -> list[str]:
        """The files of a module, or all of a package's folder where that is gone with its
        ``__init__``; for a missing sub-module the nearest package that is gone."""
        parts = [part for part in name.split(".") if part]
        for count in range(1, len(parts) + 1):
            found = self._module("/".join(parts[:count]))
            if found:
                return found
        return []

    def _module(self, stem: str) -> list[str]:
        homes = (*self._inventory.layout.site, *self._inventory.layout.stdlib)
        homes += tuple(f"{home}/lib-dynload" for home in self._inventory.layout.stdlib)
        found = []
        for home in homes:
            start = f"{home}/{stem}"
            name = start.rpartition("/")[2]
            found += self._with_content(start) if start in self._removed else []
            if f"{start}/__init__.py" in self._removed:
                found += [f"{start}/__init__.py"]
            for path in self._siblings(parent(start)):
                base = path.rpartition("/")[2]
                if base.startswith(name + ".") and base.endswith((".py", ".so", ".pyd", ".pyc")):
                    found.append(path)
        return list(dict.fromkeys(found))

    def by_distribution(self, name: str) -> list[str]:
        """What is gone of the metadata of a Python distribution."""
        wanted = canonical_name(name)
        found = []
        for distribution in self._inventory.distributions:
            if distribution.name == wanted:
                found += self._with_content(distribution.path)
        return found

    def is_spare(self, path: str) -> bool:
        """Whether an entry is bytecode whose source is still there: it is looked for first, and
        not needed."""
        if not path.endswith(".pyc"):
            return False
        source = source_of_bytecode(path)
        return source in self._inventory.entries and source not in self._removed

    def _with_content(self, path: str) -> list[str]:
        entries = self._inventory.entries
        if path in entries and entries[path].kind != "folder":
            return [path] if path in self._removed else []
        return [
            p for p in self._removed if p.startswith(path + "/") and entries[p].kind != "folder"
        ]

    def _siblings(self, folder: str) -> list[str]:
        if not self._below:
            for path in self._removed:
                self._below.setdefault(parent(path), []).append(path)
        return self._below.get(folder, [])


def read_output(output: str, removed: Removed) -> list[Clue]:
    """The removed entries that the output of a command names, the most direct clue first."""
    found: dict[str, Clue] = {}
    for paths, because in _claims(output, removed):
        for path in paths:
            found.setdefault(path, Clue(path, because))
    return list(found.values())


def _claims(output: str, removed: Removed) -> Iterator[tuple[list[str], str]]:
    lines = [line.strip() for line in output.splitlines()]
    lines.reverse()  # the last error is the one that counts
    for line in lines:
        for pattern in _MODULE:
            for match in pattern.finditer(line):
                yield removed.by_module(match[1]), line
        for match in _FROM.finditer(line):
            yield removed.by_module(f"{match[2]}.{match[1]}"), line
        for match in _ATTRIBUTE.finditer(line):
            yield removed.by_module(f"{match[1]}.{match[2]}"), line
        for pattern in _DISTRIBUTION:
            for match in pattern.finditer(line):
                yield removed.by_distribution(match[1]), line
        for pattern in _LIBRARY:
            for match in pattern.finditer(line):
                yield removed.by_library(match[1]), line
        for pattern in _FILE:
            for match in pattern.finditer(line):
                yield removed.by_path(match[1]), line
    for line in lines:
        for match in _ABSOLUTE.finditer(line):
            yield removed.by_path(match[0]), line


def read_misses(misses: Mapping[str, str], removed: Removed) -> list[Clue]:
    """The removed entries among paths (relative to the prefix) that were looked for in vain."""
    found: dict[str, Clue] = {}
    for missed, because in misses.items():
        for path in removed.by_path(f"/{missed}", inside=True):
            if removed.is_spare(path):
                continue
            found.setdefault(path, Clue(path, because))
    return list(found.values())
