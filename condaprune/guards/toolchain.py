"""Headers, static libraries and compilers stay where kept packages compile at run time.

Three kinds of evidence: a table of packages (`compilers`), each with what it needs; code that
builds extensions or calls a compiler, in a package that brings headers of its own; and a shared
library with a C compiler in it. A rule that is limited to the package knows better and is let
through.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from condaprune.evidence.compilers import (
    COMPILERS,
    COMPILING,
    HEADER_ENDINGS,
    PYTHON_HEADERS,
    SOURCE_ENDINGS,
    STATIC_ENDINGS,
    Compiler,
)
from condaprune.evidence.datanames import aside
from condaprune.evidence.prefilter import Word
from condaprune.evidence.scene import Guard, Scene
from condaprune.formats.elf import LEAST_COMPILER
from condaprune.guards.elf import is_shared
from condaprune.model import Inventory, Veto
from condaprune.names import canonical_name

_TOOL = re.compile(f"{PYTHON_HEADERS.pattern}|{COMPILERS.pattern}")
_OWN = (*HEADER_ENDINGS, *SOURCE_ENDINGS)
_PYTHON = (".py", ".pyc", ".pyi")
_NEVER = (".py", ".pyc", ".pyi", ".so", ".txt", ".json", ".md", ".rst", ".html", ".js")
_C = (PYTHON_HEADERS, COMPILERS)

_BUILDS = "an extension's build"
_CALLS = "a compiler"
_COMMAND = "the command build_ext"
_RUN = re.compile(rb"\bbuild_ext\b(?!\s+-)|\bos\.system\(|\bshell\s*=\s*True")
"""What tells the command from a message that names it (``Run setup.py build_ext --inplace``)."""
WORDS = (
    Word("ffi.verify", b"ffi.verify("),
    Word("ffi.compile", b"ffibuilder.compile("),
    Word("ffi.compile", b"ffi.compile("),
    Word("pyximport", b"pyximport.install("),
    Word("load_inline", b"cpp_extension.load"),
    *(
        Word(_CALLS, quote + name + quote)
        for name in (b"gcc", b"g++", b"cc", b"c++", b"clang", b"clang++", b"nvcc", b"cmake")
        for quote in (b'"', b"'")
    ),
    Word(_COMMAND, b"build_ext", whole=True, line=_RUN),
    Word(_BUILDS, b"Python.h"),
    Word(_BUILDS, b"INCLUDEPY"),
    Word(_BUILDS, b'get_path("include")'),
    Word(_BUILDS, b"get_path('include')"),
    Word(_BUILDS, b'get_paths()["include"]'),
    Word(_BUILDS, b"get_paths()['include']"),
)
"""Calls that compile while a program runs; they count outside the package that defines them.
Those of the last three keys count for the headers that lie in the same package."""

_BUILDING = frozenset({_BUILDS, _COMMAND})
_VERIFY = frozenset(word.key for word in WORDS) - _BUILDING - {_CALLS}
_OFFSTAGE = re.compile(
    r"(?:^|/)(?:setup|[\w]*build[\w]*|conftest)\.py$|/(?:cffi|Cython|pyximport)/"
)
_UNUSED = re.compile(
    r"(?:^|/)(?:setup|conftest|__config__)\.py$|/(?:tests?|testing|docs?|examples?|benchmarks?)/"
    r"|/numpy/(?:distutils|f2py)/|/setuptools/"
)
"""Where code of a package that builds or names a compiler does so for others, or not at all."""

_BIG = LEAST_COMPILER
"""Bytes: no library with a compiler of C in it is smaller."""


class Toolchain(Guard):
    """Rescues what kept packages compile with."""

    name = "toolchain"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._doomed = [
            path
            for path in scene.candidates
            if not path.endswith(_PYTHON) and _serves(path) and self.entries[path].kind != "folder"
        ]
        self._waiting = {item.package: item for item in COMPILING} if self._doomed else {}
        self._folders: dict[str, Compiler] = {}
        for site in scene.inventory.layout.site:
            for item in self._waiting.values():
                if item.folder:
                    self._folders[f"{site}/{item.folder}"] = item
        self._compiles = False
        self._beside: dict[str, list[str]] = defaultdict(list)
        for target in self._doomed:
            top = scene.modules.top_folder(target)
            if top and _own(target) and not aside(target, top) and not self._scoped(target):
                self._beside[top].append(target)
        self._python = bool(self._doomed)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._doomed:
            return
        owners, facts = self.scene.inventory.owners, self.scene.facts
        for path in batch:
            if self._waiting and (path.endswith((".py", ".so", ".h", ".hpp")) or "bin/" in path):
                for owner in owners.get(path, ()):
                    item = self._waiting.get(canonical_name(owner.name))
                    if item is not None and self._present(item):
                        yield from self._keep(item, path)
                item = self._folders.get(path.rpartition("/")[0])
                if item is not None and item.package in self._waiting:
                    yield from self._keep(item, path)
            code = facts.python.get(path)
            if code is not None:
                yield from self._code(path, code.words)
            elif path in facts.elf and facts.elf[path].compiler:
                yield from self._embedded(path)

    def _present(self, item: Compiler) -> bool:
        if not item.folder or "/" not in item.folder:
            return True
        sites = self.scene.inventory.layout.site
        return any(f"{site}/{item.folder}" in self.entries for site in sites)

    def _keep(self, item: Compiler, path: str) -> Iterator[Veto]:
        if self._waiting.pop(item.package, None) is None:
            return
        tops = {self.scene.modules.top_folder(path)} - {""}
        if item.folder:
            first = item.folder.partition("/")[0]
            tops |= {f"{site}/{first}" for site in self.scene.inventory.layout.site}
        below = tuple(f"{top}/" for top in tops)
        for target in self._doomed:
            wanted = any(pattern.search(target) for pattern in item.needs)
            if not wanted and not (item.own and target.startswith(below) and _own(target)):
                continue
            if item.package not in self.scene.scopes.packages(self.candidates[target]):
                yield Veto(target, f"{item.package} is kept: {item.reason}", path)

    def _code(self, path: str, words: frozenset[str]) -> Iterator[Veto]:
        """What the words of a kept file ask for."""
        called = words & _VERIFY
        if called and not self._compiles and not _OFFSTAGE.search(path):
            self._compiles = True
            because = f"{path} calls {min(called)}, which compiles at run time"
            for target in self._doomed:
                if any(pattern.search(target) for pattern in _C):
                    yield Veto(target, because, path)
        building = words & _BUILDING
        if self._beside and (building or _CALLS in words) and not _UNUSED.search(path):
            top = self.scene.modules.top_folder(path)
            beside = self._beside.get(top, ())
            word = min(building, default=_CALLS)
            because = f"{path} holds {word}: its package's headers are compiled with"
            for target in beside:
                yield Veto(target, because, path)
            if beside and building:
                for target in self._doomed:
                    if PYTHON_HEADERS.search(target):
                        yield Veto(target, because, path)

    def _embedded(self, path: str) -> Iterator[Veto]:
        owners = {canonical_name(owner.name) for owner in self.scene.inventory.owners.get(path, ())}
        for target in self._doomed:
            if _own(target) and not self._scoped(target):
                others = self.scene.inventory.owners.get(target, ())
                if any(canonical_name(owner.name) in owners for owner in others):
                    yield Veto(target, f"{path} holds a compiler of C, which may read it", path)

    def _scoped(self, path: str) -> bool:
        return bool(self.scene.scopes.packages(self.candidates[path]))


def _own(path: str) -> bool:
    """Whether a file is a header or a source: asked of most candidates, so without a pattern."""
    return path.endswith(_OWN) or "/include/" in path or path.startswith("include/")


def _serves(path: str) -> bool:
    return _own(path) or path.endswith(STATIC_ENDINGS) or _TOOL.search(path) is not None


def is_tool(path: str) -> bool:
    """Whether something may be compiled with a file: a header, a library to link, a compiler."""
    return not path.endswith(_NEVER) and _serves(path)


def may_compile(inventory: Inventory, candidates: Mapping[str, str]) -> frozenset[str]:
    """Shared libraries that are worth a search for a compiler.

    They are large, stay, and belong to a package that loses headers or sources.
    """
    losing = {
        canonical_name(owner.name)
        for path in candidates
        if not path.endswith(_NEVER) and _own(path)
        for owner in inventory.owners.get(path, ())
    }
    if not losing:
        return frozenset()
    return frozenset(
        path
        for path, entry in inventory.entries.items()
        if entry.size >= _BIG
        and is_shared(path)
        and any(canonical_name(owner.name) in losing for owner in inventory.owners.get(path, ()))
    )
