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

_SECOND = 1_000_000_000


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
    """The times of members, in whole seconds, none later than *latest*.

    Links and folders get *latest* itself. A ``.py`` file whose bytecode stays keeps its time
    where the bytecode names it: Python would compile it again otherwise.
    """

    def __init__(self, latest: int, exact: Mapping[str, int]) -> None:
        self.latest = latest
        self._exact = exact

    def of(self, entry: Entry) -> int:
        """The time of an entry that stays."""
        if entry.kind != "file":
            return self.latest
        seconds = entry.mtime_ns // _SECOND
        if seconds <= self.latest:
            return max(seconds, 0)
        return self._exact.get(entry.path, self.latest)


def times_of(kept: Iterable[Entry], source: Contents, latest: int) -> Times:
    """The times for the entries that stay; reads the bytecode files whose sources are newer."""
    entries = {entry.path: entry for entry in kept if entry.kind == "file"}
    wanted = {
        path: seconds
        for path in entries
        if path.endswith(".pyc")
        for source_entry in (entries.get(source_of_bytecode(path)),)
        if source_entry is not None
        for seconds in (source_entry.mtime_ns // _SECOND,)
        if seconds > latest
    }
    exact: dict[str, int] = {}
    for path, seconds in _stamps(source, wanted):
        if wanted[path] & 0xFFFFFFFF == seconds:
            exact[source_of_bytecode(path)] = wanted[path]
    return Times(latest, exact)


def _stamps(source: Contents, paths: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The source's time that each timestamp-checked bytecode file names."""
    for path, data in source.read_many(list(paths)):
        if len(data) >= 16 and data[4:8] == b"\0\0\0\0":
            yield path, int.from_bytes(data[8:12], "little")
