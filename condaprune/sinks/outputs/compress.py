"""Compresses a stream in threads, to the same bytes for any number of them."""

from __future__ import annotations

import contextlib
import itertools
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Literal

from condaprune.errors import SinkError, UsageProblem
from condaprune.model import Buffer

Codec = Literal["none", "gzip", "zstd", "xz", "bzip2"]
Write = Callable[[Buffer], object]

LEVELS: dict[str, tuple[int, int, int]] = {
    "none": (0, 0, 0),
    "gzip": (0, 9, 3),
    "zstd": (1, 22, 4),
    "xz": (0, 9, 6),
    "bzip2": (1, 9, 9),
    "zip": (0, 9, 6),
    "squashfs": (1, 22, 15),
}
"""The lowest, highest and default level of each codec."""

_ISAL_HIGHEST = 3

_ZSTD_WINDOW = 23
_ZSTD_JOB = 12 << 20
"""What zstd's levels 3 to 8 get in place of a window of 2 MiB: 8 MiB is what every reader takes,
and finds more (benchmarks/levels.py). A job is the piece that a thread compresses: it would grow
with the window, and memory with it."""

_ISAL_PIECE = 2 << 20
_GZIP_MEMBER = 4 << 20
_XZ_STEP = 1 << 18
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


class Compressor:
    """Takes bytes and writes them on, compressed; this one as they are.

    `name` is codec, level and version.
    """

    name = "none"

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, data: Buffer) -> object:
        """Compress a piece."""
        return self._write(data)

    def flush(self) -> None:
        """Do nothing: libraries that write into this one ask for it."""

    def close(self) -> None:
        """Write what is left. Without it nothing that was written can be read."""

    def abort(self) -> None:
        """Stop the threads, and drop what they still write: it is of no use."""
        self._write = len


def thread_count(threads: int) -> int:
    """How many threads *threads* asks for: 0 is one for each core this process may use."""
    if threads > 0:
        return threads
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def check_level(codec: str, level: int | None) -> int:
    """The level to use. Errors: `UsageProblem` where the codec has no such level."""
    lowest, highest, usual = LEVELS[codec]
    if level is None:
        return usual
    if not lowest <= level <= highest:
        raise UsageProblem(
            f"not a compression level of {codec}: {level}",
            where="--compress-level",
            remedy=f"Choose one from {lowest} to {highest}; the default is {usual}",
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
        return Compressor(write)
    if codec == "zstd":
        return _Zstd(write, level, count)
    if codec == "gzip":
        if level <= _ISAL_HIGHEST:
            with contextlib.suppress(ImportError):
                return _Isal(write, level, count)
        name = f"gzip -{level} (zlib {zlib.ZLIB_RUNTIME_VERSION})"
        return _Blocks(write, name, _GZIP_MEMBER, partial(_gzip, level=level), count)
    if codec == "xz":
        # A few dictionaries long, so that hardly anything is lost at their ends.
        size = max(1 << 20, 3 << max(18, min(level + 17, 23)))
        pack = partial(_xz, level=level)
        return _Blocks(write, f"xz -{level} (liblzma)", size, pack, count)
    pack = partial(_bzip2, level=level)
    return _Blocks(write, f"bzip2 -{level} (libbz2)", level * 100_000, pack, count)


def _gzip(data: bytes, level: int) -> Iterator[bytes]:
    """One gzip member, with the same header everywhere."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    yield b"".join((_GZIP_HEAD, packer.compress(data), packer.flush(), tail))


def _xz(data: bytes, level: int) -> Iterator[bytes]:
    """One xz stream, in steps: a block of it takes many seconds."""
    import lzma

    packer = lzma.LZMACompressor(preset=level)
    view = memoryview(data)
    for start in range(0, len(view), _XZ_STEP):
        yield packer.compress(view[start : start + _XZ_STEP])
    yield packer.flush()


def _bzip2(data: bytes, level: int) -> Iterator[bytes]:
    import bz2

    yield bz2.compress(data, level)


class _Zstd(Compressor):
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
            Compressor(write),  # type: ignore[arg-type]
            write_size=1 << 20,
            closefd=False,
        )

    def write(self, data: Buffer) -> object:
        return self._stream.write(data)

    def close(self) -> None:
        self._stream.close()  # type: ignore[no-untyped-call]


class _Cut(Compressor):
    """Cuts a stream into pieces by size alone, however it was written."""

    def __init__(self, size: int) -> None:
        self._block = memoryview(bytearray(size))
        self._held = 0

    def write(self, data: Buffer) -> object:
        left = memoryview(data)
        while left:
            count = min(len(left), len(self._block) - self._held)
            self._block[self._held : self._held + count] = left[:count]
            self._held += count
            left = left[count:]
            if self._held == len(self._block):
                self._held = 0
                self._piece(self._block)
        return None

    def _piece(self, data: Buffer) -> None:
        raise NotImplementedError


class _Isal(_Cut):
    """One gzip member by ISA-L's own threads, which compress a MiB each."""

    def __init__(self, write: Write, level: int, threads: int) -> None:
        from importlib.metadata import version

        from isal import igzip_threaded

        super().__init__(_ISAL_PIECE)
        self.name = f"gzip -{level} (isal {version('isal')})"
        self._target = Compressor(write)
        self._file = igzip_threaded.open(  # type: ignore[no-untyped-call]
            self._target, "wb", level, threads=threads
        )

    def _piece(self, data: Buffer) -> None:
        self._file.write(data)

    def close(self) -> None:
        self._file.write(self._block[: self._held])
        self._file.close()

    def abort(self) -> None:
        self._target.abort()
        with contextlib.suppress(Exception):  # what stopped it is known
            self._file.close()


class _Blocks(_Cut):
    """Streams that are compressed on their own and written one after the other.

    A core does 2 to 20 MB/s of xz and zlib: on two, xz takes two thirds of the time.
    """

    def __init__(
        self,
        write: Write,
        name: str,
        size: int,
        pack: Callable[[bytes], Iterator[bytes]],
        threads: int,
    ) -> None:
        super().__init__(size)
        self.name = name
        self._write, self._pack, self._most = write, pack, threads + 2
        self._pool = ThreadPoolExecutor(threads, "condaprune-compress")
        self._pending: deque[Future[bytes]] = deque()
        self._empty = True
        self._stopped = False

    def _piece(self, data: Buffer) -> None:
        self._empty = False
        self._pending.append(self._pool.submit(self._packed, bytes(data)))
        self._drain(self._most)

    def _packed(self, data: bytes) -> bytes:
        return b"".join(itertools.takewhile(lambda _: not self._stopped, self._pack(data)))

    def _drain(self, left: int) -> None:
        while len(self._pending) > left:
            self._write(self._pending.popleft().result())

    def close(self) -> None:
        if self._held or self._empty:
            self._piece(self._block[: self._held])
        self._drain(0)
        self._pool.shutdown()

    def abort(self) -> None:
        self._stopped = True
        self._pool.shutdown(cancel_futures=True)
