"""How many bytes ``strip`` would take from ELF files: symbol tables and debug information."""

from __future__ import annotations

import os

from condaprune.formats.elfstrip import symbol_size
from condaprune.model import Entry, Inventory
from condaprune.paths import to_bytes
from condaprune.report.audit.subject import Environment

_TEXT = (
    ".py .pyc .pyi .h .hpp .txt .json .md .rst .js .css .html .xml .csv .pem .a .mo .gz .zip .png "
    ".svg .ttf .c .cpp .pyx .pxd .map .yaml .yml .toml .cfg .jar .npz .npy .dat"
).split()
_NEVER = tuple(_TEXT)


def strippable_sizes(subject: Environment, inventory: Inventory) -> dict[str, int]:
    """Bytes of symbols and debug sections by path, only where there are any."""
    wanted = [e for e in inventory.entries.values() if _may_be_elf(e)]
    found: dict[str, int] = {}
    if subject.prefix:
        for entry in wanted:
            size = _of_file(to_bytes(f"{subject.prefix}/{entry.path}"))
            if size:
                found[entry.path] = size
        return found
    for path, data in subject.source.read_many([entry.path for entry in wanted]):
        size = symbol_size(lambda at, length, data=data: data[at : at + length])  # type: ignore[misc]
        if size:
            found[path] = size
    return found


def _may_be_elf(entry: Entry) -> bool:
    if entry.kind != "file" or entry.size < 64:
        return False
    name = entry.path.rpartition("/")[2]
    return ".so" in name or bool(entry.mode & 0o111) or not name.endswith(_NEVER)


def _of_file(path: bytes) -> int:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0  # unreadable files are the prune's concern; an audit counts what it can
    try:
        return symbol_size(lambda at, length: os.pread(handle, length, at))
    finally:
        os.close(handle)
