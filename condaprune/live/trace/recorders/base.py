"""The protocol that every recorder fulfils, and what recorders share."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from condaprune.errors import TraceError
from condaprune.traces.trace import TracedEntry

_BUFFER = 1 << 18
_PAUSE = 0.01
"""Seconds between two reads; the queue of inotify holds 16,384 events."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command as it is to be started: its words and its whole environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recorder saw.

    `changed` names entries that were created, deleted or written meanwhile, as far as it notices.
    `canary` is the result of its self-test, empty without one.
    """

    entries: Mapping[str, TracedEntry]
    overflow: bool = False
    canary: str = ""
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Recorder(Protocol):
    """Watches a prefix. Life: `check`, `start`, `launch`, the run, `stop`.

    It is made with the real path of the prefix and a folder for its own files. `attaches` says
    whether it sees processes that it did not start, `sees_changes` whether it notices what else
    happens to the prefix.
    """

    name: str
    attaches: bool = False
    sees_changes: bool = False

    def check(self) -> None:
        """Errors: `TraceError` where it cannot work here, with the remedy. Changes nothing."""
        ...

    def start(self) -> None:
        """Begin; what is touched from now on is recorded. Errors: `TraceError`."""
        ...

    def launch(self, launch: Launch) -> Launch:
        """The command as it must be started to be seen by this recorder."""
        return launch

    def stop(self) -> Recording:
        """End, wait for pending events, and return what was seen. Errors: `TraceError`."""
        ...


def walk(
    root: bytes, failed: Callable[[bytes, OSError], None] = lambda _folder, _error: None
) -> Iterator[os.DirEntry[bytes]]:
    """Everything below *root*, a folder before its content; links are not followed.

    *failed* is called for a folder that cannot be read.
    """
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    yield entry
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError as error:
            failed(folder, error)


class Pump:
    """Reads a non-blocking handle in a thread, and passes its data on until its end or `stop`.

    After a read of less than *short* bytes it pauses, so that it wakes up less often.
    """

    def __init__(
        self, handle: int, feed: Callable[[bytes], None], name: str, *, short: int = 0
    ) -> None:
        self._handle = handle
        self._feed = feed
        self._short = short
        self._wake = os.pipe()
        self._problem: TraceError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end of the data; says whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End after everything that can be read by now, and close the handle.

        Errors: the `TraceError` that ended the reading.
        """
        os.write(self._wake[1], b"x")
        self._thread.join()
        for handle in (*self._wake, self._handle):
            os.close(handle)
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        # Signals are the main thread's to forward.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        waiting = select.poll()
        waiting.register(self._handle, select.POLLIN)
        waiting.register(self._wake[0], select.POLLIN)
        stopping = False
        while not stopping:
            stopping = self._wake[0] in {handle for handle, _ in waiting.poll()}
            try:
                while data := os.read(self._handle, _BUFFER):
                    self._feed(data)
                    if len(data) < self._short and not stopping:
                        time.sleep(_PAUSE)
                return
            except BlockingIOError:
                continue
            except TraceError as problem:
                self._problem = problem
                return
