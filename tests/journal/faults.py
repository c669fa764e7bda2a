"""Ends the process at any one file-system call of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from condaprune.journal.filesystem import Filesystem

KILLED = 77


class Counting(Filesystem):
    """Counts the calls, and ends the process right before call *last* (0: never).

    A write is cut in half first, as a full disk or a kill would leave it.
    """

    def __init__(self, last: int = 0) -> None:
        self.calls = 0
        self.last = last

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if name.startswith("_") or name in ("calls", "last", "close"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.last:
                if name == "write":
                    os.write(args[0], bytes(args[1])[: len(args[1]) // 2])
                os._exit(KILLED)
            return value(*args, **kwargs)

        return call


def in_child(work: Callable[[], object]) -> int:
    """Run *work* in a forked child. Returns its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
