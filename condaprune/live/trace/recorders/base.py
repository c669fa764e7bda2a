"""The protocol that every recorder fulfils, and what recorders share."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from condaprune.paths import from_bytes, to_bytes
from condaprune.traces.trace import TracedEntry, TraceKind


@dataclass(frozen=True, slots=True)
class Launch:
    """A command as it is to be started: its words and its whole environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recorder saw.

    `changed` names entries that were created, deleted or written meanwhile, or is None where the
    recorder cannot tell. `canary` is the result of its self-test, empty without one.
    """

    entries: Mapping[str, TracedEntry]
    overflow: bool = False
    canary: str = ""
    changed: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


class Recorder(Protocol):
    """Watches a prefix. Life: `check`, `start`, `launch`, the run, `stop`.

    `attaches` says whether it sees processes that it did not start, `tells_changes` whether it
    notices what becomes of the prefix meanwhile.
    """

    name: str
    attaches: bool
    tells_changes: bool

    def check(self) -> None:
        """Errors: `TraceError` where it cannot work here, with the remedy. Changes nothing."""
        ...

    def start(self) -> None:
        """Begin; what is touched from now on is recorded. Errors: `TraceError`."""
        ...

    def launch(self, launch: Launch) -> Launch:
        """The command as it must be started to be seen by this recorder."""
        ...

    def stop(self) -> Recording:
        """End, wait for what is under way, and tell. Errors: `TraceError`."""
        ...


class Tally:
    """Adds up events by path; the paths are those of the prefix, relative to it."""

    def __init__(self, recorder: str) -> None:
        self._recorder = frozenset((recorder,))
        self._events: dict[tuple[str, TraceKind], int] = {}

    def add(self, path: str, kind: TraceKind, count: int = 1) -> None:
        """Count events of one kind on one path; an empty path (the prefix itself) is left out."""
        if path:
            key = (path, kind)
            self._events[key] = self._events.get(key, 0) + count

    def entries(self) -> dict[str, TracedEntry]:
        """All that was added."""
        kinds: dict[str, set[TraceKind]] = {}
        counts: dict[str, int] = {}
        for (path, kind), count in self._events.items():
            kinds.setdefault(path, set()).add(kind)
            counts[path] = counts.get(path, 0) + count
        return {
            path: TracedEntry(frozenset(found), counts[path], self._recorder)
            for path, found in kinds.items()
        }


@dataclass(slots=True)
class Inside:
    """Tells which absolute paths lie in a prefix, however it is spelt."""

    prefix: str
    spellings: tuple[str, ...] = ()
    _starts: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        spelt = dict.fromkeys((self.prefix, *self.spellings))
        self._starts = tuple(text.rstrip("/") + "/" for text in spelt if text)

    def relative(self, path: str) -> str | None:
        """The path relative to the prefix, normalised as text; None outside of it.

        A ``..`` is taken as text: callers that hold paths of this machine resolve them first.
        """
        if "//" in path or "/." in path:
            path = os.path.normpath(path)
            path = path[1:] if path.startswith("//") else path
        for start in self._starts:
            if path.startswith(start):
                return path[len(start) :].rstrip("/")
            if path == start[:-1]:
                return ""
        return None


def folders(root: bytes) -> Iterator[bytes]:
    """The real folders below *root*, itself first; links are not followed.

    Folders that cannot be read are yielded, what lies in them is not.
    """
    pending = [root]
    while pending:
        folder = pending.pop()
        yield folder
        try:
            with os.scandir(folder) as entries:
                pending.extend(e.path for e in entries if e.is_dir(follow_symlinks=False))
        except OSError:
            continue


def names(root: str) -> frozenset[str]:
    """The paths of everything below *root*, relative to it: a snapshot to compare with."""
    start = to_bytes(root)
    skip = len(start) + 1
    found: list[str] = []
    pending = [start]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                found.append(from_bytes(entry.path[skip:]))
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
    return frozenset(found)


def start_thread(work: Callable[[], None], name: str) -> threading.Thread:
    """Start a thread that takes no signals: they are the main thread's to forward."""

    def run() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        work()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
