"""Streams are cut by size alone, and one that was given up does not look complete."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
import time
import zlib
from collections.abc import Callable

import pytest

from condaprune.errors import UsageProblem
from condaprune.sinks.outputs.compress import Codec, check_level, open_compressor

NOISE = os.urandom(1 << 20)
DATA = NOISE + bytes(9 << 20) + NOISE
READERS: dict[Codec, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "xz": lzma.decompress,
    "bzip2": bz2.decompress,
    "none": bytes,
}


def compressed(codec: Codec, pieces: list[bytes], level: int | None, threads: int = 2) -> bytes:
    out = bytearray()
    compressor = open_compressor(codec, out.extend, level, threads)
    for piece in pieces:
        compressor.write(piece)
    compressor.close()
    return bytes(out)


@pytest.mark.parametrize(
    ("codec", "level"), [("gzip", 3), ("gzip", 6), ("xz", 0), ("bzip2", 1), ("none", None)]
)
def test_the_same_bytes_however_it_was_written(codec: Codec, level: int | None) -> None:
    whole = compressed(codec, [DATA], level)
    assert READERS[codec](whole) == DATA
    cut = [DATA[at : at + 777_777] for at in range(0, len(DATA), 777_777)]
    assert compressed(codec, cut, level, threads=1) == whole


@pytest.mark.parametrize("codec", ["gzip", "xz", "bzip2"])
def test_nothing_is_a_stream_too(codec: Codec) -> None:
    assert READERS[codec](compressed(codec, [], None)) == b""


@pytest.mark.parametrize("level", [3, 6])
def test_a_stream_that_was_given_up_is_not_complete(level: int) -> None:
    out = bytearray()
    compressor = open_compressor("gzip", out.extend, level, 2)
    compressor.write(DATA)
    compressor.abort()
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(bytes(out) or b"\x1f\x8b")


def test_xz_is_given_up_in_the_middle_of_a_block() -> None:
    compressor = open_compressor("xz", bytearray().extend, 9, 1)
    compressor.write(os.urandom(3 << 20) * 8)  # a block, which takes many seconds
    begun = time.monotonic()
    compressor.abort()
    assert time.monotonic() - begun < 5


def test_xz_in_steps_is_xz_at_once() -> None:
    data = NOISE[:500_000] + b"text " * 200_000
    assert compressed("xz", [data], 3) == lzma.compress(data, preset=3)


def test_an_error_of_the_output_is_raised() -> None:
    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):  # noqa: PT012 - where depends on the threads
        compressor = open_compressor("gzip", full, 3, 2)
        compressor.write(DATA)
        compressor.close()


def test_levels() -> None:
    assert check_level("zstd", None) == 4
    with pytest.raises(UsageProblem, match="from 1 to 22"):
        check_level("squashfs", 23)


@pytest.mark.parametrize("threads", [1, 3])
def test_without_isal_threads_change_nothing(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    assert gzip.decompress(compressed("gzip", [DATA], 3, threads)) == DATA
    assert compressed("gzip", [DATA], 3, threads) == compressed("gzip", [DATA], 3, 2)
