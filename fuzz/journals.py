"""What a run in place leaves in a prefix, and may have been left by anybody: journal and status."""

from __future__ import annotations

import json
from collections.abc import Sequence

from condaprune.sinks.inplace.status import read_status
from fuzz.target import Cost, Target
from tests.sinks.inplace.fuzzing import fuzz_journal


def carry_out(data: bytes, _: str) -> object:
    """Carry out, undo and discard a journal in a small prefix."""
    fuzz_journal(data)
    return None


def journals() -> Sequence[bytes]:
    """Choices of what is changed in a real journal, and a journal as such."""
    return bytes(range(40)), bytes(range(255, 200, -1)), b'{"format":4,"mode":"move","removals":[]}'


_RUN = {
    "version": "1.0",
    "profile": "runtime",
    "rules": ["bytecode", "tests"],
    "files_before": 10,
    "files_after": 5,
    "bytes_before": 1000,
    "bytes_after": 500,
}


def statuses() -> Sequence[bytes]:
    """Status files of one run and of several."""
    return tuple(json.dumps({"schema": 1, "runs": [_RUN] * n}).encode() for n in (1, 3))


WORDS = (b"null", b"-1", b"1e999", b"Infinity", b"[", b"{", b'"runs":', b'"rules":', b"\\ud800")
JOURNAL = Target("journal", carry_out, journals, cost=Cost(seconds=6), most=1 << 12)
STATUS = Target("status", lambda data, _: len(read_status(data)), statuses, WORDS)
