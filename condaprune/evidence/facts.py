"""What files say that guards go by: each file is read at most once, and only facts are kept.

Of a source that can be read at random only what is kept is read, and then what is rescued. Of a
source that is a stream and does not hold it, all that may matter is read in one pass.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from condaprune.errors import SourceError
from condaprune.evidence.prefilter import Prefilter, Word
from condaprune.evidence.pysource import NOTHING, PythonFacts, PythonReader
from condaprune.formats.binary import MAGICS, read_binary
from condaprune.formats.elf import BinaryFacts, Reader, holds_compiler, texts_of
from condaprune.model import Inventory, Progress, no_progress
from condaprune.paths import printable
from condaprune.sources.base import Contents, Parts, Streamed
from condaprune.sources.kinds import (
    ACTIVATION,
    BYTECODE,
    C_SOURCE,
    IMPORT_PATHS,
    INCLUDING,
    LARGEST,
    LIBRARY,
    PROGRAM,
    PYTHON,
    FileKind,
    Kinds,
)

if TYPE_CHECKING:
    from condaprune.evidence.csource import CFacts

_BATCH = 256  # files between two reports of progress
_HEAD = 4096
_MOST_MEMBERS = 4
_PAYS = 1_500  # files; with fewer, forking costs about what it saves
_ZIP_END, _TAIL = b"PK\5\6", (1 << 16) + 22


@dataclass(frozen=True, slots=True)
class Findings:
    """What files say, by path; files that say nothing are left out."""

    python: dict[str, PythonFacts] = field(default_factory=dict)
    elf: dict[str, BinaryFacts] = field(default_factory=dict)
    text: dict[str, bytes] = field(default_factory=dict)
    """Small files kept whole: entry points, ``.pth`` files, activation scripts."""
    c: dict[str, CFacts] = field(default_factory=dict)

    def update(self, other: Findings) -> None:
        """Take in what other files say."""
        self.python.update(other.python)
        self.elf.update(other.elf)
        self.text.update(other.text)
        self.c.update(other.c)


class Facts:
    """Facts by path, filled as batches of files are loaded.

    *kinds* are those to be read besides Python files, *searched* the shared libraries in which to
    look for a compiler of C, *members* is how many processes read a large batch from a disk, 0 for
    as many as pay. Files of C, and those that include them, are read only where asked for.
    """

    def __init__(
        self,
        inventory: Inventory,
        contents: Contents,
        reader: PythonReader,
        kinds: frozenset[FileKind],
        searched: frozenset[str],
        progress: Progress,
        members: int,
    ) -> None:
        self._found = found = Findings()
        self.python, self.elf, self.text, self.c = found.python, found.elf, found.text, found.c
        self.reads = 0
        self._label = inventory.label
        self._entries = inventory.entries
        self._site = frozenset((*inventory.layout.site, *inventory.layout.stdlib))
        self._bin = frozenset(inventory.layout.roots.get("bin", ()))
        self._contents = contents
        self._reader = reader
        self._kinds = Kinds(kinds)
        self._wanted = kinds | ({PYTHON, BYTECODE, PROGRAM} if reader else frozenset())
        self._elf = LIBRARY in kinds
        self._searched = searched
        self._asked: set[str] = set()
        self._progress = progress
        self._members = members
        self._seen: set[str] = set()
        self._parts = contents if isinstance(contents, Parts) else None
        self._stream = contents if isinstance(contents, Streamed) else None
        self._sequential = self._stream is not None and not self._stream.holds(
            list(filter(self._kind, self._entries))
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
            paths = dict.fromkeys((*paths, *filter(self._unsearched, sorted(self._searched))))
        kinds = ((path, self._kind(path)) for path in paths if path not in self._seen)
        wanted = {path: kind for path, kind in kinds if kind is not None}
        self._seen.update(wanted)
        self.reads += len(wanted)
        if self._parts is not None and self._stream is None:
            members = self._members or members_for(len(wanted))
            if members > 1:
                self._read_together(wanted, members)
                return
        self._found.update(self._read(wanted))

    def ask(self, paths: Iterable[str]) -> None:
        """Let files of C, and files that include them, be read when they are loaded."""
        self._asked.update(path for path in paths if self._entries[path].size <= LARGEST)

    def mentions(self, paths: Collection[str], words: Sequence[Word]) -> frozenset[str]:
        """The keys of the words that stand in the texts of binaries, or in the names of their
        symbols. Each binary is read once more for that: ask for few."""
        match = Prefilter(words).match
        return frozenset().union(*map(match, self._texts(paths)))

    def _texts(self, paths: Collection[str]) -> Iterator[bytes]:
        if self._parts is None or self._stream is not None:
            yield from (data for _, data in self._contents.read_many(paths))
            return
        for path in paths:
            yield from texts_of(partial(self._parts.read_part, path), self._entries[path].size)

    def lines(self, path: str) -> Iterator[tuple[int, str]]:
        """The lines of a file kept whole, numbered from 1."""
        text = self.text.get(path, b"").decode("utf-8", "surrogateescape")
        yield from enumerate(text.splitlines(), 1)

    def _read_together(self, wanted: Mapping[str, FileKind], members: int) -> None:
        """Read files with other processes; what these do not deliver is read by this one."""
        from condaprune.evidence.sharing import share  # small environments do without

        parts = [dict(list(wanted.items())[number::members]) for number in range(members)]
        report, total = self._progress, len(wanted)

        def read(number: int) -> Findings:
            self._progress = no_progress
            if number == 0:
                self._progress = lambda stage, done, _: report(stage, done * members, total)
            return self._read(parts[number])

        try:
            done = share(read, members)
        finally:
            self._progress = report
        for findings in done.values():
            self._found.update(findings)
        lacking = {p for number in range(members) if number not in done for p in parts[number]}
        if lacking:  # in the order of one process, so that the same error is raised
            self._found.update(self._read({p: kind for p, kind in wanted.items() if p in lacking}))

    def _read(self, wanted: Mapping[str, FileKind]) -> Findings:
        """Read files, given with their kinds, in this process."""
        found = Findings()
        whole: list[str] = []
        done, total = 0, len(wanted)
        for path, kind in wanted.items():
            if kind.form == "binary" and self._sampled(path):
                done = self._step(done, total)
                if not self._sample(path, kind, found):
                    continue
                done -= 1  # it is counted when it is read whole
            if self._is_readable(path, kind, found):
                whole.append(path)
        for path, data in self._contents.read_many(whole) if whole else ():
            done = self._step(done, total)
            self._take(path, wanted[path], data, found)
        return found

    def _is_readable(self, path: str, kind: FileKind, found: Findings) -> bool:
        """Whether a file is small enough to be read whole; the facts of a larger one are noted.

        Errors: `SourceError` for a text that people write, which is never as large.
        """
        if self._entries[path].size <= LARGEST:
            return True
        if kind.form == "text":
            raise SourceError(
                f"is larger than {LARGEST:,} bytes, which no {kind.name} is",
                where=f"{self._label}/{printable(path)}",
                remedy="Remove it, or install its package again",
            )
        if kind.form == "binary":  # a script
            if self._parts is None or self._stream is not None:
                return True
            tail = self._parts.read_part(path, self._entries[path].size - _TAIL, _TAIL)
            if _ZIP_END in tail:
                return False  # an application in one file, which brings what it imports
        if self._reader:
            found.python[path] = self._reader.anything("is too large to be read and may need")
        return False

    def _step(self, done: int, total: int) -> int:
        if done % _BATCH == 0:
            self._progress("guards", done, total)
        return done + 1

    def _sampled(self, path: str) -> bool:
        """Whether a few parts of a binary can be had for less than the whole."""
        if self._stream is not None and self._parts is not None:
            return self._stream.holds((path,)) and not self._unsearched(path)
        return self._parts is not None

    def _unsearched(self, path: str) -> bool:
        """Whether a library of a stream must be searched for a compiler."""
        stream = self._stream
        return stream is not None and path in self._searched and stream.has_compiler(path) is None

    def _kind(self, path: str) -> FileKind | None:
        """What a file is to be read as; None where it says nothing that anybody asks for."""
        entry = self._entries[path]
        if entry.kind != "file" or not entry.size:
            return None
        kind = self._kinds.of(path, entry.mode)
        if kind not in self._wanted:
            return kind if path in self._searched else None
        if kind is PYTHON or kind is LIBRARY:
            return kind
        above, _, name = path.rpartition("/")
        if kind is BYTECODE:
            here = path[:-1] not in self._entries
        elif kind is IMPORT_PATHS:
            here = above in self._site
        elif kind is ACTIVATION:
            here = above.startswith("etc/conda/")
        elif kind is C_SOURCE or kind is INCLUDING:
            here = path in self._asked
        else:
            named = above in self._bin or "." not in name or name.endswith(".exe")
            here = kind is not PROGRAM or named
        return kind if here else None

    def _sample(self, path: str, kind: FileKind, found: Findings) -> bool:
        """Read a binary's few parts. Returns whether the file is a script to be read whole."""
        parts = self._parts
        assert parts is not None
        head = parts.read_part(path, 0, _HEAD)

        def read(offset: int, size: int) -> bytes:
            if offset + size <= len(head):
                return head[offset : offset + size]
            return parts.read_part(path, offset, size)

        if head[:4] in MAGICS:
            self._take_elf(path, read, found)
        elif kind is PROGRAM:
            if len(head) == _HEAD:
                return is_python_script(head)
            self._take(path, kind, head, found)
        return False

    def _take(self, path: str, kind: FileKind, data: bytes, found: Findings) -> None:
        said = NOTHING
        if kind.form == "text":
            found.text[path] = data
        elif kind.form == "c":
            from condaprune.evidence.csource import read_source  # few environments have such files

            found.c[path] = read_source(path, data)
        elif kind.form == "python" or (kind is PROGRAM and is_python_script(data)):
            said = self._reader.read(path, data)
        elif kind.form == "bytecode":
            said = self._reader.read_bytecode(path, data)
        elif data[:4] in MAGICS:
            self._take_elf(path, lambda at, size: data[at : at + size], found)
        if said is not NOTHING:
            found.python[path] = said

    def _take_elf(self, path: str, read: Reader, found: Findings) -> None:
        if not (self._elf or path in self._searched):
            return
        # A damaged one says nothing: it is as if nobody linked to it.
        facts = read_binary(read) or BinaryFacts()
        if path in self._searched:
            known = self._stream.has_compiler(path) if self._stream is not None else None
            if holds_compiler(read, self._entries[path].size) if known is None else known:
                facts = replace(facts, compiler=True)
        found.elf[path] = facts


def is_python_script(data: bytes) -> bool:
    """Whether a script is run by Python, directly or through a shell (long shebang lines)."""
    if data[:2] != b"#!":
        return False
    head = data[:_HEAD].split(b"\n", 3)
    if b"python" in head[0] or b"pypy" in head[0]:
        return True
    return len(head) > 1 and head[0].startswith(b"#!/bin/sh") and head[1].startswith(b"'''exec'")


def members_for(files: int) -> int:
    """How many processes are to read *files* files: 1 where more do not pay or are not safe.

    Only a process of one thread is forked: another thread might hold a lock, for ever in the copy.
    """
    if files < _PAYS or sys.platform != "linux":
        return 1
    try:
        alone = len(os.listdir("/proc/self/task")) == 1
        return min(len(os.sched_getaffinity(0)), _MOST_MEMBERS) if alone else 1
    except OSError:
        return 1
