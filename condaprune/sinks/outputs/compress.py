"""Compresses a stream in threads, to the same bytes for any number of them."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from condaprune.errors import SinkError, UsageProblem
from condaprune.sources.members import Buffer

Codec = Literal["none", "gzip", "zstd", "xz", "bzip2"]
Write = Callable[[bytes], object]

LEVELS: dict[Codec, tuple[int, int, int]] = {
    "none": (0, 0, 0),
    "gzip": (0, 9, 3),
    "zstd": (1, 22, 4),
    "xz": (0, 9, 6),
    "bzip2": (1, 9, 9),
}
"""The lowest, highest and default level of each codec."""

_ISAL_HIGHEST = 3

_ZSTD_WINDOW = 23
_ZSTD_JOB = 12 << 20
"""What zstd's levels 3 to 8 get in place of a window of 2 MiB: 8 MiB is what every reader takes,
and finds more (benchmarks/levels.py). A job is the piece that a thread compresses: it would grow
with the window, and memory with it."""


class Compressor(Protocol):
    """Takes bytes and writes them on, compressed. `name` tells codec, level and version."""

    name: str

    def write(self, data: Buffer) -> object:
        """Compress a piece."""
        ...

    def close(self) -> None:
        """Write what is left. Without it nothing that was written can be read."""
        ...

    def abort(self) -> None:
        """Stop the threads; what was written is of no use."""
        ...


def thread_count(threads: int) -> int:
    """How many threads *threads* asks for: 0 stands for the cores this process may use."""
    if threads > 0:
        return threads
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def check_level(codec: Codec, level: int | None) -> int:
    """The level to use. Errors: `UsageProblem` where the codec has no such level."""
    lowest, highest, usual = LEVELS[codec]
    if level is None:
        return usual
    if not lowest <= level <= highest:
        raise UsageProblem(
            f"no such compression level for {codec}: {level}",
            where="--compress-level",
            remedy=f"Take one from {lowest} to {highest}; the default is {usual}",
        )
    return level


def open_compressor(codec: Codec, write: Write, level: int | None, threads: int) -> Compressor:
    """The compressor of one stream.

    gzip takes its levels 0 to 3 from ISA-L where that is installed (several times faster), all
    others from zlib. Errors: `UsageProblem`, `SinkError` where the codec is not installed.
    """
    level = check_level(codec, level)
    count = thread_count(threads)
    if codec == "none":
        return _Plain(write)
    if codec == "zstd":
        return _Zstd(write, level, count)
    if codec == "gzip":
        return _Blocks(write, _gzip(level), count)
    if codec == "xz":
        return _Blocks(write, _xz(level), count)
    return _Blocks(write, _bzip2(level), count)


class _Plain:
    name = "none"

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, data: Buffer) -> object:
        return self._write(data)  # type: ignore[arg-type]

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


class _Sink:
    """The one method of a file that zstandard needs."""

    def __init__(self, write: Write) -> None:
        self.write = write


class _Zstd:
    """zstd's own threads: the same bytes for any number of them, as long as there is one."""

    def __init__(self, write: Write, level: int, threads: int) -> None:
        try:
            import zstandard
        except ImportError as error:
            raise SinkError(
                "zstd compression needs the package zstandard",
                remedy="Install it, or choose another format such as .tar.gz",
            ) from error
        wider = {"window_log": _ZSTD_WINDOW, "job_size": _ZSTD_JOB} if 3 <= level <= 8 else {}
        parameters = zstandard.ZstdCompressionParameters.from_level(
            level, threads=threads, write_checksum=1, **wider
        )
        version = ".".join(str(part) for part in zstandard.ZSTD_VERSION)
        self.name = f"zstd -{level} (libzstd {version})"
        self._stream = zstandard.ZstdCompressor(compression_params=parameters).stream_writer(
            _Sink(write),  # type: ignore[arg-type]
            write_size=1 << 20,
            closefd=False,
        )

    def write(self, data: Buffer) -> object:
        return self._stream.write(data)

    def close(self) -> None:
        self._stream.close()  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _BlockCodec:
    """How a stream is made of blocks that are compressed on their own.

    `block` gets a block and the block before it; `checksum` is folded over the stream; `tail`
    gets it and the stream's length.
    """

    name: str
    size: int
    block: Callable[[bytes, bytes], bytes]
    head: bytes = b""
    checksum: Callable[[bytes, int], int] | None = None
    tail: Callable[[int, int], bytes] | None = None


class _Blocks:
    """Compresses blocks in threads and writes them in order; blocks are cut by size alone."""

    def __init__(self, write: Write, codec: _BlockCodec, threads: int) -> None:
        self.name = codec.name
        self._write, self._codec = write, codec
        self._pool = ThreadPoolExecutor(threads, "condaprune-compress")
        self._pending: deque[Future[bytes]] = deque()
        self._most = threads + 2
        self._held = bytearray()
        self._before = b""
        self._checksum = self._length = 0
        self._blocks = 0
        write(codec.head)

    def write(self, data: Buffer) -> object:
        self._held += data
        size = self._codec.size
        if len(self._held) >= size:
            with memoryview(self._held) as held:
                whole = len(held) // size * size
                for at in range(0, whole, size):
                    self._submit(bytes(held[at : at + size]))
            del self._held[:whole]
        return None

    def _submit(self, block: bytes) -> None:
        codec = self._codec
        if codec.checksum is not None:
            self._checksum = codec.checksum(block, self._checksum)
        self._length += len(block)
        self._blocks += 1
        self._pending.append(self._pool.submit(codec.block, block, self._before))
        self._before = block
        while len(self._pending) > self._most:
            self._write(self._pending.popleft().result())

    def close(self) -> None:
        if self._held or not self._blocks:
            self._submit(bytes(self._held))
            self._held = bytearray()
        while self._pending:
            self._write(self._pending.popleft().result())
        if self._codec.tail is not None:
            self._write(self._codec.tail(self._checksum, self._length))
        self._pool.shutdown()

    def abort(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _gzip(level: int) -> _BlockCodec:
    """One gzip member, as pigz makes it: each block starts from the end of the one before."""
    window = 1 << 15
    make: Callable[..., Any] = zlib.compressobj
    crc: Callable[[bytes, int], int] = zlib.crc32
    name = f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
    if level <= _ISAL_HIGHEST:
        with contextlib.suppress(ImportError):
            from importlib.metadata import version

            from isal import isal_zlib

            make, crc, name = isal_zlib.compressobj, isal_zlib.crc32, f"isal {version('isal')}"

    def block(data: bytes, before: bytes) -> bytes:
        if before:
            packer = make(level, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, before[-window:])
        else:
            packer = make(level, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY)
        first: bytes = packer.compress(data)
        rest: bytes = packer.flush(zlib.Z_SYNC_FLUSH)
        return first + rest

    def tail(checksum: int, length: int) -> bytes:
        end = b"\x03\x00"  # an empty last block
        return end + checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")

    def checksum(data: bytes, value: int) -> int:
        return int(crc(data, value))

    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return _BlockCodec(f"gzip -{level} ({name})", 1 << 20, block, head, checksum, tail)


def _xz(level: int) -> _BlockCodec:
    """Streams of their own, one after the other, each a few dictionaries long."""
    import lzma

    size = max(1 << 20, 3 << max(18, min(level + 17, 23)))
    return _BlockCodec(
        f"xz -{level} (liblzma)", size, lambda data, _: lzma.compress(data, preset=level)
    )


def _bzip2(level: int) -> _BlockCodec:
    import bz2

    return _BlockCodec(
        f"bzip2 -{level} (libbz2)", level * 100_000, lambda data, _: bz2.compress(data, level)
    )
