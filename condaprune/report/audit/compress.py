"""Compressed bytes: what the contents take in one zstd stream, file by file.

The measure is that of an image layer or archive without its tar headers: one stream, level 3.
Exact, everything is compressed; estimated, a sample of each extension tells its ratio.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from condaprune.errors import SourceError
from condaprune.model import Entry, Inventory, Progress, no_progress
from condaprune.paths import to_bytes
from condaprune.report.audit.subject import Environment
from condaprune.report.audit.views import extension_of

LEVEL = 3
SAMPLE = 24 << 20
"""Bytes that are compressed to estimate an environment."""
_GROUP_LEAST = 192 << 10
_PIECE = 128 << 10
_BATCH = 256 << 10
_CHUNK = 1 << 20


def compressed_sizes(
    subject: Environment, inventory: Inventory, *, exact: bool, progress: Progress = no_progress
) -> dict[str, int]:
    """Compressed bytes by path, of files that have content. Errors: `SourceError`."""
    files = _files(inventory)
    if exact:
        return _exact(subject, files, progress)
    progress("sample to compress", 0, 0)
    return _estimated(subject, files)


def _files(inventory: Inventory) -> list[Entry]:
    """Each file with content once, whatever hard links it has."""
    seen: set[tuple[int, int]] = set()
    found = []
    for entry in inventory.entries.values():
        if entry.kind != "file" or not entry.size:
            continue
        if entry.links > 1:
            if entry.identity in seen:
                continue
            seen.add(entry.identity)
        found.append(entry)
    return found


def _exact(subject: Environment, files: Sequence[Entry], progress: Progress) -> dict[str, int]:
    total = sum(entry.size for entry in files)
    stream = Stream()
    done = 0
    sizes = {entry.path: entry.size for entry in files}
    for path, pieces in _contents(subject, files):
        for piece in pieces:
            stream.write(path, piece)
            done += len(piece)
        progress("compress", done, total)
    return _spread(stream.finish(), sizes)


class Stream:
    """One zstd stream that knows which bytes of its output are due to which name.

    It flushes every 256 KiB and gives each name its part of what came out by what went in; the
    sum is the length of the stream.
    """

    def __init__(self, level: int = LEVEL) -> None:
        import zstandard

        self._compressor = zstandard.ZstdCompressor(level=level).compressobj()
        self._flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        self._pending: dict[str, int] = {}
        self._waiting = self._out = 0
        self._sizes: dict[str, float] = {}

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Put content in, which belongs to *name*."""
        self._out += len(self._compressor.compress(data))
        self._pending[name] = self._pending.get(name, 0) + len(data)
        self._waiting += len(data)
        if self._waiting >= _BATCH:
            self._out += len(self._compressor.flush(self._flush))
            self._settle()

    def finish(self) -> dict[str, float]:
        """Bytes of output by name."""
        self._out += len(self._compressor.flush())
        self._settle()
        return self._sizes

    def _settle(self) -> None:
        if self._waiting:
            for name, size in self._pending.items():
                part = self._out * size / self._waiting
                self._sizes[name] = self._sizes.get(name, 0.0) + part
            self._out = 0
        self._pending.clear()
        self._waiting = 0


def _spread(sizes: dict[str, float], wanted: Iterable[str]) -> dict[str, int]:
    """Whole bytes whose sum is the rounded sum: what rounding cuts off is carried on."""
    found: dict[str, int] = {}
    carried = 0.0
    for name in wanted:
        carried += sizes.get(name, 0.0)
        found[name] = round(carried)
        carried -= found[name]
    return found


def _estimated(subject: Environment, files: Sequence[Entry]) -> dict[str, int]:
    groups: dict[str, list[Entry]] = {}
    for entry in files:
        groups.setdefault(extension_of(entry.path), []).append(entry)
    total = sum(entry.size for entry in files) or 1
    samples: dict[str, list[tuple[Entry, int, int]]] = {}
    for name, held in groups.items():
        whole = sum(entry.size for entry in held)
        samples[name] = _sample(held, max(_GROUP_LEAST, SAMPLE * whole // total))
    stream = Stream()
    taken: dict[str, int] = {}
    for name, data in _sampled(subject, samples):
        stream.write(name, data)
        taken[name] = taken.get(name, 0) + len(data)
    out = stream.finish()
    ratios = {name: out[name] / taken[name] for name in taken if taken[name]}
    return {
        entry.path: round(entry.size * ratios.get(name, 1.0))
        for name, held in groups.items()
        for entry in held
    }


def _sample(entries: Sequence[Entry], budget: int) -> list[tuple[Entry, int, int]]:
    """Pieces (entry, offset, length) spread evenly over the bytes of a group."""
    whole = sum(entry.size for entry in entries)
    if whole <= budget:
        return [(entry, 0, entry.size) for entry in entries]
    step = max(_PIECE, whole * _PIECE // budget)
    found, start, due = [], 0, step // 2
    for entry in entries:
        while due < start + entry.size:
            at = max(0, min(due - start, entry.size - _PIECE))
            found.append((entry, at, min(_PIECE, entry.size - at)))
            due += step
            if entry.size <= _PIECE:
                due = max(due, start + entry.size)
        start += entry.size
    return found


def _sampled(
    subject: Environment, samples: dict[str, list[tuple[Entry, int, int]]]
) -> Iterator[tuple[str, bytes]]:
    if subject.prefix:
        for name, pieces in samples.items():
            for entry, at, length in pieces:
                yield name, _piece(subject.prefix, entry.path, at, length)
        return
    wanted: dict[str, list[tuple[str, int, int]]] = {}
    for name, pieces in samples.items():
        for entry, at, length in pieces:
            wanted.setdefault(entry.path, []).append((name, at, length))
    for path, data in subject.source.read_many(list(wanted)):
        for name, at, length in wanted[path]:
            yield name, data[at : at + length]


def _contents(
    subject: Environment, files: Sequence[Entry]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    if subject.prefix:
        for entry in files:
            yield entry.path, _pieces(subject.prefix, entry.path)
        return
    for path, data in subject.source.read_many([entry.path for entry in files]):
        yield path, (data,)


def _pieces(prefix: str, path: str) -> Iterator[bytes]:
    def read(handle: int) -> Iterator[bytes]:
        while data := os.read(handle, _CHUNK):
            yield data

    yield from _opened(prefix, path, read)


def _piece(prefix: str, path: str, at: int, length: int) -> bytes:
    return b"".join(_opened(prefix, path, lambda handle: (os.pread(handle, length, at),)))


def _opened(prefix: str, path: str, read: Callable[[int], Iterable[bytes]]) -> Iterator[bytes]:
    name = to_bytes(f"{prefix}/{path}")
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield from read(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror}",
            where=os.fsdecode(name),
            remedy="Run condaprune as a user who may read the whole environment",
        ) from error
