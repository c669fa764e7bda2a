"""CPU time of ``condaprune ENV --dry-run`` against ``find ENV -type f -printf '%s %p\\n'``.

Usage: python -m benchmarks.dry_run [PREFIX]

Without PREFIX the big test environment is built (lab/envs). The target without guards: less
than 2.5 times find's CPU time plus 0.3 s for start-up. Guards read and parse sources; their cost
is shown beside it. Exit 1 where the target is missed.
"""

from __future__ import annotations

import sys

from benchmarks.paired import compare, ratio

FACTOR, START_UP_SECONDS = 2.5, 0.3


def main(arguments: list[str]) -> int:
    """Measure and print. Returns the exit status."""
    if arguments:
        prefix = arguments[0]
    else:
        from lab.envs.build import shared_environment

        prefix = str(shared_environment("big").prefix)
    condaprune = [sys.executable, "-m", "condaprune", prefix, "--dry-run", "--no-progress"]
    find, without, full = compare(
        [
            ("find", ["find", prefix, "-type", "f", "-printf", "%s %p\\n"]),
            ("condaprune --dry-run --no-guard all", [*condaprune, "--no-guard", "all"]),
            ("condaprune --dry-run", condaprune),
        ],
        rounds=7,
    )
    budget = FACTOR * find.median("cpu") + START_UP_SECONDS
    print(f"{'command':<38} {'CPU s':>7} {'wall s':>7} {'MB peak':>8} {'CPU x find':>11}")
    for found in (find, without, full):
        print(
            f"{found.name:<38} {found.median('cpu'):>7.3f} {found.median('wall'):>7.3f} "
            f"{found.median('peak') / 1e6:>8.0f} {ratio(found, find, 'cpu'):>11.1f}"
        )
    met = without.median("cpu") < budget
    print(
        f"budget {FACTOR} x find + {START_UP_SECONDS} s = {budget:.3f} s: "
        f"{'met' if met else 'missed'} without guards, "
        f"{'met' if full.median('cpu') < budget else 'missed'} with all guards"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
