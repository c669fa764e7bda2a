"""``make demo``: a real environment, pruned in place and into an archive, and proof that it runs.

Builds the tiny environment (CPython, click, a package with binary prefix placeholders), prunes
one copy in place and another into an archive, unpacks the archive at another path, runs
conda-unpack there and the environment's own Python, and prints the reports.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from lab.envs.build import build_environment
from lab.envs.cache import cache_root
from lab.envs.pack import unpack_archive

PROOF = (
    "import click, ssl, sqlite3, sys; from importlib.metadata import distributions; "
    "print('python', sys.version.split()[0], 'in', sys.prefix); "
    "print('imports click', click.__name__, ssl.OPENSSL_VERSION, sqlite3.sqlite_version); "
    "print('distributions', sorted(d.name for d in distributions()))"
)


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def run(*command: str | Path) -> None:
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True)


def main() -> None:
    cache_root().mkdir(parents=True, exist_ok=True)
    # Next to the package cache, so that the environment is hard-linked to it as conda's are.
    with tempfile.TemporaryDirectory(prefix="demo-", dir=cache_root()) as folder:
        work = Path(folder)
        condaprune = [sys.executable, "-m", "condaprune"]
        say("building a real conda environment (about a minute the first time)")
        first = build_environment(work / "env").prefix
        second = build_environment(work / "other").prefix

        say("pruning it into an archive; the environment is not touched")
        run(*condaprune, first, "-o", work / "env.tar.zst", "--no-progress")

        say("unpacking the archive at another path, running conda-unpack and its Python")
        slim = work / "elsewhere"
        unpack_archive(work / "env.tar.zst", slim)
        run(slim / "bin" / "python", slim / "bin" / "conda-unpack")
        run(slim / "bin" / "python", "-c", PROOF)
        run(slim / "bin" / "prefixdemo")

        say("pruning the other one in place")
        run(*condaprune, second, "--yes", "--no-progress")
        run(second / "bin" / "python", "-c", PROOF)
        run(second / "bin" / "prefixdemo")
        say("done: both run")


if __name__ == "__main__":
    main()
