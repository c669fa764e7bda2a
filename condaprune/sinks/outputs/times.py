"""Which times members get: the same ones wherever and whenever an environment is packed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from condaprune.errors import UsageProblem
from condaprune.model import Entry
from condaprune.sources.base import Contents
from condaprune.sources.owners import source_of_bytecode

EARLIEST = 315_532_800
"""1980-01-01: the time of everything in an environment without records, and zip's earliest."""

SECOND = 1_000_000_000


def source_date_epoch() -> int | None:
    """What SOURCE_DATE_EPOCH says, in seconds. Errors: `UsageProblem` where it is no number."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageProblem(
            f"not a number of seconds: {text!r}",
            where="SOURCE_DATE_EPOCH",
            remedy="Set it to seconds since 1970, or unset it",
        )
    return int(text)


class Times:
    """The times of members, in whole seconds.

    Links, folders and files that are written anew get *common*. A file keeps its time unless that
    is later than its package's, which means that it was made on installing; then it gets the
    package's (*limits*, else *common*). A ``.py`` file whose bytecode stays keeps its time where
    the bytecode names it (*exact*): Python would compile it again otherwise.
    """

    def __init__(
        self, common: int, limits: Mapping[str, int], exact: Mapping[str, int] | None = None
    ) -> None:
        self.common = common
        self._limits = limits
        self._exact = exact or {}

    def with_exact(self, exact: Mapping[str, int]) -> Times:
        """The same with files that keep their time."""
        return Times(self.common, self._limits, exact)

    def limit(self, path: str) -> int:
        """The latest time a file may have."""
        return self._limits.get(path, self.common)

    def of(self, entry: Entry) -> int:
        """The time of an entry that stays."""
        if entry.kind != "file":
            return self.common
        seconds = entry.mtime_ns // SECOND
        limit = self._limits.get(entry.path, self.common)
        if seconds <= limit:
            return max(seconds, 0)
        return self._exact.get(entry.path, limit)


def times_of(kept: Iterable[Entry], source: Contents, times: Times) -> Times:
    """*times* with the sources that kept bytecode names; reads bytecode of newer sources only."""
    entries = {entry.path: entry for entry in kept if entry.kind == "file"}
    wanted: dict[str, int] = {}
    for path in entries:
        if path.endswith(".pyc"):
            name = source_of_bytecode(path)
            if name in entries and entries[name].mtime_ns // SECOND > times.limit(name):
                wanted[path] = entries[name].mtime_ns // SECOND
    exact = {
        source_of_bytecode(path): wanted[path]
        for path, seconds in _stamps(source, wanted)
        if wanted[path] & 0xFFFFFFFF == seconds
    }
    return times.with_exact(exact)


def _stamps(source: Contents, paths: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The source's time that each timestamp-checked bytecode file names."""
    if not paths:
        return
    for path, data in source.read_many(list(paths)):
        if len(data) >= 16 and data[4:8] == b"\0\0\0\0":
            yield path, int.from_bytes(data[8:12], "little")
