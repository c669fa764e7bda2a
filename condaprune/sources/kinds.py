"""Which files are worth reading, and how: one answer for prefixes and for archives.

What is decided here depends on the path and the mode alone, so that an archive can be asked member
by member as it is streamed; where a file lies in an environment is for the reader to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from condaprune.paths import is_library, parent

Form = Literal["text", "python", "bytecode", "binary", "c"]

LARGEST = 64 << 20
"""The largest file that is read whole for what it says (bytes); no real one has a tenth of it."""


@dataclass(frozen=True, slots=True, eq=False)
class FileKind:
    """Files that are read alike, by the end of their path or the name of their folder.

    `form` is how: kept whole as text, searched as Python, searched for names as bytecode, (of
    a binary) only the few parts that say what it loads, or (of C) the names of what it includes.
    `within` is a folder that must be in the path.
    """

    name: str
    form: Form
    endings: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    within: str = ""


PYTHON = FileKind("Python", "python", (".py", ".pyw"))
STUB = FileKind("stub", "python", (".pyi",))
BYTECODE = FileKind("lone bytecode", "bytecode", (".pyc",))
IMPORT_PATHS = FileKind("import paths", "text", (".pth",))
ENTRY_POINTS = FileKind("entry points", "text", ("-info/entry_points.txt", ".egg/entry_points.txt"))
ACTIVATION = FileKind("activation script", "text", folders=("activate.d", "deactivate.d"))
C_ENDINGS = (".c", ".cc", ".cpp", ".cxx", ".f90", ".h", ".hh", ".hpp", ".hxx", ".cuh")
CYTHON_ENDINGS = (".pyx", ".pxd", ".pxi")
C_SOURCE = FileKind("C source", "c", (*C_ENDINGS, *CYTHON_ENDINGS), within="/site-packages/")
INCLUDING = FileKind(
    "file that includes others",
    "text",
    tuple(
        ".swg .i .tcl .mk .mak .cmake .j2 .jinja .jinja2 .mako .tmpl .tpl .template .in"
        " CMakeLists.txt".split()
    ),
    within="/site-packages/",
)
LIBRARY = FileKind("library", "binary")
PROGRAM = FileKind("program", "binary")
"""Whatever may be executed: a binary, or a script that is read whole."""


class Kinds:
    """Tells the kind of a file: one of those above, or of *more* for files that these leave out."""

    def __init__(self, more: Iterable[FileKind] = ()) -> None:
        self._by_suffix: dict[str, list[tuple[str, FileKind]]] = {}
        self._by_folder: dict[str, FileKind] = {}
        named = (PYTHON, STUB, BYTECODE, IMPORT_PATHS, ENTRY_POINTS, ACTIVATION)
        kinds = (*named, C_SOURCE, INCLUDING, *more)
        for kind in dict.fromkeys(kinds):
            for ending in kind.endings:
                self._by_suffix.setdefault(ending.rpartition(".")[2], []).append((ending, kind))
            for folder in kind.folders:
                self._by_folder.setdefault(folder, kind)

    def of(self, path: str, mode: int) -> FileKind | None:
        """The kind of a file; None for one that says nothing."""
        for ending, kind in self._by_suffix.get(path.rpartition(".")[2], ()):
            if path.endswith(ending):
                if kind is BYTECODE and "__pycache__/" in path:
                    return None
                if kind.within in path:
                    return kind
        if is_library(path) and not path.endswith(".dll"):
            return LIBRARY
        folder = parent(path).rpartition("/")[2]
        return self._by_folder.get(folder) or (PROGRAM if mode & 0o111 else None)
