"""The protocol that every recorder fulfils, and what recorders share."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from condaprune.traces.trace import TracedEntry


@dataclass(frozen=True, slots=True)
class Launch:
    """A command as it is to be started: its words and its whole environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recorder saw.

    `changed` names entries that were created, deleted or written meanwhile, or is None where the
    recorder does not notice. `canary` is the result of its self-test, empty without one.
    """

    entries: Mapping[str, TracedEntry]
    overflow: bool = False
    canary: str = ""
    changed: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


class Recorder(Protocol):
    """Watches a prefix. Life: `check`, `start`, `launch`, the run, `stop`.

    It is made with the real path of the prefix and a folder for its own files. `attaches` says
    whether it sees processes that it did not start, `sees_changes` whether it notices what else
    happens to the prefix.
    """

    name: str
    attaches: bool
    sees_changes: bool

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
        """End, wait for pending events, and return what was seen. Errors: `TraceError`."""
        ...


def walk(root: bytes) -> Iterator[os.DirEntry[bytes]]:
    """Everything below *root*; links are not followed, folders that cannot be read are skipped."""
    pending = [root]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)


def start_thread(work: Callable[[], None], name: str) -> threading.Thread:
    """Start a thread that takes no signals: they are the main thread's to forward."""

    def run() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        work()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
