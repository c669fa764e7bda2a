"""Builds images with buildah and holds ours against a pasted recipe's: ``python -m lab.docker``.

Exit status: 0 ours is smaller and nothing is lost, 1 that does not hold, 2 cannot run here.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from lab.docker.compare import Comparison, compare, failures, table
from lab.docker.images import Missing


def main() -> int:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m lab.docker", description=__doc__)
    parser.add_argument("--size", choices=("tiny", "small"), default="small",
                        help="the environment of lab/envs (small: numpy, pandas)")  # fmt: skip
    parser.add_argument("--strip", action="store_true", help="ours with that option")
    options = parser.parse_args()
    if os.geteuid() and shutil.which("buildah"):
        # Mounting images needs a user namespace of buildah's.
        words = ["buildah", "unshare", sys.executable, "-m", "lab.docker", *sys.argv[1:]]
        os.execvp(words[0], words)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", file=sys.stderr, flush=True)

    more = ("--strip",) if options.strip else ()
    root = Path(tempfile.mkdtemp(prefix="condaprune-images-", dir="/var/tmp"))
    try:
        return _show(compare(root, options.size, say, more))
    except Missing as error:
        print(f"cannot run here: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _show(comparison: Comparison) -> int:
    print(table(comparison))
    wrong = failures(comparison)
    for line in wrong:
        print(f"does not hold: {line}")
    for name in comparison.recipe.lost:
        print(f"lost by the recipe: {name}")
    sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
