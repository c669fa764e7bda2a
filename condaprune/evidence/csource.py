"""Whether C, C++ and Fortran files of packages are left over from a build, or data of the package.

A file is a leftover where something shows that an extension module was made of it: a module or a
Cython source of its name, a Cython source that declares it, an include from another leftover, its
name or its functions in a module's own texts. A header in an include folder is one where the
package tells builds of others about that folder. Nothing shows that for templates, headers that
are compiled with at run time, and sources that generated projects get a copy of.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from condaprune.evidence.prefilter import find_all
from condaprune.model import Distribution, Inventory, Owner
from condaprune.names import canonical_name
from condaprune.paths import parent
from condaprune.sources.kinds import C_ENDINGS, CYTHON_ENDINGS, INCLUDING

_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".cuh")
_MODULES = (".so", ".pyd")
_INCLUDED = rb"""[ \t]*\#?[ \t]*include[ \t]*["'<]([^">'\n]+)[">']"""
_DECLARED = rb"""extern[ \t]+from[ \t]+r?["']<?([^"'>\n]+)>?["']"""
_LISTED = rb"distutils:[ \t]*(?:sources|depends)[ \t]*=([^\n]*)"
_GENERATED = rb"(?i)generated (?:automatically )?by (?:cython|swig|f2py|mypyc)"
_FUNCTION = rb"(?m)^(?!static\b|return\b|else\b)[A-Za-z_][\w \t*&:<>]*?[ \t*&](\w{6,})[ \t]*\("
"""Patterns; compiled for the few environments that have such files."""
_FILE_NAME = rb"[\w.-]+"
_HEAD = 2048
_PARTS = 8  # between the dots of a name
_INCLUDE_FOLDERS = ("/include/", "/includes/")
_COMMON = 500
"""So many files of one distribution have no name in common, unless to make work."""
_FEW = 2
"""One name of a function may stand in a module by chance."""


@dataclass(frozen=True, slots=True)
class CFacts:
    """What one file says: the names of what it includes or declares, as written; whether a tool
    made it; the functions that it defines for others to link."""

    names: tuple[str, ...] = ()
    generated: bool = False
    functions: tuple[str, ...] = ()


def read_source(path: str, data: bytes) -> CFacts:
    """The facts of one C or Cython file."""
    lines = (data.rfind(b"\n", 0, at) + 1 for at in find_all(data, b"include"))
    included, generated_by = _compile(_INCLUDED), _compile(_GENERATED)
    found = [match[1] for match in map(partial(included.match, data), lines) if match]
    for text, word in ((_DECLARED, b"extern "), (_LISTED, b"distutils:")):
        pattern = _compile(text)
        matches = (pattern.match(data, at) for at in find_all(data, word))
        found += (name for match in matches if match for name in match[1].split())
    generated = generated_by.search(data, 0, _HEAD) is not None
    plain = not generated and not path.endswith((*_HEADERS, *CYTHON_ENDINGS))
    functions = _compile(_FUNCTION).findall(data) if plain else ()
    return CFacts(_texts(found), generated, _texts(functions))


@cache
def _compile(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


def _texts(names: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.decode("utf-8", "replace") for name in names))


@dataclass(slots=True)
class Sources:
    """The C files of one distribution that may go, and what its build may have left beside them.

    `modules` are its extension modules, `including` the files that may include C files when they
    are put to use.
    """

    files: list[str] = field(default_factory=list)
    cython: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    including: list[str] = field(default_factory=list)
    _modules_in: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def leftovers_by_name(self, inventory: Inventory) -> set[str]:
        """The files that have the name of an extension module above them, or of Cython's source."""
        made = {(parent(path), _stem(path)) for path in self.modules}
        found = set()
        for path in self.files:
            folder, stem = parent(path), _stem(path)
            written = f"{folder}/{path.rpartition('/')[2].rpartition('.')[0]}.pyx"
            if written in inventory.entries or any((at, stem) in made for at in above(folder)):
                found.add(path)
        return found

    def near(self, path: str) -> Iterator[str]:
        """The extension modules in the folder of a file and above it."""
        if not self._modules_in:
            for module in self.modules:
                self._modules_in[parent(module)].append(module)
        for folder in above(parent(path)) if self.modules else ():
            yield from self._modules_in.get(folder, ())

    def readable(self, path: str, inventory: Inventory) -> bool:
        """Whether reading a file may show that it is a leftover."""
        if self.cython or any(True for _ in self.near(path)):
            return True
        return f"{path.rpartition('.')[0]}.py" in inventory.entries  # Cython takes Python, too


def find_sources(inventory: Inventory, paths: Iterable[str]) -> dict[str, Sources]:
    """The C files among *paths*, by the name of the distribution, or else the package, of each."""
    owners = inventory.owners
    found: dict[str, Sources] = defaultdict(Sources)
    for path in paths:
        found[distribution_of(owners.get(path, ()))].files.append(path)
    if found:
        endings = {end[1:] for end in (*_MODULES, *CYTHON_ENDINGS, *INCLUDING.endings)}
        for path in inventory.entries:
            if path.rpartition(".")[2] in endings and INCLUDING.within in path:
                sources = found.get(distribution_of(owners.get(path, ())))
                if sources is not None:
                    _kin(sources, path).append(path)
    return dict(found)


def _kin(sources: Sources, path: str) -> list[str]:
    if path.endswith(_MODULES):
        return sources.modules
    return sources.cython if path.endswith(CYTHON_ENDINGS) else sources.including


def distribution_of(owners: Iterable[Owner]) -> str:
    """The name of a file's distribution, or else of its package; empty where nobody owns it."""
    named = sorted(owners, key=lambda owner: not isinstance(owner, Distribution))
    return canonical_name(named[0].name) if named else ""


def offered(path: str) -> bool:
    """Whether a file lies in a folder of headers that are there to be included by others."""
    return any(folder in path for folder in _INCLUDE_FOLDERS)


def included_from(
    leftovers: set[str], sources: Sources, facts: Mapping[str, CFacts]
) -> Iterator[str]:
    """The files that belong to a build as others do: Cython's sources and leftovers name them,
    they include a leftover beside them, or they are the body of a header that is one."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in sources.files:
        by_name[path.rpartition("/")[2]].append(path)
    includers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sources.files:
        for name in facts[path].names if path in facts else ():
            includers[parent(path), name].append(path)
    found = set(leftovers)
    found.update(path for path in sources.files if path in facts and facts[path].generated)
    waiting = [*found, *sources.cython]
    bodies = {
        path.rpartition(".")[0]: path for path in sources.files if not path.endswith(_HEADERS)
    }
    while waiting:
        path = waiting.pop()
        names = facts[path].names if path in facts else ()
        more = {target for name in names for target in _named(name, path, by_name)}
        if path.endswith(_HEADERS) and path.rpartition(".")[0] in bodies:
            more.add(bodies[path.rpartition(".")[0]])
        if path.endswith(C_ENDINGS):
            more.update(includers.get((parent(path), path.rpartition("/")[2]), ()))
        waiting.extend(more - found)
        found |= more
    yield from found - leftovers


def _named(name: str, path: str, by_name: Mapping[str, list[str]]) -> Iterator[str]:
    """The files that an include may mean: those whose paths end with it. A name that is everywhere
    means none."""
    tail = re.sub(r"^(?:\.{0,2}/)+", "", name)
    targets = by_name.get(name.rpartition("/")[2], ())
    for target in targets if len(targets) <= _COMMON else ():
        if f"/{target}".endswith(f"/{tail}"):
            yield target


def named_in(text: bytes) -> Iterator[bytes]:
    """The names of files that a text may hold; of ``a.h.in``, ``a.h`` as well."""
    for word in set(_compile(_FILE_NAME).findall(text)):
        parts = word.split(b".")
        for count in range(1, min(len(parts), _PARTS) + 1):
            yield b".".join(parts[:count])


def compiled_in(
    files: Iterable[str], facts: Mapping[str, CFacts], said: frozenset[str]
) -> set[str]:
    """The files whose name or functions are *said* by an extension module."""
    found = set()
    for path in files:
        functions = facts[path].functions if path in facts else ()
        whole = len(functions) >= _FEW and said.issuperset(functions)
        if whole or f"/{path.rpartition('/')[2]}" in said:
            found.add(path)
    return found


def _stem(path: str) -> str:
    """The name of the module that a file of C or an extension module would have."""
    name = path.rpartition("/")[2]
    if path.endswith(_MODULES):
        return name.partition(".")[0].lstrip("_")
    return name.rpartition(".")[0].rpartition(".")[2].removesuffix("_api").lstrip("_")


def above(folder: str) -> Iterator[str]:
    """A folder and those that it lies in."""
    while folder:
        yield folder
        folder = parent(folder)
