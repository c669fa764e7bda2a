"""The targets of speed, each measured in this run: exit 1 where one does not hold.

Usage: python -m benchmarks.targets [--rounds 5] [--entries 100000]

In place, all guards on, warm page cache: at most 3 times the wall time of the six `find` commands
of the guide of 2021 (benchmarks/recipes.py), on the big test environment in under 1.5 s and on a
synthetic one of 100,000 entries (benchmarks/shapes.py) in under 5 s. A dry run without guards:
under 12 microseconds of CPU an entry. `condaprune --version`: under 120 ms of CPU and 1.6 times
`python -c 'import click'`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import shapes
from benchmarks.figures import Section, Table, held, markdown
from benchmarks.paired import compare, ratio
from benchmarks.recipes import SIX_FINDS
from lab.envs.build import shared_environment
from lab.envs.cache import cache_root

CONDAPRUNE = str(Path(sys.executable).parent / "condaprune")
MOST_TIMES_FINDS = 3.0
MOST_MICROSECONDS = 12.0
MOST_MILLISECONDS = 120.0
MOST_TIMES_CLICK = 1.6


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and the limit that it has to stay below."""

    what: str
    found: float
    limit: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the figure is below the limit."""
        return self.found < self.limit


def in_place(
    label: str, prefix: Path, seconds: float, rounds: int, *, linked: bool = False
) -> list[Target]:
    """condaprune and the six finds in turn, each on a fresh copy of *prefix*."""
    with tempfile.TemporaryDirectory(prefix="targets-", dir=cache_root()) as folder:
        copy = Path(folder) / "env"

        def fresh(_: str) -> None:
            shutil.rmtree(copy, ignore_errors=True)
            subprocess.run(["cp", "-al" if linked else "-a", prefix, copy], check=True)

        finds, ours = compare(
            [
                ("finds", ["sh", "-c", f"set -e\ncd '{copy}'\n{_finds(prefix)}"]),
                ("condaprune", [CONDAPRUNE, str(copy), "--yes", "-q", "--isolated"]),
            ],
            rounds=rounds,
            before_each=fresh,
        )
    what = f"{label}: in place, wall"
    return [
        Target(what, ratio(ours, finds, "wall"), MOST_TIMES_FINDS, "x the six finds"),
        Target(what, ours.median("wall"), seconds, "s"),
    ]


def _finds(prefix: Path) -> str:
    """The six finds; where an environment has none of the packages they name, its own first."""
    (stdlib,) = [p for p in (prefix / "lib").glob("python3.*") if not p.is_symlink()]
    script = "\n".join(SIX_FINDS).replace("{python}", stdlib.name)
    site = stdlib / "site-packages"
    named = ("scipy", "numpy", "pandas")
    if not any((site / name).exists() for name in named):
        there = sorted(path.name for path in site.iterdir() if path.is_dir())
        for name, other in zip(named, there, strict=False):
            script = script.replace(f"/{name}", f"/{other}")
    return script


def dry_run(label: str, prefix: Path, entries: int, rounds: int) -> Target:
    """CPU of a dry run without guards, an entry, start-up included."""
    command = [CONDAPRUNE, str(prefix), "-n", "-q", "--isolated", "--no-guard", "all"]
    (found,) = compare([("dry run", command)], rounds=rounds)
    each = found.median("cpu") / entries * 1e6
    return Target(f"{label}: dry run without guards, CPU", each, MOST_MICROSECONDS, "us an entry")


def start_up(rounds: int) -> list[Target]:
    """CPU of ``condaprune --version``."""
    click, ours = compare(
        [
            ("click", [sys.executable, "-c", "import click"]),
            ("condaprune", [CONDAPRUNE, "--version"]),
        ],
        rounds=2 * rounds,
    )
    what = "`condaprune --version`, CPU"
    return [
        Target(what, ours.median("cpu") * 1e3, MOST_MILLISECONDS, "ms"),
        Target(what, ratio(ours, click, "cpu"), MOST_TIMES_CLICK, "x `python -c 'import click'`"),
    ]


def measure(*, rounds: int = 5, entries: int = 100_000) -> Section:
    """The section on targets."""
    big = shared_environment("big").prefix
    targets = in_place("big, copied", big, 1.5, rounds)
    targets += in_place("big, hard-linked to the package cache", big, 1.5, rounds, linked=True)
    with tempfile.TemporaryDirectory(prefix="shaped-", dir=cache_root()) as folder:
        prefix = Path(folder) / "env"
        made = shapes.build(str(prefix), entries, shapes.committed())
        label = f"{made:,} entries"
        targets += in_place(label, prefix, 5.0, max(2, rounds // 2))
        targets.append(dry_run(label, prefix, made, rounds))
    targets += start_up(rounds)
    rows = tuple(
        (t.what, f"{t.found:.2f} {t.unit}", f"{t.limit:g}", held(t.holds)) for t in targets
    )
    figures = {f"{t.what}, {t.unit}": t.found for t in targets}
    figures["missed"] = float(sum(not t.holds for t in targets))
    head = ("", "measured", "limit", "")
    return Section("Targets", INTRO, (Table("Targets", head, rows),), figures)


INTRO = """In place: plan, all guards and removal, on a fresh copy each time, against the six `find`
commands of the guide of 2021 on another, in turn; the page cache is warm. Medians; ratios are those
of runs made right after one another."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status: 1 where a target does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--entries", type=int, default=100_000)
    options = parser.parse_args(arguments)
    found = measure(rounds=options.rounds, entries=options.entries)
    for table in found.tables:
        print("\n".join(markdown(table)))
    return int(bool(found.figures["missed"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
