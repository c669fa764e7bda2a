"""Opens a compressed stream by its first bytes and reads it ahead in a thread."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Literal, Protocol, cast

from condaprune.errors import ArchiveError
from condaprune.sources.base import CHUNK

Format = Literal["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip"]

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"\x1f\x8b", "tar.gz"),
    (b"BZh", "tar.bz2"),
    (b"\xfd7zXZ\0", "tar.xz"),
    (b"\x28\xb5\x2f\xfd", "tar.zst"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
)
_MEMORY = 1 << 27
"""The largest window that a decompressor may ask for, as for ``zstd --ultra -22``."""
_AHEAD = 4


def sniff(head: bytes, where: str) -> Format:
    """The format of an archive that begins with *head*. Errors: `ArchiveError`."""
    if not head:
        raise ArchiveError("the file is empty", where=where, remedy="Copy or pack it again")
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
        return "tar.zst"  # a skippable frame goes before the first one
    if head[257:262] == b"ustar" or (len(head) >= 512 and _is_old_header(head[:512])):
        return "tar"
    if head.startswith(b"hsqs"):
        raise ArchiveError(
            "squashfs images cannot be read",
            where=where,
            remedy="Prune the environment itself, or a .tar or .zip of it",
        )
    raise ArchiveError(
        "this is neither a tar archive (plain, gzip, bzip2, xz, zstd) nor a zip archive",
        where=where,
        remedy="Name a conda prefix or an archive that conda-pack or condaprune made",
    )


def _is_old_header(block: bytes) -> bool:
    import tarfile

    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class Reader(Protocol):
    """A stream of decompressed bytes."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""
        ...


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Streams:
    """Reads concatenated streams with bounded memory through a stdlib-like decompressor.

    *magic* is how each begins; None where there is one only, and what follows it is ignored.
    """

    def __init__(
        self, file: BinaryIO, make: Callable[[], _Decompressor], magic: bytes | None
    ) -> None:
        self._file, self._make, self._magic = file, make, magic
        self._inner = make()

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end. Errors: see `stream_errors`."""
        while True:
            if self._inner.eof:
                if self._magic is None:
                    return b""
                rest = self._inner.unused_data or self._file.read(1 << 17)
                while rest and not rest.strip(b"\0"):  # padding between or after streams
                    rest = self._file.read(1 << 17)
                if not rest.startswith(self._magic):
                    if rest:
                        raise EOFError("bytes after the end of the compressed data")
                    return b""
                self._inner, data = self._make(), rest
            else:
                data = self._file.read(1 << 17) if self._inner.needs_input else b""
                if not data and self._inner.needs_input:
                    raise EOFError("the compressed data ends early")
            out = self._inner.decompress(data, size)
            if out:
                return out


def open_stream(file: BinaryIO, name: Format) -> Reader:
    """The decompressed bytes of a tar in one of the formats."""
    if name == "tar.gz":
        return _gzip(file)
    if name == "tar.bz2":
        return open_bzip2(file)
    if name == "tar.xz":
        import lzma

        make = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, memlimit=2 * _MEMORY)
        return Streams(file, make, b"\xfd7zXZ\0")
    if name == "tar.zst":
        try:
            import zstandard
        except ImportError as error:
            raise ArchiveError(
                "reading zstd needs the package zstandard",
                where=str(getattr(file, "name", "")),
                remedy="Install it, or give a .tar.gz",
            ) from error
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MEMORY)
        return decompressor.stream_reader(file, read_size=1 << 18, read_across_frames=True)
    return file


def open_bzip2(file: BinaryIO) -> Reader:
    """The decompressed bytes of a bzip2 file."""
    import bz2

    return Streams(file, bz2.BZ2Decompressor, b"BZh")


def _gzip(file: BinaryIO) -> Reader:
    try:
        from isal import igzip

        reader: Reader = igzip.open(file, "rb")  # type: ignore[no-untyped-call]
        return reader
    except ImportError:
        import gzip

        return gzip.GzipFile(fileobj=file, mode="rb")


def stream_errors() -> tuple[type[Exception], ...]:
    """The errors that decompressors raise on damaged data."""
    import lzma
    import zlib

    errors: list[type[Exception]] = [EOFError, OSError, zlib.error, lzma.LZMAError, ValueError]
    errors.append(OverflowError)  # isal, for a header of a megabyte
    with contextlib.suppress(ImportError):
        import zstandard

        errors.append(cast("type[Exception]", zstandard.ZstdError))
    with contextlib.suppress(ImportError):
        from isal import isal_zlib

        errors.append(cast("type[Exception]", isal_zlib.error))
    return tuple(errors)


class ReadAhead:
    """Reads a stream in a thread, a few blocks ahead, so that decompression has its own core."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._queue: queue.Queue[bytes | BaseException] = queue.Queue(_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="condaprune-read", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                block = self._reader.read(CHUNK)
                self._queue.put(block)
                if not block:
                    return
        except BaseException as error:  # handed to the reading thread
            self._queue.put(error)

    def read(self) -> bytes:
        """The next block; empty at the end. Errors: whatever the stream raised."""
        item = self._queue.get()
        if isinstance(item, BaseException):
            self._queue.put(item)
            raise item
        if not item:
            self._queue.put(item)
        return item

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self._queue.get(timeout=0.005)
