"""Headers, static libraries and compilers stay where kept packages compile at run time.

Three kinds of evidence: a table of packages (`Compiler`), each with what it needs; code that
builds extensions or calls a compiler, in a distribution that brings its own headers; and a shared
library with a C compiler in it. A rule that is limited to the package knows better and is let
through. A toolchain stays whole: with Python's headers stay the scripts, descriptions and
libraries by which a build finds them, or it would find those of the system.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from condaprune.evidence.datanames import aside
from condaprune.evidence.knowledge import Compiler, table
from condaprune.evidence.prefilter import Word, find_all
from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.formats.elf import LEAST_COMPILER
from condaprune.model import Distribution, Owner, Veto
from condaprune.names import canonical_name
from condaprune.paths import is_library, parent

_HEADERS = tuple(".h .hh .hpp .hxx .h++ .cuh .inc .ipp .tcc .inl .pxd .pxi .modulemap".split())
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".cu", ".pyx", ".f", ".f90")
_STATIC = (".a", ".o", ".lib")
_PYTHON_HEADERS = re.compile(
    r"^include/python\d|^include/[Nn]umpy|/numpy/(?:_core|core)/include/|^Include/"
)
_PYTHON_BUILD = re.compile(
    r"lib/python[^/]+/config-\d[^/]*/(?!.*\.a$)|bin/python[\d.]*[a-z]*-config$"
    r"|lib/libpython\d[^/]*\.(?:so|dylib)|lib/pkgconfig/python\b[^/]*\.pc$|libs/python\w*\.lib$"
)
"""By what a build finds Python's headers and links to Python, from the start of a path."""
_FINDING = re.compile(
    r"(?:lib|share)/(?:pkgconfig|cmake|aclocal)/|bin/[^/]+-config$|lib/[^/]+(?:Config|Conf)\.sh$"
    r"|lib/[^/]+\.la$"
)
"""By what a build finds other headers and libraries, from the start of a path."""
_DECLARATIONS = (".pxd", ".pxi")
_COMPILERS = re.compile(
    r"^bin/(?:[\w.-]+-)?(?:gcc|g\+\+|cc|c\+\+|cpp|ld|ld\.\w+|as|ar|nm|clang[\w+-]*|ptxas|nvcc|nvlink"
    r"|cicc|llc|opt|cling|root-config|rootcling)(?:-[\d.]+)?$"
    r"|^libexec/gcc/|^lib/gcc/|^[\w]+-[\w]+-linux-gnu/|^nvvm/|/nvvm/|^lib/clang/|^compiler_compat/"
    r"|\.bc$"
)
_TOOL = re.compile(f"{_PYTHON_HEADERS.pattern}|{_COMPILERS.pattern}")
_OWN = (*_HEADERS, *_SOURCES)
_PYTHON = (".py", ".pyc", ".pyi")
_NEVER = (".py", ".pyc", ".pyi", ".so", ".txt", ".json", ".md", ".rst", ".html", ".js")

_BUILDS = "code that builds extensions"
_CALLS = "the name of a compiler"
_MAY_CALL = "a call of a compiler"
_COMMAND = "the command build_ext"
_RUN = re.compile(rb"\bbuild_ext\b(?!\s+-)|\bos\.system\(|\bshell\s*=\s*True")
"""Not a message that names the command (``Run setup.py build_ext --inplace``)."""
_CALLED = (
    ("ffi.verify", b"ffi.verify("),
    ("ffi.compile", b"ffibuilder.compile("),
    ("ffi.compile", b"ffi.compile("),
    ("pyximport", b"pyximport.install("),
    ("load_inline", b"cpp_extension.load"),
)
"""Calls that compile while a program runs; they count outside the package that defines them."""
_NAMED = (
    b"Python.h",
    b"INCLUDEPY",
    b'get_path("include")',
    b"get_path('include')",
    b"new_compiler(",
    b'get_paths()["include"]',
    b"get_paths()['include']",
)
_TOOLS = (b"gcc", b"g++", b"clang", b"clang++", b"nvcc", b"cmake")
"""What counts for the headers that lie in the same distribution: so does `_COMMAND`."""
_LETTERS = (b"cc", b"c++")
"""Compilers, too; but letters stand for other things."""
_CALLED_BY = (b"[", b"(", b"'CC', ", b'"CC", ', b"'CXX', ", b'"CXX", ', b"CC = ", b"CXX = ")
"""What stands before them in code that calls them, looks for them, or names a default."""


def _calls_letters(data: bytes) -> bool:
    """Whether one of the letters is called: not an example of words (``['c', 'cc']``)."""
    return any(
        data.endswith(_CALLED_BY, max(0, at - 9), at)
        and data[at + len(text) : at + len(text) + 1] in b",)\n"
        for name in _LETTERS
        for quote in (b'"', b"'")
        for text in (quote + name + quote,)
        for at in find_all(data, text)
    )


_BUILDING = frozenset({_BUILDS, _COMMAND})
_CALLING = frozenset({_CALLS, _MAY_CALL})
_COMPILING = frozenset(key for key, _ in _CALLED)
_OFFSTAGE = re.compile(
    r"(?:^|/)(?:setup|[\w]*build[\w]*|conftest)\.py$|/(?:cffi|Cython|pyximport)/"
)
_UNUSED = re.compile(
    r"(?:^|/)(?:setup\w*|conftest|__config__)\.py$|/_build_utils/"
    r"|/(?:tests?|testing|docs?|examples?|benchmarks?)/|/numpy/(?:distutils|f2py)/|/setuptools/"
)
"""Where code of a package that builds or names a compiler does so for others, or not at all."""


class Toolchain(Guard):
    """Rescues what kept packages compile with."""

    words = (
        *(Word(key, text) for key, text in _CALLED),
        *(Word(_CALLS, quote + name + quote) for name in _TOOLS for quote in (b'"', b"'")),
        *(
            Word(_MAY_CALL, quote + name + quote, also=_calls_letters)
            for name in _LETTERS
            for quote in (b'"', b"'")
        ),
        Word(_COMMAND, b"build_ext", whole=True, also=_RUN.search),
        *(Word(_BUILDS, text) for text in _NAMED),
    )

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._tools = [
            path
            for path in scene.candidates
            if not path.endswith(_PYTHON) and _serves(path) and self.entries[path].kind != "folder"
        ]
        self._waiting: dict[str, Compiler] = {}
        self._folders: dict[str, Compiler] = {}
        for item in table(Compiler) if self._tools else ():
            homes = [f"{site}/{item.folder}" for site in scene.inventory.layout.site if item.folder]
            if "/" not in item.folder or not self.entries.keys().isdisjoint(homes):
                self._waiting[item.package] = item
                self._folders.update(dict.fromkeys(homes, item))
        self._compiles = self._builds = False
        self._compiling: set[str] = set()
        self._embedding: set[frozenset[str]] = set()
        self._beside: dict[str, list[str]] = defaultdict(list)
        for target in self._tools:
            scoped = self.candidates[target].packages
            top = (
                "" if scoped or target.startswith("include/") else scene.modules.top_folder(target)
            )
            own = _own(target) or target.endswith(_STATIC)
            if top and own and not aside(target, top):
                for home in self._homes(target):
                    self._beside[home].append(target)

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        return any(not p.endswith(_NEVER) and _serves(p) for p in prospect.candidates)

    @classmethod
    def searched(cls, prospect: Prospect) -> frozenset[str]:
        """The large libraries of packages that lose headers or sources."""
        owners = prospect.inventory.owners
        losing: set[str] = set()
        for path in prospect.candidates:
            if not path.endswith(_NEVER) and _own(path):
                losing |= _names(owners.get(path, ()))
        return frozenset(
            path
            for path, entry in (prospect.inventory.entries.items() if losing else ())
            if entry.size >= LEAST_COMPILER
            and is_library(path)
            and not losing.isdisjoint(_names(owners.get(path, ())))
        )

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._tools:
            return
        owners, facts = self.scene.inventory.owners, self.scene.facts
        for path in batch:
            if self._waiting and (path.endswith((".py", ".so", ".h", ".hpp")) or "bin/" in path):
                names = (canonical_name(owner.name) for owner in owners.get(path, ()))
                items = map(self._waiting.get, names)
                for item in filter(None, (*items, self._folders.get(parent(path)))):
                    yield from self._keep(item, path)
            code = facts.python.get(path)
            if code is not None:
                yield from self._code(path, code.words)
            elif path in facts.elf and facts.elf[path].compiler:
                yield from self._embedded(path)

    def _keep(self, item: Compiler, path: str) -> Iterator[Veto]:
        if self._waiting.pop(item.package, None) is None:
            return
        tops = {self.scene.modules.top_folder(path)} - {""}
        if item.folder:
            first = item.folder.partition("/")[0]
            tops |= {f"{site}/{first}" for site in self.scene.inventory.layout.site}
        below = tuple(f"{top}/" for top in tops)
        for target in self._tools:
            needed = any(_serves_as(group, target) for group in item.needs)
            needed = needed or (item.own and target.startswith(below) and _own(target))
            if needed and item.package not in self.candidates[target].packages:
                yield Veto(target, f"{item.package} is kept: {item.reason}", path)

    def _code(self, path: str, words: frozenset[str]) -> Iterator[Veto]:
        """What the words of a kept file ask for."""
        called = words & _COMPILING
        if called and not self._compiles and not _OFFSTAGE.search(path):
            self._compiles = True
            because = f"{path} calls {min(called)}, which compiles at run time"
            yield from self.rescue(filter(_is_tool, self._tools), because, path)
        building = words & _BUILDING
        calls = words & _CALLING
        if self._beside and (building or calls) and not _UNUSED.search(path):
            homes = self._homes(path)
            word = min(building or calls)
            because = f"{path} contains {word}: its package may compile with these headers"
            if building and not self._builds and any(home in self._beside for home in homes):
                self._builds = True
                yield from self.rescue(filter(_for_python, self._tools), because, path)
            for home in homes:
                if home not in self._compiling:
                    self._compiling.add(home)
                    yield from self.rescue(self._beside.get(home, ()), because, path)

    def _homes(self, path: str) -> tuple[str, ...]:
        """The top-level package of a file, and its distribution."""
        owners = self.scene.inventory.owners.get(path, ())
        names = (owner.path for owner in owners if isinstance(owner, Distribution))
        return (self.scene.modules.top_folder(path), *names)

    def _embedded(self, path: str) -> Iterator[Veto]:
        owners = self.scene.inventory.owners
        names = frozenset(_names(owners.get(path, ())))
        if names in self._embedding:
            return
        self._embedding.add(names)
        because = f"{path} contains a C compiler, which may read it"
        read = (t for t in self._tools if _own(t) and names & _names(owners.get(t, ())))
        yield from self.rescue(read, because, path, general=True)


def _own(path: str) -> bool:
    """Whether a file is a header or a source: asked of most candidates, so without a pattern."""
    return path.endswith(_OWN) or "/include/" in path or path.startswith("include/")


def _serves(path: str) -> bool:
    """Whether something may be compiled with a file: a header, a library to link, a compiler, or
    what tells where these are."""
    if _own(path) or path.endswith(_STATIC) or _tells(path):
        return True
    return _TOOL.search(path) is not None


def _tells(path: str) -> bool:
    """Whether builds are told by a file where others are; most candidates are modules."""
    if path.startswith("lib/python"):
        return "/config-" in path and _PYTHON_BUILD.match(path) is not None
    if path.startswith(("bin/", "lib/", "share/", "libs/")):
        return _FINDING.match(path) is not None or _PYTHON_BUILD.match(path) is not None
    return False


def _is_tool(path: str) -> bool:
    """Whether extension modules are compiled with a file, whatever they are."""
    return _TOOL.search(path) is not None or _PYTHON_BUILD.match(path) is not None


def _for_python(path: str) -> bool:
    """Whether a build needs a file to make extension modules of Python."""
    return _PYTHON_HEADERS.search(path) is not None or _PYTHON_BUILD.match(path) is not None


def _serves_as(group: str, path: str) -> bool:
    """Whether a file belongs to a group of files that the table of packages names."""
    if group == "headers":
        return (
            path.endswith(_HEADERS)
            or "/include/" in path
            or path.startswith("include/")
            or _FINDING.match(path) is not None
        )
    if group == "declarations":
        return path.endswith(_DECLARATIONS)
    if group == "static":
        return path.endswith(_STATIC)
    return _for_python(path) if group == "python-headers" else _COMPILERS.search(path) is not None


def _names(owners: Iterable[Owner]) -> set[str]:
    return {canonical_name(owner.name) for owner in owners}
