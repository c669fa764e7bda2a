"""What a prefix tells of its pruning: a small file that `condaprune status` reads.

It lies in a folder of its own below ``conda-meta``: conda and scanners take every
``conda-meta/*.json`` for the record of a package. It holds no wall-clock time, so that the same run
gives the same bytes; when it was is the file's modification time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from condaprune.sinks.inplace.format import Facts

STATUS = "conda-meta/condaprune/status.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Pruning:
    """One run that was carried out: files and bytes before and after it, to the byte.

    `rules` are the rules (and ``--drop`` patterns) that removed something. Bytes are apparent,
    each hard-linked file once.
    """

    version: str
    profile: str
    rules: tuple[str, ...]
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def add_pruning(old: bytes, facts: Facts, files_after: int, bytes_after: int) -> bytes:
    """The status file with one more run; *old* is its content so far, or empty."""
    runs = [*read_status(old), _pruning(facts, files_after, bytes_after)]
    data = {
        "schema": SCHEMA,
        "runs": [
            {
                "version": run.version,
                "profile": run.profile,
                "rules": list(run.rules),
                "files_before": run.files_before,
                "files_after": run.files_after,
                "bytes_before": run.bytes_before,
                "bytes_after": run.bytes_after,
            }
            for run in runs
        ],
    }
    return (json.dumps(data, indent=1) + "\n").encode("ascii")


def read_status(data: bytes) -> tuple[Pruning, ...]:
    """The runs that a status file tells of, oldest first; none where it cannot be read."""
    try:
        raw: dict[str, Any] = json.loads(data)
        return tuple(
            Pruning(
                str(run["version"]),
                str(run["profile"]),
                tuple(str(rule) for rule in run["rules"]),
                int(run["files_before"]),
                int(run["files_after"]),
                int(run["bytes_before"]),
                int(run["bytes_after"]),
            )
            for run in raw["runs"]
        )
    except (ValueError, KeyError, TypeError):
        return ()


def _pruning(facts: Facts, files_after: int, bytes_after: int) -> Pruning:
    return Pruning(
        facts.version,
        facts.profile,
        facts.rules,
        facts.files_before,
        files_after,
        facts.bytes_before,
        bytes_after,
    )
