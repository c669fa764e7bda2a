"""Which files are Python modules, under what names, and which of them are candidates."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from condaprune.errors import SourceError
from condaprune.model import Inventory
from condaprune.paths import parent, printable
from condaprune.sources.base import LONGEST
from condaprune.sources.owners import inner_environments

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_FORMS = {".py": 1, ".pyw": 1, ".so": 2, ".pyd": 2, ".pyc": 0}
_ENDINGS = tuple(_FORMS)
_MOST_FORMS = 100
"""The most files that may be one module: as many versions of Python as a library is built for."""
_PACKAGE = 3
"""Forms of one module, the higher first: the import system takes a package before an extension
module, that before a source, that before a lone bytecode file."""


class Module(NamedTuple):
    """A file as a module: its dotted name, its folder, whether it is a package's ``__init__``.

    A named tuple, since one is made for each module of an environment.
    """

    name: str
    folder: str
    package: bool

    @property
    def home(self) -> str:
        """The package that relative imports in the module start from."""
        return self.name if self.package else self.name.rpartition(".")[0]


class Modules:
    """The modules of an environment, resolved by names as the import system does."""

    def __init__(self, inventory: Inventory, candidates: Collection[str]) -> None:
        layout = inventory.layout
        dynload = [f"{folder}/lib-dynload" for folder in layout.stdlib]
        self.roots = frozenset([*layout.site, *layout.stdlib, *dynload])
        self._packages: dict[str, str | None] = dict.fromkeys(self.roots, "")
        self._stdlib = frozenset(layout.stdlib)
        inner = inner_environments(inventory.entries)
        self.elsewhere = tuple(f"{env}/{lib}" for env in inner for lib in ("lib/python", "Lib/"))
        """How the paths of code start that another environment's Python runs (``envs/NAME``)."""
        self._tops: dict[str, str] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        self.candidates: dict[str, list[str]] = {}
        """Names of modules -> the candidates without which they cannot be imported."""
        self.children: dict[str, list[str]] = {}
        """Names of packages -> the full names of such modules directly in them."""
        self.loose: frozenset[str] = frozenset()
        """Candidates outside every root that are ``.py`` files: of scripts and applications."""
        self._loose_folders: set[str] = set()
        self.tokens: frozenset[str] = frozenset()
        """Words one of which is in any import of such a module by a kept file."""
        self._index(inventory, candidates)

    def package_of(self, folder: str) -> str | None:
        """The dotted name of a folder's package; empty for a root, None for no package."""
        found = self._packages.get(folder, "?")
        if found != "?":
            return found
        above, _, name = folder.rpartition("/")
        package = None
        if above and name != "__pycache__" and _IDENTIFIER.fullmatch(name):
            outer = self.package_of(above)
            if outer is not None:
                package = f"{outer}.{name}" if outer else name
        self._packages[folder] = package
        return package

    def locate(self, path: str) -> Module | None:
        """The module that a file is; None for other files."""
        if not path.endswith(_ENDINGS) or (path.endswith(".pyc") and "__pycache__/" in path):
            return None
        folder, _, name = path.rpartition("/")
        stem, dot, rest = name.partition(".")
        if not dot or "." + rest.rpartition(".")[2] not in _FORMS:
            return None
        if "." in rest and not name.endswith((".so", ".pyd")):
            return None  # a.b.py has no name that could be imported
        package = self._packages.get(folder, "?")
        if package == "?":
            package = self.package_of(folder)
        if package is None or not (
            stem.isidentifier() if stem.isascii() else _IDENTIFIER.fullmatch(stem)
        ):
            return None
        if stem == "__init__":
            return Module(package, folder, True) if package else None
        return Module(f"{package}.{stem}" if package else stem, folder, False)

    def top_folder(self, path: str) -> str:
        """The folder of the top-level package that a file lies in; empty if in none.

        A file directly in a root belongs to the root's own folder.
        """
        above = path.rpartition("/")[0]
        found = self._tops.get(above)
        if found is None:
            topmost = not above or above in self.roots or parent(above) in self.roots
            found = self._tops[above] = above if topmost else self.top_folder(above)
        return found

    def is_needed(self, path: str) -> bool:
        """Whether a candidate is one without which its module cannot be imported."""
        module = self.locate(path)
        return module is not None and path in self.candidates.get(module.name, ())

    @cached_property
    def index(self) -> NameIndex:
        """The names of the candidates, to be found in bytes; made on demand."""
        return NameIndex(self.candidates)

    def needed_for(self, name: str) -> Iterator[tuple[str, str]]:
        """The candidates that importing a dotted name needs, each with its module's name.

        Importing ``a.b.c`` imports ``a`` and ``a.b`` first.
        """
        if len(name) > LONGEST:
            return  # no path is as long
        for prefix in _prefixes(name):
            for path in self.candidates.get(prefix, ()):
                yield path, prefix

    def needed_below(self, package: str) -> tuple[str, ...]:
        """The candidates that importing any module directly in a package needs."""
        if package not in self.candidates:
            return ()
        if package not in self._below:
            listed = chain(*(self.candidates[child] for child in self.children.get(package, ())))
            self._below[package] = (*(path for path, _ in self.needed_for(package)), *listed)
        return self._below[package]

    def needed_beside(self, folder: str, name: str) -> Iterator[tuple[str, str]]:
        """The same for a file that lies under no root: its folder and those above are searched,
        for a relative name only the folder that its dots lead to."""
        if len(name) > LONGEST:
            return
        bare = name.lstrip(".")
        for _ in range(len(name) - len(bare) - 1):
            folder = parent(folder)
        parts = bare.split(".") if bare else []
        if bare != name and f"{folder}/__init__.py" in self.loose:
            yield f"{folder}/__init__.py", parent(folder)
        while True:
            yield from reversed(list(self._loose_at(folder, parts)))
            if not folder or bare != name:
                return
            folder = parent(folder)

    def _loose_at(self, folder: str, parts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The loose modules that a name, given by its *parts*, leads through from a folder."""
        base = folder
        for count, part in enumerate(parts, 1):
            base = f"{base}/{part}" if base else part
            for path in (f"{base}/__init__.py", f"{base}.py"):
                if path in self.loose:
                    yield path, ".".join(parts[:count])
            if base not in self._loose_folders:
                return

    def _index(self, inventory: Inventory, candidates: Collection[str]) -> None:
        forms_of: dict[str, list[tuple[int, str]]] = defaultdict(list)
        loose = set()
        for path in candidates:
            module = self.locate(path)
            if module is not None:
                forms = forms_of[module.name]
                if len(forms) == _MOST_FORMS:
                    raise SourceError(
                        f"more than {_MOST_FORMS} files are one module",
                        where=printable(path),
                        remedy="Repair the environment: Python would load one of them only",
                    )
                forms.append((_rank(path, module), path))
            elif path.endswith(".py") and self.package_of(parent(path)) is None:
                loose.add(path)
        kept: dict[str, int] = {}
        living: set[str] = set()
        if forms_of:
            for path, entry in inventory.entries.items():
                kept_file = entry.kind != "folder" and path not in candidates
                module = self.locate(path) if kept_file else None
                if module is None:
                    continue
                if module.name in forms_of:
                    rank = _rank(path, module)
                    # A lone .pyc is the module only where its source goes.
                    kept[module.name] = max(rank, kept.get(module.name, rank), 1)
                package = module.home
                while package and package not in living:
                    living.add(package)
                    package = package.rpartition(".")[0]
        children: dict[str, list[str]] = defaultdict(list)
        tokens: set[str] = set()
        for name, forms in forms_of.items():
            best = kept.get(name, -1)
            paths = [path for rank, path in forms if rank > best]
            if any(rank == 1 for rank, _ in forms):
                paths = [p for p in paths if not p.endswith(".pyc")]
            if not paths:
                continue
            self.candidates[name] = paths
            children[name.rpartition(".")[0]].append(name)
            # The last word of the outermost package of which nothing is kept.
            outermost = next((p for p in _prefixes(name) if p not in living), name)
            tokens.add(outermost.rpartition(".")[2])
        self.children = dict(children)
        for path in loose:
            above = parent(path)
            while above and above not in self._loose_folders:
                self._loose_folders.add(above)
                above = parent(above)
            folder, _, name = path.rpartition("/")
            stem = name[: -len(".py")]
            tokens.add(folder.rpartition("/")[2] if stem == "__init__" else stem)
        self.loose = frozenset(loose)
        self.tokens = frozenset(token for token in tokens if _IDENTIFIER.fullmatch(token))


def _rank(path: str, module: Module) -> int:
    return _PACKAGE if module.package else _FORMS["." + path.rpartition(".")[2]]


def _prefixes(name: str) -> Iterator[str]:
    """A dotted name and the packages it lies in, the outermost first."""
    at = 0
    while at >= 0:
        at = name.find(".", at + 1)
        yield name if at < 0 else name[:at]


class NameIndex:
    """Dotted names, found as substrings: ``a.b.c`` is looked for only where ``a.b`` occurs."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._below: dict[str, set[str]] = defaultdict(set)
        for name in self._names:
            while name:
                above = name.rpartition(".")[0]
                self._below[above].add(name)
                name = above

    def find(self, data: bytes) -> Iterator[str]:
        """The names that occur in *data*, in no particular order."""
        waiting = list(self._below.get("", ()))
        while waiting:
            name = waiting.pop()
            if name.encode() in data:
                if name in self._names:
                    yield name
                waiting.extend(self._below.get(name, ()))
