"""Compares what recorders see with what strace saw of the same run.

    python -m tests.live.trace.compare ENV CMD...

prints the files that strace shows as opened and inotify does not, and exits with 1 if there are
any. The tests do the same where strace is installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from condaprune.live.trace.session import record
from condaprune.traces.trace import Run, Trace


@dataclass(frozen=True, slots=True)
class Comparison:
    """Regular files of the prefix, by the paths that they really lie at."""

    run: Run
    strace: frozenset[str]
    other: frozenset[str]

    @property
    def missing(self) -> frozenset[str]:
        """What strace shows as opened or executed and the other recorder does not."""
        return self.strace - self.other


def compare(command: Sequence[str], prefix: str, recorder: str = "inotify") -> Comparison:
    """Record one run with strace and another recorder at once."""
    prefix = os.path.realpath(prefix)
    trace = record(command, prefix, [recorder, "strace"])
    return Comparison(
        trace.runs[0],
        _files(trace, prefix, "strace"),
        _files(trace, prefix, recorder),
    )


def _files(trace: Trace, prefix: str, recorder: str) -> frozenset[str]:
    found = set()
    for path, entry in trace.entries.items():
        if recorder in entry.recorders and entry.kinds & {"open", "exec"}:
            real = os.path.realpath(os.path.join(prefix, path))
            if real.startswith(prefix + "/") and os.path.isfile(real):
                found.add(real[len(prefix) + 1 :])
    return frozenset(found)


def main(arguments: Sequence[str]) -> int:
    """Compare and print."""
    found = compare(arguments[1:], arguments[0])
    print(f"strace {len(found.strace)} files, inotify {len(found.other)}")
    for path in sorted(found.missing):
        print(f"missing: {path}")
    return int(bool(found.missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
