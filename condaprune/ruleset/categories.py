"""The categories of rules: a closed list, so that `--select tests` means one thing everywhere."""

from __future__ import annotations

CATEGORIES = {
    "bytecode": "compiled Python, which can be made again",
    "cache": "what tools keep to be faster",
    "compilers": "compilers, linkers, and what generates code",
    "data": "data sets, samples, catalogues of services",
    "debug": "libraries for debugging",
    "desktop": "menus and entries of a desktop",
    "development": "what builds against a package read: CMake files, pkg-config, build scripts",
    "docs": "documentation, manuals, demonstrations",
    "gui": "programs and modules with windows",
    "headers": "headers of C, C++, Fortran and Cython",
    "leftovers": "backups, caches of tools, files of version control",
    "locale": "translations",
    "metadata": "records of conda, extras of dist-info",
    "native": "libraries that are linked with, not loaded; debug files; other platforms'",
    "python": "parts of the standard library that few programs import",
    "sanitizer": "libraries of sanitizers",
    "source": "sources beside what was built from them, stubs",
    "sourceless": "Python sources beside bytecode that takes their place",
    "static": "static libraries",
    "terminal": "descriptions of terminals",
    "tests": "test suites and their data",
    "tools": "programs and packages that install, build, convert or measure",
    "web": "what pages in a browser do not load: source maps, unminified scripts",
}
