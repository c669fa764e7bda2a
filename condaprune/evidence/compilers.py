"""Packages that compile at run time, and what that takes: the table of the toolchain guard."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER_ENDINGS = tuple(
    ".h .hh .hpp .hxx .h++ .cuh .inc .ipp .tcc .inl .pxd .pxi .modulemap".split()
)
SOURCE_ENDINGS = (".c", ".cc", ".cpp", ".cxx", ".cu", ".pyx", ".f", ".f90")
STATIC_ENDINGS = (".a", ".o", ".lib")


def _ending(endings: tuple[str, ...]) -> str:
    return "(?:" + "|".join(map(re.escape, endings)) + ")$"


_HEADER = _ending(HEADER_ENDINGS)
_IN_INCLUDE = r"(?:^|/)include/"

PYTHON_HEADERS = re.compile(
    r"^include/python\d|^include/[Nn]umpy|/numpy/(?:_core|core)/include/"
    r"|/config-\d[^/]*/Makefile$|^Include/"
)
HEADERS = re.compile(f"{_HEADER}|{_IN_INCLUDE}")
SOURCES = re.compile(_ending(SOURCE_ENDINGS))
STATIC = re.compile(_ending(STATIC_ENDINGS))
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
    told by its name alone. `own` adds all headers and sources of the package itself: of the top
    folder of `folder`, and of the one that told it.
    """

    package: str
    reason: str
    needs: tuple[re.Pattern[str], ...]
    folder: str = ""
    own: bool = False


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
    Compiler("mypy", "mypyc compiles modules when asked to", _C, "mypyc", True),
    Compiler("brian2", "Brian compiles its simulations", _C, "brian2", True),
    Compiler("pykeops", "KeOps compiles its formulas", _C, "pykeops", True),
    Compiler("fenics-ffcx", "FEniCS compiles its forms", _C, "ffcx", own=True),
    Compiler("gt4py", "GT4Py compiles its stencils", _C, "gt4py/cartesian", own=True),
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
