"""What a start costs with bytecode removed, kept, and kept unchecked: imports of big packages.

Usage: python -m benchmarks.bytecode [--rounds N] [PREFIX]

Without PREFIX the big test environment is built (lab/envs). It is pruned once for each choice of
--bytecode, into a folder of its own. Each import runs in a new process that writes no bytecode
(``python -B``), as on a read-only file system or with PYTHONDONTWRITEBYTECODE: without bytecode
every start compiles what it imports. "Cold" runs have had all files of the environment put out of
the page cache first, as after the start of a machine. Writes Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.figures import Table, markdown, mb
from benchmarks.paired import Measured, compare, ratio

CHOICES = ("drop", "keep", "hash")
MODULES = ("numpy", "pandas", "sklearn")


def prune(prefix: str, choice: str, target: Path) -> int:
    """Write the environment for *target* with that choice. Returns the bytes of its files."""
    subprocess.run(
        [sys.executable, "-m", "condaprune", prefix, "-o", f"{target}/", "--dest-prefix",
         str(target), "--bytecode", choice, "--quiet"], check=True,
    )  # fmt: skip
    return sum(os.lstat(path).st_size for path in _files(target))


def _files(folder: Path) -> list[str]:
    return [os.path.join(home, name) for home, _, names in os.walk(folder) for name in names]


def evict(folder: Path) -> None:
    """Put the contents of all files out of the page cache, as far as the system does so."""
    for path in _files(folder):
        if not os.path.islink(path):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


def measure(
    folders: dict[str, Path], module: str, rounds: int, before: Callable[[str], None] | None
) -> dict[str, Measured]:
    """The runs of one import for each choice."""
    commands = [
        (choice, [str(folder / "bin" / "python"), "-B", "-c", f"import {module}"])
        for choice, folder in folders.items()
    ]
    found = compare(commands, rounds=rounds, before_each=before)
    return {measured.name: measured for measured in found}


def tables(folders: dict[str, Path], sizes: dict[str, int], rounds: int) -> list[Table]:
    """Warm and cold starts, a row for each choice."""
    os.sync()  # what is not written yet cannot be put out of the cache
    made = []
    for cold in (False, True):
        before = (lambda choice: evict(folders[choice])) if cold else None
        figure = "wall" if cold else "cpu"
        found = {name: measure(folders, name, rounds, before) for name in MODULES}
        head = ["--bytecode", "MB"]
        for name in MODULES:
            head += [f"{name}, s", "x keep"]
        rows = []
        for choice in folders:
            row = [choice, mb(sizes[choice])]
            for name in MODULES:
                runs = found[name]
                row += [
                    f"{runs[choice].median(figure):.2f}",
                    f"{ratio(runs[choice], runs['keep'], figure):.2f}",
                ]
            rows.append(tuple(row))
        caption = f"{'Cold' if cold else 'Warm'} start, {figure} seconds, median of {rounds}"
        made.append(Table(caption, tuple(head), tuple(rows)))
    return made


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("prefix", nargs="?")
    options = parser.parse_args(arguments)
    prefix = options.prefix
    if prefix is None:
        from lab.envs.build import shared_environment

        prefix = str(shared_environment("big").prefix)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        folders = {choice: Path(folder, choice) for choice in CHOICES}
        sizes = {choice: prune(prefix, choice, target) for choice, target in folders.items()}
        for table in tables(folders, sizes, options.rounds):
            print("\n".join(markdown(table)))


if __name__ == "__main__":
    main(sys.argv[1:])
