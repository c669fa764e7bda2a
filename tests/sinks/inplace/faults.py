"""Ends the process at any one file-system call of a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from condaprune.sinks.inplace.filesystem import Filesystem


class Killed(BaseException):
    """What stands for the end of the process."""


class Counting(Filesystem):
    """Counts the calls, and ends the run right before call *last* (0: never).

    The end is that of the process where *really* is true. Otherwise it is an exception that every
    later call raises too, so that no handler can do more than a dead process would. A write is
    cut in half first.
    """

    def __init__(self, last: int = 0, *, really: bool = False) -> None:
        self.calls = 0
        self.last = last
        self.really = really

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if name.startswith("_") or name in ("calls", "last", "really", "close"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.last and self.calls >= self.last:
                if name == "write" and self.calls == self.last:
                    os.write(args[0], bytes(args[1])[: len(args[1]) // 2])
                if self.really:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise Killed
            if name == "sync":
                return None  # a kill loses nothing that was written, and waiting takes long
            return value(*args, **kwargs)

        return call


def kill_at(last: int, work: Callable[[Counting], object]) -> None:
    """Run *work* and end it at call *last*; every tenth time in a process that is really killed."""
    if last % 10 == 0:
        code = in_child(lambda: work(Counting(last, really=True)))
        assert code == -signal.SIGKILL, code
        return
    try:
        work(Counting(last))
    except Killed:
        return
    raise AssertionError(f"call {last} was never made")


def in_child(work: Callable[[], object]) -> int:
    """Run *work* in a forked child. Returns its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
