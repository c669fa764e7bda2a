"""``python -m fuzz [TARGET ...]``: feed all targets, or those named; exit status 1 for findings.

Options: ``--seconds N`` for each target (default 60), ``--jobs N`` targets at a time (default 2),
``--seed TEXT`` for the random numbers (default: another one each time), ``--findings FOLDER`` for
the inputs of findings, ``--replay FILE`` to read one of these with the one target that is named.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.session import Finding, Result, replay, run_target
from fuzz.targets import TARGETS, find_target


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description="Feed readers random input."
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--seed", default=str(time.time_ns()), help="of the random numbers")
    parser.add_argument("--findings", default="fuzz-findings", help="folder for their inputs")
    parser.add_argument("--replay", help="an input to read, by the one TARGET")
    options = parser.parse_args()
    targets = [find_target(name) for name in options.targets or TARGETS]
    if options.replay:
        what = replay(targets[0], Path(options.replay).read_bytes())
        print(what or "no finding")
        return 1 if what else 0
    print(
        f"seed {options.seed}, {options.seconds:.0f} s for each of {len(targets)} targets",
        flush=True,
    )
    found = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = pool.map(lambda target: run_target(target, options.seed, options.seconds), targets)
        for result in runs:
            found += len(result.findings)
            _show(result, options.findings)
    return 1 if found else 0


def _show(result: Result, folder: str) -> None:
    print(f"{result.target}: {result.inputs:,} inputs in {result.seconds:.0f} s", flush=True)
    for finding in result.doubtful:
        print(f"  seen once: {finding.what}, batch {finding.seed}", flush=True)
    for finding in result.findings:
        name = _save(finding, folder)
        print(f"  FINDING {finding.what}\n    {len(finding.data):,} bytes, batch {finding.seed}")
        print(f"    python -m fuzz {finding.target} --replay {name}", flush=True)


def _save(finding: Finding, folder: str) -> str:
    os.makedirs(folder, exist_ok=True)
    digest = hashlib.sha256(finding.data).hexdigest()[:12]
    path = os.path.join(folder, f"{finding.target}-{digest}")
    Path(path).write_bytes(finding.data)
    return path


if __name__ == "__main__":
    sys.exit(main())
