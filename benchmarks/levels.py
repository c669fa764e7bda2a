"""What zstd's levels cost and save on what stays of an environment.

Usage: python -m benchmarks.levels [PREFIX] [--rounds N]

Each level as zstd has it, as archives are written here, and with long-distance matching. CPU
seconds are the least of all rounds, by two threads.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import zstandard

from condaprune.sinks.outputs.compress import Write, open_compressor

LEVELS = range(3, 10)
_PIECE = 1 << 20


class _Stream:
    """Where a compressor of zstandard's own writes to."""

    def __init__(self, write: Write) -> None:
        self.write = write


def _ours(data: memoryview, write: Write, level: int) -> None:
    compressor = open_compressor("zstd", write, level, 2)
    for at in range(0, len(data), _PIECE):
        compressor.write(data[at : at + _PIECE])
    compressor.close()


def _plain(data: memoryview, write: Write, level: int, **more: int) -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, threads=2, write_checksum=1, **more
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    with compressor.stream_writer(_Stream(write), closefd=False) as stream:  # type: ignore[arg-type]
        for at in range(0, len(data), _PIECE):
            stream.write(data[at : at + _PIECE])


def _long(data: memoryview, write: Write, level: int) -> None:
    _plain(data, write, level, enable_ldm=1, window_log=27)


WAYS: dict[str, Callable[[memoryview, Write, int], None]] = {
    "as zstd has it": _plain,
    "as it is used here": _ours,
    "with --long=27": _long,
}


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prefix", nargs="?")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args(arguments)
    if options.prefix is None:
        from lab.envs.build import shared_environment

        options.prefix = str(shared_environment("big").prefix)
    from condaprune.api import prune

    with tempfile.TemporaryDirectory() as folder:
        tar = Path(folder) / "kept.tar"
        prune(options.prefix, output=str(tar))
        data = memoryview(tar.read_bytes())
    best: dict[tuple[str, int], tuple[float, int]] = {}
    for _ in range(options.rounds):
        for name, way in WAYS.items():
            for level in LEVELS:
                sizes: list[int] = []
                start = time.process_time()
                way(data, lambda piece, sizes=sizes: sizes.append(len(piece)), level)  # type: ignore[misc]
                found = (time.process_time() - start, sum(sizes))
                best[name, level] = min(found, best.get((name, level), found))
    print(f"{len(data) / 1e6:.1f} MB of tar: CPU s and MB by level")
    print(f"{'level':<20}" + "".join(f"{level:>14}" for level in LEVELS))
    for name in WAYS:
        cells = (best[name, level] for level in LEVELS)
        print(f"{name:<20}" + "".join(f"{cpu:>8.2f}{size / 1e6:>6.1f}" for cpu, size in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
