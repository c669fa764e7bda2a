"""Run as a script by the interpreter that the bytecode is for; see `bytecode.py`.

Reads a list of packages from stdin, each with its sources and the file its code objects are kept
in; writes the bytecode below the prefix and prints the paths of what it wrote.
"""

from __future__ import annotations

import _imp
import gc
import importlib.util
import json
import marshal
import os
import sys
from types import CodeType


def main() -> None:
    """Compile all packages of the request."""
    gc.disable()  # it would walk a million live objects over and over
    prefix = sys.argv[1]
    print(json.dumps([_package(prefix, **package) for package in json.load(sys.stdin)]))


def _package(prefix: str, sources: list[str], kept: str | None) -> list[str]:
    codes: dict[str, CodeType] = {}
    if kept and os.path.exists(kept):
        with open(kept, "rb") as handle:
            codes = marshal.loads(handle.read())  # many times faster than load
    else:
        codes = {source: code for source in sources if (code := _compile(prefix, source))}
        if kept:
            _keep(codes, kept)
    return [_write(prefix, source, codes[source]) for source in sources if source in codes]


def _compile(prefix: str, source: str) -> CodeType | None:
    path = os.path.join(prefix, source)
    try:
        with open(path, "rb") as handle:
            return compile(handle.read(), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None  # some packages ship files for other versions, or broken on purpose


def _keep(codes: dict[str, CodeType], kept: str) -> None:
    work = f"{kept}.{os.getpid()}"
    with open(work, "wb") as handle:
        marshal.dump(codes, handle)
    os.replace(work, kept)


def _write(prefix: str, source: str, code: CodeType) -> str:
    path = os.path.join(prefix, source)
    # what the import system does to bytecode that was moved: every nested code object follows
    _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
    state = os.stat(path)
    header = importlib.util.MAGIC_NUMBER + b"\0\0\0\0"
    for number in (int(state.st_mtime), state.st_size):
        header += (number & 0xFFFFFFFF).to_bytes(4, "little")
    target = importlib.util.cache_from_source(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as handle:
        handle.write(header + marshal.dumps(code))
    return os.path.relpath(target, prefix)


if __name__ == "__main__":
    main()
