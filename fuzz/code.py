"""Python: what sources and lone bytecode say about the files that are to go."""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.evidence.datanames import DataNames
from condaprune.evidence.facts import is_python_script
from condaprune.evidence.modules import Modules
from condaprune.evidence.prefilter import Word
from condaprune.evidence.pysource import PythonReader, import_line
from condaprune.evidence.removal import Removal
from condaprune.model import Entry, Inventory, Layout
from condaprune.sources.owners import find_layout
from fuzz.target import Cost, Target

_SITE = "lib/python3.11/site-packages/"
_PATHS = (
    *("lib/python3.11", "lib/python3.11/os.py", _SITE[:-1], f"{_SITE}a", f"{_SITE}a/__init__.py"),
    *(
        f"{_SITE}a/{name}"
        for name in ("b.py", "c.so", "d.pyc", "data.txt", "sub/__init__.py", "sub/e.py")
    ),
    *("app/one.py", "app/two.py", "lib/liba.so.1"),
)


def _inventory() -> Inventory:
    folders = ("lib/python3.11", _SITE[:-1], f"{_SITE}a", f"{_SITE}a/sub", "app")
    entries = {
        path: Entry(path, "folder" if path in folders else "file", 9, 0o644, 0, 0, number, 1)
        for number, path in enumerate((*_PATHS, *folders))
    }
    layout: Layout = find_layout(entries, ())
    return Inventory("fuzz", "", entries, {}, (), (), layout)


def _make_reader() -> PythonReader:
    inventory = _inventory()
    gone = [path for path in _PATHS[5:] if inventory.entries[path].kind == "file"]
    candidates = {path: Removal("--drop gone", "pattern") for path in gone}
    modules = Modules(inventory, candidates)
    words = (Word("dlopen", b"CDLL"), Word("ctypes", b"ctypes", whole=True))
    return PythonReader(modules, DataNames(inventory, candidates, modules), words, candidates)


_READER = _make_reader()


def read_source(data: bytes, _place: str) -> object:
    """Read a file as a module that stays, one that goes, and as what no module is."""
    said = [
        _READER.read(path, data) for path in (f"{_SITE}a/__init__.py", f"{_SITE}a/b.py", "bin/x")
    ]
    is_python_script(data)
    list(import_line(data.decode("utf-8", "surrogateescape").partition("\n")[0]))
    return [(len(facts.imports) > 0, facts.parsed, sorted(facts.words)) for facts in said]


def read_bytecode(data: bytes, _place: str) -> object:
    """Read a file as bytecode without its source."""
    return len(_READER.read_bytecode(f"{_SITE}a/f.pyc", data).imports)


_SOURCE = b"""#!/usr/bin/env python
# coding: utf-8
import os, a.b as c; import a.sub.e
from a import (b,  # x
    c as d, sub)
from . import b
from .sub \\
    import e
if TYPE_CHECKING:
    import a.d
x = importlib.import_module("a." + name, package=__name__)
def __getattr__(name): return __import__(f"a.{name}", fromlist=["b"])
y = pkgutil.iter_modules(__path__); ctypes.CDLL("liba.so.1"); open("data.txt")
attach(__name__, ["b"]); "a.sub:e"; __all__ = ["b", "sub"]
sys.modules["a.b"]; "a.b".startswith("a.b"); import_module('a.b', 'a')
"""


def sources() -> Sequence[bytes]:
    """A source with everything that is looked for."""
    return _SOURCE, _SOURCE.replace(b"\n", b"\r\n"), b"import a.b\n", b"x = 1\n"


_WORDS = (
    *(b"import ", b"from ", b"import_module(", b"__import__(", b"a.b", b"a.", b"(", b"\\\n", b"#"),
    *(
        b"if TYPE_CHECKING:\n",
        b"'",
        b'"""',
        b"iter_modules(",
        b"attach(",
        b"def __getattr__",
        b"import(\n",
    ),
    *(
        b"lambda:",
        b"x=" * 9,
        b"f'{",
        b"\t",
        b"\f",
        b"\\N{",
        b"# coding: utf-7\n",
        b"import a.b,",
        b".",
    ),
)
_COST = Cost(seconds_per_mib=60.0, memory_per_byte=3000)
"""A byte of source can be a node of the syntax tree, of 500 bytes and more."""
PYTHON = Target("python", read_source, sources, _WORDS, cost=_COST)
BYTECODE = Target(
    "bytecode", read_bytecode, lambda: (b"\xa7\r\r\n" + b"a.b\xdac\0sub.e" * 3,), _WORDS
)
