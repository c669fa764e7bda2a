"""``python -m lab.wheelset``: real wheels at work before and after a prune.

For each group of wheels: installs them as conda packages, runs the group's checks, prunes a fresh
copy with each profile and runs the checks again. A check that passed before and fails after is a
regression; exit 1 where there is one. ``--verify`` runs ``condaprune verify`` as well, ``--strip``
prunes with that option.

``--pip`` installs the wheels with the environment's own pip instead, without bytecode, which is
several times faster; one environment serves all profiles, put back by hard links.

Usage: python -m lab.wheelset [--group NAME]... [--profile NAME]... [--python EXE] [--verify]
[--pip] [--strip]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.envs.cache import cache_root

from .groups import GROUPS, PYTHON
from .place import Place
from .run import Outcome, announced_modules, prune, regressions, run_checks


def main(arguments: list[str]) -> int:
    """Run the groups asked for. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--group", action="append", choices=tuple(GROUPS))
    parser.add_argument("--profile", action="append", metavar="NAME")
    parser.add_argument("--python", metavar="EXE")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--pip", action="store_true")
    parser.add_argument("--strip", action="store_true")
    options = parser.parse_args(arguments)
    print("group       profile   before MB  after MB  saved   checks that passed before / after")
    lost = 0
    for name in options.group or GROUPS:
        with tempfile.TemporaryDirectory(prefix="wheels-", dir=cache_root()) as folder:
            for profile in options.profile or ["runtime", "minimal"]:
                place = Place(Path(folder), GROUPS[name].requirements, options.python, options.pip)
                lost += _try(name, profile, place, options)
    print(f"{lost} regressions")
    return 1 if lost else 0


def _try(name: str, profile: str, place: Place, options: argparse.Namespace) -> int:
    """Prune a fresh environment of one group; prints a row. Returns the number of regressions."""
    checks = {**PYTHON, **GROUPS[name].checks}
    folder = place.folder
    kept = folder / "before.json"
    if kept.is_file():
        first = {n: Outcome(*pair) for n, pair in json.loads(kept.read_text("utf-8")).items()}
    else:
        first = run_checks(place.fresh("before"), checks)
        kept.write_text(json.dumps({n: (o.passed, o.said) for n, o in first.items()}), "utf-8")
        for check, outcome in first.items():
            if not outcome.passed:
                print(f"  does not pass before either: {check}\n    {outcome.said[-300:]}")
    after = place.fresh(profile)
    manifest = folder / f"{profile}.json"
    prune(after, profile, manifest, *(("--strip",) if options.strip else ()))
    second = run_checks(after, checks)
    lost = regressions(first, second, announced_modules(manifest))
    report = json.loads(manifest.read_text("utf-8"))
    old, new = report["before"]["bytes"], report["after"]["bytes"]
    print(
        f"{name:<11} {profile:<8} {old / 1e6:>10.0f} {new / 1e6:>9.0f} {1 - new / old:>6.1%}   "
        f"{sum(o.passed for o in first.values())} / {sum(o.passed for o in second.values())}",
        flush=True,
    )
    for check, said in lost.items():
        print(f"  LOST {check}\n    {said}", flush=True)
    count = len(lost)
    if options.verify:
        done = subprocess.run(
            [sys.executable, "-m", "condaprune", "verify", place.untouched(), after,
             "--manifest", manifest],
            capture_output=True, text=True,
        )  # fmt: skip
        print({0: "  verify: nothing lost"}.get(done.returncode, done.stdout + done.stderr))
        count += done.returncode != 0
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
