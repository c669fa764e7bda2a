"""Which data files among the candidates are named by kept code: in full, or by their suffix.

The evidence is a string in a kept file of the same distribution (for shared libraries: of any). A
literal that is only a suffix (``name + ".json"``, ``f"{name}.csv"``, ``"*.yaml"``) keeps all data
of that suffix in the same top-level package, except that of tests and documentation, and data whose
name or folder a rule for the package spells, since that rule knows better.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from condaprune.evidence.modules import Modules
from condaprune.evidence.prefilter import Word, find_all
from condaprune.evidence.removal import Removal
from condaprune.model import Distribution, Inventory
from condaprune.paths import is_library, to_bytes

_CODE = frozenset({"py", "pyw", "pyc", "pyo", "so", "pyd"})
_SOURCE = frozenset({"h", "hpp", "hxx", "cuh", "c", "cc", "cpp", "cxx", "pyx", "pxd", "pxi", "a"})
_LAUNCHER = frozenset({"exe", "dll", "bat", "cmd", "ps1"})
_ASIDE = frozenset({"tests", "test", "testing", "_testing", "docs", "doc", "examples", "example"})
_SUFFIX = re.compile(r"[A-Za-z0-9_+-]{1,12}")
_QUOTES = (b'"', b"'")
_BUILDS = re.compile(rb"\b(?:distutils|setuptools)\b")
_RESOURCES = rb"""files\([ \t\n]*["']([\w.]+)["'][ \t\n]*[,)]"""
"""importlib.resources opens the files of a package, which may be a folder without modules."""
_LONGEST = 200
_MAX_WORDS = 400
_KEY = "data:"
_FILES = "data:files("


class DataNames:
    """The data files among the candidates, by the names that code may have for them."""

    def __init__(
        self, inventory: Inventory, candidates: Mapping[str, Removal], modules: Modules
    ) -> None:
        self._modules = modules
        self._owners = inventory.owners
        self._named: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._suffixed: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._libraries: dict[str, list[str]] = defaultdict(list)
        self._found: dict[tuple[object, ...], tuple[str, ...]] = {}
        self._folders: set[str] = set()
        self._tops: dict[str, set[str]] = defaultdict(set)
        self._endings: set[str] = set()
        suffixes: set[str] = set()
        bare: set[str] = set()
        for path, removal in candidates.items():
            name = path.rpartition("/")[2]
            if is_library(path):
                self._libraries[name].append(path)
                self._endings.add(name.rpartition(".")[2])
                continue
            suffix = name.rpartition(".")[2] if "." in name else ""
            code = suffix in _CODE or "-info/" in path
            top = "" if code else modules.top_folder(path)
            if not top:
                continue
            if top not in self._folders:
                self._folders.add(top)
                self._tops[self._distribution(path)].add(top)
            self._named[top, name].append(path)
            if _SUFFIX.fullmatch(suffix):
                suffixes.add(suffix)
                swept = suffix not in _SOURCE | _LAUNCHER and not aside(path, top)
                if suffix == "po" and f"{path[:-2]}mo" in inventory.entries:
                    swept = False  # programs read the catalogue that was compiled of it
                if swept and not removal.names_file(path):
                    self._suffixed[top, suffix].append(path)
            elif not suffix and "/" in path:
                bare.add(name)
        self._suffixes = sorted(suffixes | self._endings)[:_MAX_WORDS]
        self._bare = sorted(bare)[:_MAX_WORDS]

    def words(self) -> Iterator[Word]:
        """The words without which a file cannot hold such a literal."""
        for quote in "\"'":
            for suffix in self._suffixes:
                yield Word(_KEY + suffix, to_bytes(f".{suffix}{quote}"))
            for name in self._bare:
                yield Word(f"{_KEY}/{name}", to_bytes(f"{quote}{name}{quote}"))
            if self._folders:
                yield Word(_FILES, to_bytes(f"files({quote}"))
                yield Word(_FILES, b"files(\n")

    def evidence(
        self, path: str, data: bytes, matched: frozenset[str]
    ) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        """Offset, literal and the candidates that it may mean, for the code of one file."""
        file = path.rpartition("/")[2]
        if file.startswith("_sysconfigdata") or (file == "setup.py" and _BUILDS.search(data)):
            return  # how Python or the package was built: it names files and opens none
        keys = [key for key in matched if key.startswith(_KEY)]
        tops = self._tops_of(path) if keys else ()
        known = bool(tops)
        if not known and not self._libraries:
            return
        seen: set[str] = set()
        if _FILES in matched:
            yield from self._resources(path, data)
        for key in keys:
            if key == _FILES:
                continue
            word = key[len(_KEY) :]
            if not known and word not in self._endings:
                continue
            if word.startswith("/"):
                name = word[1:]
                if targets := self._named_by(path, name, tops, name):
                    yield max(data.find(to_bytes(f"{q}{name}{q}")) for q in "\"'"), name, targets
                continue
            for at, literal in _literals(data, to_bytes("." + word)):
                if literal in seen:
                    continue
                seen.add(literal)
                if targets := self._targets(path, tops, literal, word):
                    yield at, literal, targets

    def _resources(self, path: str, data: bytes) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        """The data in folders that a file opens as packages, by any name."""
        for at in find_all(data, b"files("):
            match = re.compile(_RESOURCES).match(data, at)
            if match is None:
                continue
            name = match[1].decode()
            key = (name, self._modules.top_folder(path), _parts_of(path))
            if "." in name and key not in self._found:
                ends = tuple(f"{root}/{name.replace('.', '/')}/" for root in self._modules.roots)
                below = [p for p in chain(*self._named.values()) if p.startswith(ends)]
                self._once(key, self._nearby(path, ends[0], below))
            if targets := self._found.get(key):
                yield at, name, targets

    def _tops_of(self, path: str) -> tuple[str, ...]:
        """The top-level packages of a file's distribution that lose data, the file's own first."""
        top = self._modules.top_folder(path)
        own = (top,) if top in self._folders else ()
        name = self._distribution(path)
        return (*own, *sorted(self._tops.get(name, set()) - {top})) if name else own

    def _distribution(self, path: str) -> str:
        owners = self._owners.get(path, ())
        return next((owner.path for owner in owners if isinstance(owner, Distribution)), "")

    def _whole(self, tops: Sequence[str], name: str) -> Sequence[str]:
        """The candidates in some packages that have a name."""
        if len(tops) == 1:
            return self._named.get((tops[0], name), ())
        return list(chain.from_iterable(self._named.get((top, name), ()) for top in tops))

    def _targets(
        self, path: str, tops: Sequence[str], literal: str, suffix: str
    ) -> tuple[str, ...]:
        name = literal.rpartition("/")[2]
        if name in self._libraries:
            return self._once((name,), self._libraries[name])
        stem = name[: -len(suffix) - 1]
        if not stem or stem[-1] in "*}" or stem.endswith(("%s", "%d", "%r")):
            top = self._modules.top_folder(path)
            return self._once((top, suffix), self._suffixed.get((top, suffix), ()))
        return self._named_by(path, literal, tops, name)

    def _named_by(self, path: str, literal: str, tops: Sequence[str], name: str) -> tuple[str, ...]:
        """The data of a name that a literal of a file means."""
        called = frozenset(part for part in _ASIDE if f"{part}/" in literal)
        key = (self._modules.top_folder(path), _parts_of(path), called, tops, name)
        if key not in self._found:
            return self._once(key, self._nearby(path, literal, self._whole(tops, name)))
        return self._found[key]

    def _once(self, key: tuple[object, ...], targets: Iterable[str]) -> tuple[str, ...]:
        """The same tuple of *targets* for all code that names them in the same way: there may be
        thousands of both."""
        if key not in self._found:
            self._found[key] = tuple(targets)
        return self._found[key]

    def _nearby(self, path: str, literal: str, targets: Iterable[str]) -> tuple[str, ...]:
        """Leave out data of tests that the code does not lie beside or call by its folder."""
        top = self._modules.top_folder(path)
        found = []
        for target in targets:
            home = self._modules.top_folder(target)
            part = aside(target, home)
            beside = home == top and f"/{part}/" in f"/{path}"
            if not part or beside or f"{part}/" in literal:
                found.append(target)
        return tuple(found)


def _parts_of(path: str) -> frozenset[str]:
    """The folders of tests or documentation that a file lies in, at any depth."""
    return frozenset(part for part in _ASIDE if f"/{part}/" in f"/{path}")


def aside(path: str, top: str) -> str:
    """The folder of tests or documentation that a file lies in; empty if in none."""
    return next((part for part in path[len(top) :].split("/")[:-1] if part in _ASIDE), "")


def _literals(data: bytes, suffix: bytes) -> Iterator[tuple[int, str]]:
    """Offset and text of the string literals that end with a suffix, as far as one line goes."""
    found = []
    for quote in _QUOTES:
        for at in find_all(data, suffix + quote):
            floor = max(data.rfind(b"\n", 0, at) + 1, at - _LONGEST)
            start = data.rfind(quote, floor, at)
            if start >= 0:
                text = data[start + 1 : at + len(suffix)]
                found.append((start, text.decode("utf-8", "replace")))
    yield from sorted(found)
