"""What files say that guards go by: each file is read at most once, and only facts are kept.

Of a source that can be read at random only what is kept is read, and then what is rescued. Of a
source that is a stream and does not hold it, all that may matter is read in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from condaprune.evidence.bytecode import read_bytecode
from condaprune.evidence.pysource import NOTHING, PythonFacts, PythonReader
from condaprune.evidence.sharing import cut, members_for, share
from condaprune.formats.binary import MAGICS, read_binary
from condaprune.formats.elf import ElfFacts, holds_compiler
from condaprune.model import Entry, Inventory, Progress, no_progress
from condaprune.paths import parent
from condaprune.sources.base import Contents, Parts, Streamed

_LIBRARY = re.compile(r"\.(?:so(?:\.[\w.]+)?|dylib)$")
_BATCH = 256  # files between two reports of progress
_HEAD = 4096
_OPENING = 12_000  # bytes that are searched in the time that opening a file takes
_Said = PythonFacts | ElfFacts | bytes | bool | None


@dataclass(frozen=True, slots=True)
class Interest:
    """Which kinds of files the candidates make worth reading."""

    python: bool = True
    stubs: bool = True
    elf: bool = True
    compilers: frozenset[str] = frozenset()
    """Shared libraries to be searched for a compiler of C."""


class Facts:
    """Facts by path, filled as batches of files are loaded.

    *members* is how many processes read a large batch from a disk, 0 for as many as pay.
    """

    def __init__(
        self,
        inventory: Inventory,
        contents: Contents,
        candidates: Collection[str],
        reader: PythonReader,
        interest: Interest,
        progress: Progress,
        members: int = 0,
    ) -> None:
        self.python: dict[str, PythonFacts] = {}
        self.elf: dict[str, ElfFacts] = {}
        self.text: dict[str, bytes] = {}
        """Small files kept whole: entry points, ``.pth`` files, activation scripts."""
        self.reads = 0
        self._entries = inventory.entries
        self._site = frozenset((*inventory.layout.site, *inventory.layout.stdlib))
        self._bin = frozenset(inventory.layout.roots.get("bin", ()))
        self._contents = contents
        self._candidates = candidates
        self._reader = reader
        self._interest = interest
        self._progress = progress
        self._members = members
        self._seen: set[str] = set()
        self._parts = contents if isinstance(contents, Parts) else None
        self._stream = contents if isinstance(contents, Streamed) else None
        self._sequential = self._stream is not None and not self._stream.holds(
            [path for path, entry in self._entries.items() if self._kind(path, entry)]
        )

    def load(self, paths: Iterable[str]) -> None:
        """Read those of *paths* that say something and were not read yet."""
        if self._sequential:
            if self._seen:
                return
            self._seen.add("")
            paths = self._entries
        elif self._stream is not None and not self._seen:
            # What is read whole costs a pass: once for all of them.
            unseen = filter(self._unseen, sorted(self._interest.compilers))
            paths = dict.fromkeys((*paths, *unseen))
        wanted: dict[str, str] = {}
        for path in paths:
            if path not in self._seen:
                kind = self._kind(path, self._entries[path])
                if kind:
                    wanted[path] = kind
        self._seen.update(wanted)
        total = len(wanted)
        if self._parts is not None and self._stream is None:
            members = self._members or members_for(total)
            if 1 < members < total:
                self._read_together(wanted, members)
                return
        self._read(wanted, total)

    def _read_together(self, wanted: Mapping[str, str], members: int) -> None:
        """Read files with other processes; what these do not deliver is read by this one."""
        paths = list(wanted)
        chunks = cut([self._weight(path, kind) for path, kind in wanted.items()], members)
        report, self._progress = self._progress, no_progress

        def work(number: int) -> list[_Said]:
            mine = paths[chunks[number].start : chunks[number].stop]
            self._read({path: wanted[path] for path in mine}, len(mine))
            return [self._pop(path) for path in mine]

        def taken(number: int) -> None:
            if number:
                report("guards", chunks[number].start, len(paths))

        reads = self.reads
        report("guards", 0, len(paths))
        try:
            done = share(len(chunks), work, members, taken)
        finally:
            self._progress = report
        lacking = [chunk for number, chunk in enumerate(chunks) if number not in done]
        left = {path: wanted[path] for chunk in lacking for path in paths[chunk.start : chunk.stop]}
        self.reads = reads + len(wanted) - len(left)
        self._read(left, len(wanted))
        for number, chunk in enumerate(chunks):  # in the order of one process
            mine = paths[chunk.start : chunk.stop]
            for path, said in zip(mine, done.get(number) or map(self._pop, mine), strict=True):
                self._put(path, said)

    def _weight(self, path: str, kind: str) -> int:
        """About what it costs to read a file and to search it, in bytes."""
        whole = kind == "python" or path in self._interest.compilers
        return _OPENING + (self._entries[path].size if whole else 0)

    def _pop(self, path: str) -> _Said:
        """Take out what a file said; `NOTHING`, which most files say, is ``True``."""
        said = self.python.pop(path, None)
        if said is not None:
            return said == NOTHING or said
        found = self.elf.pop(path, None)
        return self.text.pop(path, None) if found is None else found

    def _put(self, path: str, said: _Said) -> None:
        if isinstance(said, bytes):
            self.text[path] = said
        elif isinstance(said, ElfFacts):
            self.elf[path] = said
        elif said is not None:
            self.python[path] = said if isinstance(said, PythonFacts) else NOTHING

    def _read(self, wanted: Mapping[str, str], total: int) -> None:
        """Read files, given with their kinds, in this process: the last of *total*."""
        stream = self._stream
        whole: list[str] = []
        done = total - len(wanted)
        for path, kind in wanted.items():
            sampled = self._parts is not None and (kind == "elf" or kind == "script")
            if sampled and stream is not None:
                sampled = stream.holds((path,)) and not self._unseen(path)
            if sampled:
                done = self._step(done, total)
                self._sample(path, kind, whole)
            else:
                whole.append(path)
        for path, data in self._contents.read_many(whole) if whole else ():
            done = self._step(done, total)
            self._take(path, wanted[path], data)

    def _unseen(self, path: str) -> bool:
        """Whether a library of a stream must be searched for a compiler."""
        stream = self._stream
        if stream is None or path not in self._interest.compilers:
            return False
        return stream.has_compiler(path) is None

    def _step(self, done: int, total: int) -> int:
        self.reads += 1
        if done % _BATCH == 0:
            self._progress("guards", done, total)
        return done + 1

    def _kind(self, path: str, entry: Entry) -> str:
        if entry.kind != "file" or not entry.size:
            return ""
        name = path.rpartition("/")[2]
        suffix = name.rpartition(".")[2] if "." in name else ""
        if suffix in ("py", "pyw"):
            return "python" if self._interest.python else ""
        if suffix == "pyc":
            lone = "__pycache__/" not in path and path[:-1] not in self._entries
            return "bytecode" if lone and self._interest.python else ""
        if suffix == "pyi":
            return "python" if self._interest.stubs else ""
        if (".so" in name or suffix == "dylib") and _LIBRARY.search(name):
            return "elf" if self._interest.elf or path in self._interest.compilers else ""
        above = parent(path)
        if suffix == "pth":
            return "text" if above in self._site else ""
        if name == "entry_points.txt":
            return "text" if above.endswith(("-info", ".egg")) else ""
        if above.startswith("etc/conda/") and above.endswith("activate.d"):
            return "text"
        if entry.mode & 0o111 and (above in self._bin or suffix in ("", "exe")):
            return "script" if self._interest.elf or self._interest.python else ""
        return ""

    def _sample(self, path: str, kind: str, whole: list[str]) -> None:
        """Read a binary's few parts; what is no binary is left for a whole read."""
        parts = self._parts
        assert parts is not None

        def read(offset: int, size: int) -> bytes:
            if offset + size <= len(head):
                return head[offset : offset + size]
            return parts.read_part(path, offset, size)

        head = b""
        head = parts.read_part(path, 0, _HEAD)
        if head[:4] in MAGICS:
            self._take_elf(path, read)
        elif kind == "script":
            if len(head) < _HEAD:
                self._take(path, kind, head)
            elif head[:2] == b"#!":
                self.reads -= 1  # it is counted when it is read whole
                whole.append(path)

    def _take(self, path: str, kind: str, data: bytes) -> None:
        if kind == "text":
            self.text[path] = data
        elif kind == "python":
            self.python[path] = self._reader.read(path, data, doomed=path in self._candidates)
        elif kind == "bytecode":
            modules = self._reader.modules
            self.python[path] = read_bytecode(data, modules.locate(path), modules)
        elif data[:4] in MAGICS:
            self._take_elf(path, lambda offset, size: data[offset : offset + size])
        elif kind == "script" and data[:2] == b"#!" and is_python_script(data):
            self.python[path] = self._reader.read(path, data, doomed=path in self._candidates)

    def _take_elf(self, path: str, read: object) -> None:
        sought = path in self._interest.compilers
        if (self._interest.elf or sought) and callable(read):
            # A damaged one says nothing: it is as if nobody linked to it.
            found = read_binary(read) or ElfFacts()
            if found is not None:
                known = self._stream.has_compiler(path) if self._stream is not None else None
                size = self._entries[path].size
                if sought and (holds_compiler(read, size) if known is None else known):
                    found = replace(found, compiler=True)
                self.elf[path] = found

    def lines(self, path: str) -> Iterator[tuple[int, str]]:
        """The lines of a file kept whole, numbered from 1."""
        text = self.text.get(path, b"").decode("utf-8", "surrogateescape")
        yield from enumerate(text.splitlines(), 1)


def is_python_script(data: bytes) -> bool:
    """Whether a script is run by Python, directly or through a shell (long shebang lines)."""
    head = data[:_HEAD].split(b"\n", 3)
    if b"python" in head[0] or b"pypy" in head[0]:
        return True
    return len(head) > 1 and head[0].startswith(b"#!/bin/sh") and head[1].startswith(b"'''exec'")
