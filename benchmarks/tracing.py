"""What recording costs: CPU of a workload with and without a recorder, in paired runs.

    python -m benchmarks.tracing ENV [--rounds 7] [--recorder inotify] [--workload FILE]

CPU is that of the whole process tree as the kernel accounts it, condaprune's own start included.
Exits with 1 where the median ratio of pairs is above ``--limit``.
"""

from __future__ import annotations

import argparse
import compileall
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.paired import compare, ratio

_ROOT = Path(__file__).resolve().parent.parent
_WORKLOAD = _ROOT / "lab/workloads/model.py"
_TRACE = "from condaprune.cli.trace import trace; trace(prog_name='condaprune trace')"
_SETTINGS = {
    "PYTHONDONTWRITEBYTECODE": "1",  # the environment is shared
    "OMP_NUM_THREADS": "1",  # threads that spin for work cost CPU by chance
    "OPENBLAS_NUM_THREADS": "1",
}


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description="CPU cost of recording a workload")
    parser.add_argument("env", help="an environment with pandas and scikit-learn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--recorder", action="append", help="repeatable; default: inotify")
    parser.add_argument("--workload", default=str(_WORKLOAD), help="takes a folder to write to")
    parser.add_argument("--limit", type=float, default=1.15)
    options = parser.parse_args()
    os.environ.update(_SETTINGS)
    # As it is installed, condaprune starts from bytecode.
    compileall.compile_dir(str(_ROOT / "condaprune"), quiet=1)
    recorders = options.recorder or ["inotify"]
    with tempfile.TemporaryDirectory() as folder:
        bare = [os.path.join(options.env, "bin/python"), options.workload, folder]
        recorded = [sys.executable, "-c", _TRACE, "-q", "-o", os.path.join(folder, "trace")]
        for name in recorders:
            recorded += ["--recorder", name]
        with_recorder, without = compare(
            [("recorded", [*recorded, "--", *bare]), ("bare", bare)], rounds=options.rounds
        )
    for measured in (without, with_recorder):
        print(
            f"{measured.name:<9} median {measured.median('cpu'):.2f} s CPU, "
            f"{measured.median('wall'):.2f} s wall, lowest {min(r.cpu for r in measured.runs):.2f}"
        )
    cost = ratio(with_recorder, without, "cpu")
    print(f"CPU with {'+'.join(recorders)}: {cost:.3f} times the bare command (median of pairs)")
    return int(cost > options.limit)


if __name__ == "__main__":
    sys.exit(main())
