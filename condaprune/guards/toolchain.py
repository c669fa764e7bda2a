"""Headers, static libraries and compilers stay where kept packages compile at run time.

Which packages do is data: each with what it needs. The presence of the package is the evidence;
a rule that is limited to that package knows better and is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from condaprune.guards.base import Guard, Scene
from condaprune.guards.prefilter import Word
from condaprune.guards.scope import plain
from condaprune.model import Veto

_HEADER = r"\.(?:h|hh|hpp|hxx|h\+\+|cuh|inc|ipp|tcc|inl|pxd|pxi|modulemap)$"
_IN_INCLUDE = r"(?:^|/)include/"

PYTHON_HEADERS = re.compile(
    r"^include/python\d|^include/[Nn]umpy|/numpy/(?:_core|core)/include/"
    r"|/config-\d[^/]*/Makefile$|^Include/"
)
HEADERS = re.compile(f"{_HEADER}|{_IN_INCLUDE}")
SOURCES = re.compile(r"\.(?:c|cc|cpp|cxx|cu|pyx|f|f90)$")
STATIC = re.compile(r"\.(?:a|o|lib)$")
COMPILERS = re.compile(
    r"^bin/(?:[\w.-]+-)?(?:gcc|g\+\+|cc|c\+\+|cpp|ld|ld\.\w+|as|ar|nm|clang[\w+-]*|ptxas|nvcc|nvlink"
    r"|cicc|llc|opt|cling|root-config|rootcling)(?:-[\d.]+)?$"
    r"|^libexec/gcc/|^lib/gcc/|^[\w]+-[\w]+-linux-gnu/|^nvvm/|/nvvm/|^lib/clang/|^compiler_compat/"
    r"|\.bc$"
)


@dataclass(frozen=True, slots=True)
class Compiler:
    """A package that compiles at run time, what for, and what it takes for that.

    `folder` is a folder of site-packages or the prefix that tells the package too; empty for one
    told by its name alone. `own` adds all headers and sources of the package itself.
    """

    package: str
    reason: str
    needs: tuple[re.Pattern[str], ...]
    folder: str = ""
    own: bool = False


_TOOL = re.compile(
    "|".join(p.pattern for p in (PYTHON_HEADERS, HEADERS, STATIC, COMPILERS, SOURCES))
)
_OWN = (HEADERS, SOURCES)
_PYTHON = (".py", ".pyc", ".pyi")
_NEVER = (".py", ".pyc", ".pyi", ".so", ".txt", ".json", ".md", ".rst", ".html", ".js")
_ALL = (PYTHON_HEADERS, HEADERS, STATIC, COMPILERS)
_C = (PYTHON_HEADERS, COMPILERS)

COMPILING = (
    Compiler("torch", "torch.compile builds C++ with these", _C, "torch/_inductor", own=True),
    Compiler("triton", "triton builds its launcher with Python's headers", _C, "triton", own=True),
    Compiler("cupy", "CuPy compiles kernels with CUDA's and its own headers", _ALL, "cupy"),
    Compiler(
        "numba-cuda", "numba.cuda compiles with NVVM and CUDA's headers", (HEADERS, COMPILERS)
    ),
    Compiler(
        "pythran", "Pythran compiles when asked to, with its own headers", _C, "pythran", True
    ),
    Compiler("xeus-cpp", "the C++ kernel compiles each cell", _ALL),
    Compiler("xeus-cling", "the C++ kernel compiles each cell", _ALL),
    Compiler("cppyy", "cppyy parses headers while it runs", _ALL, "cppyy"),
    Compiler("cling", "the interpreter of C++ reads headers", _ALL),
    Compiler("root", "the interpreter of C++ reads headers", _ALL),
    Compiler("cython", "pyximport and cython.inline compile while they run", _C, "Cython", True),
    Compiler("pytensor", "PyTensor compiles its graphs to C", _C, "pytensor", True),
    Compiler("theano", "Theano compiles its graphs to C", _C, "theano", True),
    Compiler("theano-pymc", "Theano compiles its graphs to C", _C, "theano", True),
    Compiler("aesara", "Aesara compiles its graphs to C", _C, "aesara", True),
    Compiler("pystan", "Stan models are compiled while they run", _ALL, "pystan"),
    Compiler("cmdstanpy", "Stan models are compiled while they run", _ALL, "cmdstanpy"),
    Compiler("cmdstan", "Stan models are compiled while they run", _ALL),
    Compiler("brian2", "Brian compiles its simulations", _C, "brian2", True),
    Compiler("pykeops", "KeOps compiles its formulas", _C, "pykeops", True),
    Compiler("fenics-ffcx", "FEniCS compiles its forms", _ALL, "ffcx"),
    Compiler("pyop2", "Firedrake compiles its kernels", _ALL, "pyop2"),
    Compiler("deepspeed", "DeepSpeed compiles its operators", _C, "deepspeed", True),
    Compiler("pycuda", "PyCUDA compiles kernels", (HEADERS, COMPILERS), "pycuda"),
    Compiler("r-rcpp", "Rcpp compiles functions when asked to", _ALL),
    Compiler("r-inline", "inline compiles functions when asked to", _ALL),
    Compiler("r-rstan", "Stan models are compiled while they run", _ALL),
    Compiler("gcc", "a compiler was asked for", _ALL),
    Compiler("gxx", "a compiler was asked for", _ALL),
    Compiler("compilers", "a compiler was asked for", _ALL),
    Compiler("c-compiler", "a compiler was asked for", _ALL),
    Compiler("cxx-compiler", "a compiler was asked for", _ALL),
)

WORDS = (
    Word("ffi.verify", b"ffi.verify("),
    Word("ffi.compile", b"ffibuilder.compile("),
    Word("ffi.compile", b"ffi.compile("),
    Word("pyximport", b"pyximport.install("),
    Word("load_inline", b"cpp_extension.load"),
)
"""Calls that compile while a program runs; they count outside the package that defines them."""

_OFFSTAGE = re.compile(
    r"(?:^|/)(?:setup|[\w]*build[\w]*|conftest)\.py$|/(?:cffi|Cython|pyximport)/"
)


class Toolchain(Guard):
    """Rescues what kept packages compile with."""

    name = "toolchain"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._doomed = [
            path
            for path in scene.candidates
            if not path.endswith(_PYTHON)
            and _TOOL.search(path)
            and self.entries[path].kind != "folder"
        ]
        self._waiting = {item.package: item for item in COMPILING} if self._doomed else {}
        self._folders: dict[str, Compiler] = {}
        for site in scene.inventory.layout.site:
            for item in self._waiting.values():
                if item.folder:
                    self._folders[f"{site}/{item.folder}"] = item
        self._compiles = False

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._doomed:
            return
        owners, python = self.scene.inventory.owners, self.scene.facts.python
        for path in batch:
            if self._waiting and (path.endswith((".py", ".so", ".h", ".hpp")) or "bin/" in path):
                for owner in owners.get(path, ()):
                    item = self._waiting.get(plain(owner.name))
                    if item is not None and self._present(item):
                        yield from self._keep(item, path)
                item = self._folders.get(path.rpartition("/")[0])
                if item is not None and item.package in self._waiting:
                    yield from self._keep(item, path)
            facts = python.get(path)
            if facts is not None and not self._compiles and not _OFFSTAGE.search(path):
                called = facts.words & {word.key for word in WORDS}
                if called:
                    self._compiles = True
                    yield from self._call(path, min(called))

    def _present(self, item: Compiler) -> bool:
        if not item.folder or "/" not in item.folder:
            return True
        sites = self.scene.inventory.layout.site
        return any(f"{site}/{item.folder}" in self.entries for site in sites)

    def _keep(self, item: Compiler, path: str) -> Iterator[Veto]:
        if self._waiting.pop(item.package, None) is None:
            return
        top = self.scene.modules.top_folder(path)
        for target in self._doomed:
            inside = bool(top) and target.startswith(top + "/")
            wanted = any(pattern.search(target) for pattern in item.needs)
            if not wanted and not (
                item.own and inside and any(pattern.search(target) for pattern in _OWN)
            ):
                continue
            if item.package not in self.scene.scopes.packages(self.candidates[target]):
                yield Veto(target, f"{item.package} is kept: {item.reason}", path)

    def _call(self, path: str, word: str) -> Iterator[Veto]:
        for target in self._doomed:
            if any(pattern.search(target) for pattern in _C):
                yield Veto(target, f"{path} calls {word}, which compiles at run time", path)


def is_tool(path: str) -> bool:
    """Whether something may be compiled with a file: a header, a library to link, a compiler."""
    return not path.endswith(_NEVER) and _TOOL.search(path) is not None
