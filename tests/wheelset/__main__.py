"""``python -m tests.wheelset``: real wheels at work before and after a prune.

For each group of wheels: installs them as conda packages, runs the group's checks, prunes a fresh
copy with each profile and runs the checks again. A check that passed before and fails after is a
regression; exit 1 where there is one. ``--verify`` runs ``condaprune verify`` as well.

Usage: python -m tests.wheelset [--group NAME]... [--profile NAME]... [--python EXE] [--verify]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.envs.build import build_environment
from tests.envs.cache import cache_root

from .groups import GROUPS, PYTHON
from .run import Outcome, announced_modules, prune, regressions, run_checks


def main(arguments: list[str]) -> int:
    """Run the groups asked for. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--group", action="append", choices=tuple(GROUPS))
    parser.add_argument("--profile", action="append", metavar="NAME")
    parser.add_argument("--python", metavar="EXE")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args(arguments)
    print("group       profile   before MB  after MB  saved   checks that passed before / after")
    lost = 0
    for name in options.group or GROUPS:
        with tempfile.TemporaryDirectory(prefix="wheels-", dir=cache_root()) as folder:
            for profile in options.profile or ["runtime", "minimal"]:
                lost += _try(name, profile, options.python, options.verify, Path(folder))
    print(f"{lost} regressions")
    return 1 if lost else 0


def _try(name: str, profile: str, python: str | None, verify: bool, folder: Path) -> int:
    """Prune a fresh environment of one group; prints a row. Returns the number of regressions."""
    group = GROUPS[name]
    checks = {**PYTHON, **group.checks}
    before = _untouched(folder / "before", group.requirements, python)
    kept = folder / "before.json"
    if kept.is_file():
        first = {n: Outcome(*pair) for n, pair in json.loads(kept.read_text("utf-8")).items()}
    else:
        first = run_checks(before, checks)
        kept.write_text(json.dumps({n: (o.passed, o.said) for n, o in first.items()}), "utf-8")
        for check, outcome in first.items():
            if not outcome.passed:
                print(f"  does not pass before either: {check}\n    {outcome.said[-300:]}")
    after = _untouched(folder / profile, group.requirements, python)
    manifest = folder / f"{profile}.json"
    prune(after, profile, manifest)
    second = run_checks(after, checks)
    lost = regressions(first, second, announced_modules(manifest))
    told = json.loads(manifest.read_text("utf-8"))
    old, new = told["before"]["bytes"], told["after"]["bytes"]
    print(
        f"{name:<11} {profile:<8} {old / 1e6:>10.0f} {new / 1e6:>9.0f} {1 - new / old:>6.1%}   "
        f"{sum(o.passed for o in first.values())} / {sum(o.passed for o in second.values())}",
        flush=True,
    )
    for check, said in lost.items():
        print(f"  LOST {check}\n    {said}", flush=True)
    count = len(lost)
    if verify:
        done = subprocess.run(
            [sys.executable, "-m", "condaprune", "verify", before, after, "--manifest", manifest],
            capture_output=True, text=True,
        )  # fmt: skip
        print({0: "  verify: nothing lost"}.get(done.returncode, done.stdout + done.stderr))
        count += done.returncode != 0
    return count


def _untouched(prefix: Path, requirements: tuple[str, ...], python: str | None) -> Path:
    if not prefix.exists():
        build_environment(prefix, "tiny", requirements=requirements, python=python)
    return prefix


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
