"""What the contents of files say: compressed bytes, symbols that ``strip`` would take, duplicates.

Compressed bytes are what contents take in one zstd stream of level 3, as in an image layer or
archive without its tar headers. Exact, everything is compressed; estimated, a sample of each
extension gives its ratio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from condaprune.errors import SourceError
from condaprune.formats.elf import Reader
from condaprune.formats.elfstrip import symbol_size
from condaprune.model import Entry, Inventory, Progress, no_progress
from condaprune.paths import to_bytes
from condaprune.report.audit.model import Duplicate, Item
from condaprune.report.audit.views import extension_of
from condaprune.sources.base import Parts, Source, Streamed

_LEVEL = 3
_SAMPLE = 24 << 20
"""Bytes that are compressed to estimate an environment."""
_LEAST_DUPLICATE = 4096
"""Duplicates of smaller files hardly take more room on disk."""
_LEAST_ELF = 64
_GROUP_LEAST = 192 << 10
_PIECE = 128 << 10
_BATCH = 256 << 10
_CHUNK = 1 << 20
_TEXT = tuple(
    ".py .pyc .pyi .h .hpp .txt .json .md .rst .js .css .html .xml .csv .pem .a .mo .gz .zip .png "
    ".svg .ttf .c .cpp .pyx .pxd .map .yaml .yml .toml .cfg .jar .npz .npy .dat".split()
)


def readers(
    source: Source, paths: Iterable[str], *, strict: bool = False
) -> Iterator[tuple[str, Reader]]:
    """A reader of parts of each file; those that cannot be read are left out.

    Errors: `SourceError` for a file that cannot be read where *strict*.
    """
    if not isinstance(source, Parts) or isinstance(source, Streamed):
        for path, data in source.read_many(list(paths)):
            yield path, partial(_part, data)
        return
    for path in paths:
        try:
            source.read_part(path, 0, 0)
        except SourceError:
            if strict:
                raise
            continue
        yield path, partial(source.read_part, path)


def _part(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]


def may_be_elf(entry: Entry, *, objects: bool = False) -> bool:
    """Whether an entry may be a program or library, or with *objects* any other ELF file."""
    if entry.kind != "file" or entry.size < _LEAST_ELF:
        return False
    name = entry.path.rpartition("/")[2]
    if ".so" in name:
        return True
    return (objects or bool(entry.mode & 0o111)) and not name.endswith(_TEXT)


def strippable_sizes(source: Source, inventory: Inventory) -> dict[str, int]:
    """Bytes of symbols and debug sections by path, only where there are any."""
    paths = [e.path for e in inventory.entries.values() if may_be_elf(e, objects=True)]
    sizes = ((path, symbol_size(read)) for path, read in readers(source, paths))
    return {path: size for path, size in sizes if size}


def find_duplicates(
    source: Source, inventory: Inventory, items: Iterable[Item]
) -> tuple[Duplicate, ...]:
    """Groups of files of equal content, the most wasteful first; small files are left out.

    Hard links to one file are one copy. Contents are read where sizes are equal, since files may
    have changed after their package was installed. Errors: `SourceError`.
    """
    by_size: dict[int, list[str]] = {}
    for item in items:
        if item.kind == "file" and item.bytes >= _LEAST_DUPLICATE:
            by_size.setdefault(inventory.entries[item.path].size, []).append(item.path)
    alike = [path for paths in by_size.values() if len(paths) > 1 for path in paths]
    groups: dict[tuple[int, bytes], list[str]] = {}
    for path, data in source.read_many(alike):
        digest = hashlib.blake2b(data, digest_size=16).digest()
        groups.setdefault((inventory.entries[path].size, digest), []).append(path)
    duplicates = [
        Duplicate(size, tuple(sorted(paths, key=to_bytes)))
        for (size, _), paths in groups.items()
        if len(paths) > 1
    ]
    return tuple(sorted(duplicates, key=lambda d: (-d.wasted, d.paths)))


def compressed_sizes(
    source: Source, inventory: Inventory, *, exact: bool, progress: Progress = no_progress
) -> dict[str, int]:
    """Compressed bytes by path, of files that have content. Errors: `SourceError`."""
    files = _files(inventory)
    if exact:
        return _exact(source, files, progress)
    progress("sample to compress", 0, 0)
    return _estimated(source, files)


def _files(inventory: Inventory) -> list[Entry]:
    """Each file with content once, whatever hard links it has."""
    unique: dict[object, Entry] = {}
    for entry in inventory.entries.values():
        if entry.kind == "file" and entry.size:
            unique.setdefault(entry.identity if entry.links > 1 else entry.path, entry)
    return list(unique.values())


def _exact(source: Source, files: Sequence[Entry], progress: Progress) -> dict[str, int]:
    total = sum(entry.size for entry in files)
    sizes = {entry.path: entry.size for entry in files}
    stream = _Stream()
    done = 0
    for path, read in readers(source, sizes, strict=True):
        for at in range(0, sizes[path], _CHUNK):
            stream.write(path, read(at, _CHUNK))
        done += sizes[path]
        progress("compress", done, total)
    return _whole_bytes(stream.finish(), sizes)


class _Stream:
    """One zstd stream that knows which bytes of its output are due to which name.

    It flushes every 256 KiB and gives each name its part of what came out by what went in; the
    sum is the length of the stream.
    """

    def __init__(self) -> None:
        import zstandard

        self._compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
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
            self._distribute()

    def finish(self) -> dict[str, float]:
        """Bytes of output by name."""
        self._out += len(self._compressor.flush())
        self._distribute()
        return self._sizes

    def _distribute(self) -> None:
        if self._waiting:
            for name, size in self._pending.items():
                part = self._out * size / self._waiting
                self._sizes[name] = self._sizes.get(name, 0.0) + part
            self._out = 0
        self._pending.clear()
        self._waiting = 0


def _whole_bytes(sizes: dict[str, float], names: Iterable[str]) -> dict[str, int]:
    """Whole bytes whose sum is the rounded sum: the rest of each rounding is carried on."""
    whole: dict[str, int] = {}
    carried = 0.0
    for name in names:
        carried += sizes.get(name, 0.0)
        whole[name] = round(carried)
        carried -= whole[name]
    return whole


def _estimated(source: Source, files: Sequence[Entry]) -> dict[str, int]:
    groups: dict[str, list[Entry]] = {}
    for entry in files:
        groups.setdefault(extension_of(entry.path), []).append(entry)
    total = sum(entry.size for entry in files) or 1
    samples: dict[str, tuple[str, list[tuple[int, int]]]] = {}
    for name, members in groups.items():
        share = _SAMPLE * sum(entry.size for entry in members) // total
        for path, pieces in _sample(members, max(_GROUP_LEAST, share)).items():
            samples[path] = (name, pieces)
    stream = _Stream()
    sampled: dict[str, int] = {}
    for path, read in readers(source, samples, strict=True):
        name, pieces = samples[path]
        for at, length in pieces:
            data = read(at, length)
            stream.write(name, data)
            sampled[name] = sampled.get(name, 0) + len(data)
    compressed = stream.finish()
    ratios = {name: compressed[name] / length for name, length in sampled.items() if length}
    return {
        entry.path: round(entry.size * ratios.get(name, 1.0))
        for name, members in groups.items()
        for entry in members
    }


def _sample(entries: Sequence[Entry], budget: int) -> dict[str, list[tuple[int, int]]]:
    """Pieces (offset, length) of files, spread evenly over the bytes of a group."""
    whole = sum(entry.size for entry in entries)
    if whole <= budget:
        return {entry.path: [(0, entry.size)] for entry in entries}
    step = max(_PIECE, whole * _PIECE // budget)
    pieces: dict[str, list[tuple[int, int]]] = {}
    start, due = 0, step // 2
    for entry in entries:
        while due < start + entry.size:
            at = max(0, min(due - start, entry.size - _PIECE))
            pieces.setdefault(entry.path, []).append((at, min(_PIECE, entry.size - at)))
            due += step
            if entry.size <= _PIECE:
                due = max(due, start + entry.size)
        start += entry.size
    return pieces
