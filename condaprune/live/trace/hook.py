"""Runs inside the traced Python as its ``sitecustomize``: notes which module asked for a file.

The audit recorder copies this file; condaprune itself never imports it. It must run on Python
3.8 and load nothing that the interpreter has not loaded by then, since loading is recorded. It
writes one file a process, of fields that end in NUL, four to an event (kind, path, module, how).
Each event is written at once, by a handle that is closed again: the process may end without
notice, and one that closes all its handles must not find ours in a number it reuses.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_TARGET = os.environ.get("CONDAPRUNE_AUDIT", "")
_PLUMBING = frozenset(
    ("importlib", "io", "_pyio", "codecs", "os", "posixpath", "genericpath", "pathlib", "glob",
     "pathlib._local", "pathlib._abc", "fnmatch", "tempfile", "shutil", "linecache", "pkgutil",
     "subprocess", "ctypes", "zipimport")
)  # fmt: skip
"""Modules that open files on behalf of another: the asker is whoever called them."""


def _import_name() -> int:
    """The opcode of an import statement in this Python: third in line after RESUME, if any."""
    return compile("import a", "a", "exec").co_code[6 if sys.version_info >= (3, 11) else 4]


class _Hook:
    """Receives audit events; it never raises, since that would stop the audited program."""

    def __init__(self, target: str) -> None:
        self.target = target
        prefixes = (os.environ.get("CONDAPRUNE_AUDIT_PREFIX", ""), sys.prefix, sys.base_prefix)
        self.starts = tuple({text.rstrip("/") + "/" for text in prefixes if text})
        self.import_name = _import_name()
        self.seen: set[tuple[str, str, str, str]] = set()
        self.busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.busy or event not in _READERS:
            return
        self.busy = True
        try:
            kind, path = _READERS[event](arguments)
            if path:
                self.note(kind, path)
        except Exception:  # see above
            return
        finally:
            self.busy = False

    def note(self, kind: str, path: Any) -> None:
        path = os.fsdecode(path)
        if not path.startswith("/"):
            path = os.getcwd() + "/" + path
        if not path.startswith(self.starts) and path + "/" not in self.starts:
            return
        module, how = self.asker()
        if kind == "list" and how:
            module, how = "importlib", ""
        key = (kind, path, module, how)
        if key in self.seen:
            return
        self.seen.add(key)
        fields = (kind.encode(), os.fsencode(path), module.encode("utf-8", "replace"), how.encode())
        line = b"".join(field + b"\0" for field in fields)
        name = self.target + "/" + str(os.getpid())
        handle = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def asker(self) -> tuple[str, str]:
        """The module whose code led here, and how: "", "import", or "computed" import."""
        how = ""
        name = ""
        frame: Any = sys._getframe(3)  # noqa: SLF001 - the only way to see who asks
        while frame is not None:
            code = frame.f_code
            name = str(frame.f_globals.get("__name__", ""))
            if code.co_filename.startswith("<frozen importlib") or name.startswith("importlib."):
                how = how or "import"
            elif name == "importlib":
                how = "computed"
            elif name not in _PLUMBING:
                if how == "import" and code.co_code[frame.f_lasti] != self.import_name:
                    how = "computed"
                return name, how
            frame = frame.f_back
        return name, how


def _code(arguments: tuple[Any, ...]) -> tuple[str, Any]:
    # A module that comes from bytecode: its source was looked at, never opened.
    code = arguments[0]
    if getattr(code, "co_name", "") == "<module>" and not code.co_filename.startswith("<"):
        return "stat", code.co_filename
    return "", ""


def _popen(arguments: tuple[Any, ...]) -> tuple[str, Any]:
    executable, words = arguments[0], arguments[1]
    if not executable and not isinstance(words, (str, bytes)):
        executable = words[0]
    return "exec", executable if executable and os.path.isabs(executable) else ""


_READERS: Any = {
    "open": lambda a: ("open", a[0] if isinstance(a[0], (str, bytes, os.PathLike)) else ""),
    "import": lambda a: ("open", a[1]),
    "exec": _code,
    "os.listdir": lambda a: ("list", a[0] if isinstance(a[0], (str, bytes)) else ""),
    "os.scandir": lambda a: ("list", a[0] if isinstance(a[0], (str, bytes)) else ""),
    "sqlite3.connect": lambda a: ("open", a[0]),
    "ctypes.dlopen": lambda a: ("open", a[0] if a[0] and b"/" in os.fsencode(a[0]) else ""),
    "os.exec": lambda a: ("exec", a[0]),
    "os.posix_spawn": lambda a: ("exec", a[0]),
    "subprocess.Popen": _popen,
}


def _chain() -> None:
    """Run the ``sitecustomize`` that would have run without us, under its own name."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    for finder in list(sys.meta_path):
        spec = finder.find_spec("sitecustomize", None) if hasattr(finder, "find_spec") else None
        if spec is not None and spec.loader is not None:
            bootstrap: Any = sys.modules["_frozen_importlib"]
            module = bootstrap.module_from_spec(spec)
            sys.modules["sitecustomize"] = module
            spec.loader.exec_module(module)
            return


if __name__ == "sitecustomize":
    if _TARGET and hasattr(sys, "addaudithook"):
        sys.addaudithook(_Hook(_TARGET))
    _chain()
