"""Files and folders that are looked for by place, and modules that only C code imports.

Python finds its home by ``os.py`` and ``lib-dynload``; conda and libraries tell an environment by
``conda-meta/history``; the interpreter's own C code imports some modules by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from condaprune.evidence.scene import Guard
from condaprune.model import Veto

FILES = {
    "conda-meta/history": "conda, mamba and libraries tell an environment by it",
    "pyvenv.cfg": "Python finds its home by it",
    "python.exe": "the interpreter",
    "pythonw.exe": "the interpreter",
}

FROM_C = frozenset(
    """
    __future__ _bootlocale _collections_abc _compat_pickle _py_abc _pydatetime _pydecimal _pyio
    _pyrepl _sitebuiltins _strptime _weakrefset abc annotationlib ast asyncio base64 bisect
    calendar codecs collections compileall concurrent contextlib contextvars copy copyreg ctypes
    curses datetime decimal dis email encodings enum errno functools genericpath getpass gettext
    hashlib heapq importlib inspect io json keyword linecache locale logging multiprocessing
    ntpath numbers opcode operator os pathlib pickle pkgutil posixpath queue random re reprlib
    runpy select selectors shutil signal site socket sqlite3 sre_compile sre_constants sre_parse
    ssl stat string struct subprocess sysconfig tempfile textwrap threading time token tokenize
    traceback types typing urllib uuid warnings weakref xml zipfile zipimport zoneinfo
    """.split()
)
"""Modules of the standard library that its C code, or every start of Python, imports by name."""

_INTERPRETER = re.compile(r"(?:python|pypy)\d*(?:\.\d+)?t?")
_TESTS = re.compile(r"/(?:tests?|idle_test)(?:/|$)")


class Landmarks(Guard):
    """Rescues what is found by its place."""

    name = "landmarks"

    def begin(self) -> Iterator[Veto]:
        layout = self.scene.inventory.layout
        for path, reason in FILES.items():
            if path in self.candidates:
                yield Veto(path, reason)
        for folder in layout.roots.get("bin", ()):
            for path in self.scene.below(folder):
                if _INTERPRETER.fullmatch(path[len(folder) + 1 :]):
                    yield Veto(path, "the interpreter")
        for folder in layout.stdlib:
            yield from self._stdlib(folder)

    def _stdlib(self, folder: str) -> Iterator[Veto]:
        dynload = f"{folder}/lib-dynload"
        if dynload in self.candidates:
            yield Veto(dynload, "Python finds its home by this folder")
        if not any(f"{folder}/{name}" in self.entries for name in ("os.py", "os.pyc")):
            return
        for path in self.scene.below(folder):
            rest = path[len(folder) + 1 :]
            top, slash, _ = rest.partition("/")
            if top == "site-packages" or "__pycache__" in rest:
                continue
            stem = top if slash else top.partition(".")[0]
            if stem.startswith("_sysconfigdata") and path.endswith((".py", ".pyc")):
                yield Veto(path, "sysconfig imports it by a name it computes")
            elif stem in FROM_C and self._module(path) and not _TESTS.search(rest):
                reason = (
                    "Python finds its home by it"
                    if rest == "os.py"
                    else ("the interpreter or its C code imports it by name")
                )
                yield Veto(path, reason)

    def _module(self, path: str) -> bool:
        module = self.scene.modules.locate(path)
        return module is not None and path in self.scene.modules.doomed.get(module.name, ())
