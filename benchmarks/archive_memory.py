"""Peak memory of packing: a prefix and an archive of it, of real and of large size.

Usage: python -m benchmarks.archive_memory [PREFIX] [--gigabytes N]

Without PREFIX the big test environment is built (lab/envs). The large one is synthetic: many
small modules and data files that are on disk, and libraries of 50 MB to 1 GB that are holes, so
that N GB (5) need little of that. Exit 1 where a limit is passed: 200 MB for PREFIX, 300 MB for
the synthetic one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paired import run

SITE = "lib/python3.11/site-packages"
SMALL = 20_000
LIMITS = {"real": 200e6, "synthetic": 300e6}


def synthetic(root: Path, size: int) -> Path:
    """An environment of *size* bytes: 100 packages, the records conda would write."""
    from tests.guards.elves import make_elf

    noise = random.Random(1)
    elf = make_elf(("libc.so.6",), soname="liblarge.so")
    files: dict[str, list[str]] = {f"package{n}": [] for n in range(100)}
    names = list(files)
    left = size
    for number in range(SMALL):
        name = names[number % 100]
        if number % 2:
            path = f"{SITE}/{name}/part{number % 40}/m{number}.py"
            lines = (f"VALUE_{n} = {noise.random()!r} + {number}" for n in range(120))
            data = f"import os, {name}\n".encode() + "\n".join(lines).encode()
        else:
            path = f"{SITE}/{name}/data{number % 40}/{number}.bin"
            data = noise.randbytes(5000)
        _write(root / path, data, len(data))
        files[name].append(path)
        left -= len(data)
    sizes = [1_000_000_000] if left > 2_000_000_000 else []
    while left - sum(sizes) > 0:
        sizes.append(min(noise.randrange(50_000_000, 200_000_000), left - sum(sizes)))
    for number, length in enumerate(sizes):
        path = f"lib/liblarge{number}.so"
        _write(root / path, elf, max(length, len(elf)))
        files[names[number % 100]].append(path)
    for name, paths in files.items():
        rows = [{"_path": p, "path_type": "hardlink", "sha256": "0" * 64} for p in paths]
        record = {
            "name": name,
            "version": "1",
            "build": "0",
            "files": paths,
            "paths_data": {"paths": rows, "paths_version": 1},
        }
        data = json.dumps(record).encode()
        _write(root / "conda-meta" / f"{name}-1-0.json", data, len(data))
    _write(root / "conda-meta" / "history", b"", 0)
    return root


def _write(path: Path, data: bytes, size: int) -> None:
    """A file that begins with *data*; the rest up to *size* is a hole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
        file.truncate(size)


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prefix", nargs="?")
    parser.add_argument("--gigabytes", type=float, default=5)
    options = parser.parse_args(arguments)
    if options.prefix is None:
        from lab.envs.build import shared_environment

        options.prefix = str(shared_environment("big").prefix)
    met = True
    with tempfile.TemporaryDirectory() as folder:
        large = synthetic(Path(folder, "env"), int(options.gigabytes * 1e9))
        print(f"{'what':<42} {'MB peak':>8} {'limit':>6} {'wall s':>7} {'CPU s':>7}")
        for name, prefix in (("real", options.prefix), ("synthetic", str(large))):
            archive, output = f"{folder}/{name}.tar.zst", f"{folder}/output.tar.zst"
            whole = f"tar -C {prefix} -cf - . | zstd -q -3 -T2 -o {archive}"
            subprocess.run(["sh", "-c", whole], check=True)
            for source in (prefix, archive):
                command = [sys.executable, "-m", "condaprune", source, "-q", "--force"]
                command += ["-o", output, "--max-ratio", "100000"]  # holes look like a bomb
                found = run(command)
                met = met and found.peak <= LIMITS[name]
                what = f"{name}, {'tar.zst' if source == archive else 'prefix'} to tar.zst"
                print(
                    f"{what:<42} {found.peak / 1e6:>8.0f} {LIMITS[name] / 1e6:>6.0f} "
                    f"{found.wall:>7.1f} {found.cpu:>7.1f}",
                    flush=True,
                )
            os.unlink(archive)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
