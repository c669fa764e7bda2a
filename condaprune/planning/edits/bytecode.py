"""Bytecode that Python takes without a look at its source: unchecked, hash-based (PEP 552).

Bytecode that conda and pip install carries the time and size of its source, and Python compiles
it anew where they differ, as after copying with other times. The marshalled code is the same in
both forms: only the first 16 bytes change, so nothing is compiled and nothing of the
environment runs.

The hash of the source is SipHash with the magic number as key, in one variant up to Python 3.10
and in another from 3.11 on. Bytecode that takes the one which the running Python lacks is left.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Container
from functools import partial
from importlib.util import MAGIC_NUMBER

from condaprune.edit import Edit, Patch
from condaprune.formats.unpack_list import UNPACK, unpack_records
from condaprune.model import Entry, Inventory
from condaprune.paths import to_bytes
from condaprune.sources.base import Contents
from condaprune.sources.owners import source_of_bytecode

HEADER = 16
_NAME = re.compile(r"/__pycache__/[^/]+\.cpython-3\d+t?(\.opt-[12])?\.pyc$")
_CHECKED_BY_TIME = b"\0\0\0\0"
_UNCHECKED = b"\1\0\0\0"
# Named by PEP 552; Python 3.6 and earlier have a header of 12 bytes.
_FIRST_MAGIC = 3390
_FIRST_MAGIC_OF_3_11 = 3450
_PLACEHOLDER = b"_env_plac"
_BECAUSE = "is loaded without a look at its source"


def hash_edits(
    inventory: Inventory, contents: Contents, removed: Container[str]
) -> tuple[list[Edit], tuple[str, ...]]:
    """The edits that make kept bytecode unchecked where it fits its source now, and notes.

    Left as it is: bytecode that is stale, that has no source, whose source holds the prefix,
    which is rewritten where the environment moves, and that of a Python whose hash the running
    one cannot compute (noted). Errors: `SourceError` for unreadable files.
    """
    entries = inventory.entries
    moving = {file.path for record in inventory.records for file in record.prefix_files}
    if UNPACK in entries and entries[UNPACK].kind == "file":
        moving |= {path for path, _, _ in unpack_records(contents.read(UNPACK))}
    sources: dict[str, str] = {}  # bytecode -> its source
    for path in inventory.with_one_name(
        path
        for path, entry in entries.items()
        if entry.kind == "file" and path not in removed and _NAME.search("/" + path)
    ):
        source = source_of_bytecode(path)
        entry = entries.get(source)
        if entry and entry.kind == "file" and source not in removed and source not in moving:
            sources[path] = source
    fitting: dict[str, list[tuple[str, bytes, bytes, Callable[[bytes], bytes]]]] = {}
    foreign = 0
    for path, data in contents.read_many(sources):
        if _fits(data, entries[sources[path]]):
            magic = bytes(data[:4])
            source_hash = _hash_for(magic)
            if source_hash is None:
                foreign += 1
            else:
                found = (path, magic, hashlib.sha256(data).digest(), source_hash)
                fitting.setdefault(sources[path], []).append(found)
    prefixes = [_PLACEHOLDER, *([to_bytes(inventory.prefix)] if inventory.prefix else [])]
    edits: dict[str, Edit] = {}
    for source, data in contents.read_many(fitting):
        if not any(prefix in data for prefix in prefixes):
            for path, magic, digest, source_hash in fitting[source]:
                patch = Patch(magic + _UNCHECKED + source_hash(data))
                edits[path] = Edit(path, b"", entries[path].mode, _BECAUSE, True, patch, digest)
    return [edits[path] for path in sources if path in edits], (_note(foreign),) * bool(foreign)


def _note(foreign: int) -> str:
    modules = "1 module" if foreign == 1 else f"{foreign:,} modules"
    python = "3.10 or older" if _is_newer(MAGIC_NUMBER) else "3.11 or newer"
    return (
        f"the bytecode of {modules} is left as it is: to hash their sources, run condaprune with "
        f"Python {python}"
    )


def _hash_for(magic: bytes) -> Callable[[bytes], bytes] | None:
    """The hash of sources for bytecode with a magic number; None where the running Python has
    another (PyPy has none)."""
    if sys.implementation.name != "cpython" or _is_newer(magic) != _is_newer(MAGIC_NUMBER):
        return None
    import _imp

    return partial(_imp.source_hash, int.from_bytes(magic, "little"))


def _is_newer(magic: bytes) -> bool:
    """Whether bytecode that starts with a magic number takes the hash of Python 3.11 on."""
    return int.from_bytes(magic[:2], "little") >= _FIRST_MAGIC_OF_3_11


def _fits(data: bytes, source: Entry) -> bool:
    """Whether Python would take this bytecode for that source by time and size."""
    if len(data) < HEADER or data[4:8] != _CHECKED_BY_TIME or data[2:4] != b"\r\n":
        return False
    if int.from_bytes(data[:2], "little") < _FIRST_MAGIC:
        return False
    seconds = source.mtime_ns // 1_000_000_000
    stamp = (seconds & 0xFFFFFFFF).to_bytes(4, "little")
    return data[8:16] == stamp + (source.size & 0xFFFFFFFF).to_bytes(4, "little")
