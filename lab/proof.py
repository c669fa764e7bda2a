"""``python -m lab.proof``: the differential proof on real environments, profile by profile.

For each interpreter, size and profile: installs a fresh environment, prunes it, and runs
``condaprune verify`` against an untouched one. Prints a row each; exit 1 where anything is lost.

Usage: python -m lab.proof [--python EXE]... [--size SIZE]... [--profile NAME]...
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.envs.build import build_environment, shared_environment
from lab.envs.cache import cache_root


def prove(python: str | None, size: str, profile: str, folder: Path) -> bool:
    """Prune a fresh environment and compare it; prints a row. Returns whether nothing is lost."""
    before = shared_environment(size, python=python)
    after = build_environment(folder / "env", size, python=python)
    manifest = folder / "manifest.json"
    condaprune = [sys.executable, "-m", "condaprune"]
    subprocess.run(
        [*condaprune, after.prefix, "--profile", profile, "--manifest", manifest, "--yes",
         "-q", "--isolated"],
        check=True,
    )  # fmt: skip
    saved = json.loads(manifest.read_text())
    start = time.monotonic()
    done = subprocess.run(
        [*condaprune, "verify", before.prefix, after.prefix, "--manifest", manifest],
        capture_output=True, text=True,
    )  # fmt: skip
    share = 100 * saved["saved"]["bytes"] / saved["before"]["bytes"]
    verdict = {0: "nothing lost", 1: "LOST"}.get(done.returncode, "could not run")
    print(
        f"{after.interpreter.version:<8} {size:<6} {profile:<8} -{share:4.1f} %  "
        f"verified in {time.monotonic() - start:4.0f} s: {verdict}",
        flush=True,
    )
    if done.returncode:
        print(done.stdout[:6000] + done.stderr[-2000:], flush=True)
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """Run the proofs asked for. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    parser.add_argument("--size", action="append", choices=("tiny", "small", "big"))
    parser.add_argument("--profile", action="append", metavar="NAME")
    options = parser.parse_args(arguments)
    good = True
    for python in options.python or [None]:
        for size in options.size or ["tiny", "small", "big"]:
            for profile in options.profile or ["runtime", "minimal"]:
                with tempfile.TemporaryDirectory(prefix="proof-", dir=cache_root()) as folder:
                    good = prove(python, size, profile, Path(folder)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
