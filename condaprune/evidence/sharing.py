"""Divides work between this process and others that are forked for it and gone after it.

What a member does not deliver, for whatever reason, is left to the caller: sharing makes the work
faster or changes nothing. A pool of `concurrent.futures` would cost 30 ms to import and to start,
and its members outlive a caller that is killed.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn, TypeVar

from condaprune.errors import CondapruneError

_PATIENCE = 0.3  # seconds between two looks at whether the caller is still there
_SIGNALS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
_Result = TypeVar("_Result")


def share(work: Callable[[int], _Result], members: int) -> dict[int, _Result]:
    """The results of *work* on the numbers below *members*: on 0 here, on each other in a fork.

    Those for which *work* raised a `CondapruneError`, and those of members that died, are lacking.
    """
    team: list[tuple[int, int, int]] = []
    results: dict[int, _Result] = {}
    try:
        with suppress(OSError):  # the system may have no more to give
            for number in range(1, members):
                _start(team, number, partial(work, number))
        with suppress(CondapruneError):  # others may fail too: which error counts is not known yet
            results[0] = work(0)
        for number, _, pipe in team:
            # A member that failed or died has sent nothing, or not all.
            with open(pipe, "rb", closefd=False) as sent, suppress(EOFError, pickle.PickleError):
                results[number] = pickle.load(sent)
        return results
    finally:
        for _, member, pipe in team:  # after an error or Ctrl-C they are still at work
            os.close(pipe)
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(member, 0)


def _start(team: list[tuple[int, int, int]], number: int, work: Callable[[], object]) -> None:
    """Fork a member and note it, with the pipe of its result. Errors: `OSError`."""
    pipe, send = os.pipe()
    caller = os.getpid()
    # Signals wait until the member is on the list, and until it has let go of our handlers.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        member = os.fork()
        if member == 0:
            _be_member(caller, send, work, mask)
        team.append((number, member, pipe))
    except OSError:
        os.close(pipe)
        raise
    finally:
        os.close(send)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _be_member(
    caller: int, send: int, work: Callable[[], object], mask: set[signal.Signals | int]
) -> NoReturn:
    """Work, send the result, and end without any of what the end of a process sets off."""

    def check(*_: object) -> None:
        if os.getppid() != caller:
            os._exit(1)

    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, check)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE, _PATIENCE)
        gc.disable()  # a collection would write to, and so copy, all that is only looked at
        # Locks and pipes are the caller's, as the terminal is.
        os.dup2(send, 3)
        null = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(null, handle)
        os.closerange(4, max(map(int, os.listdir("/proc/self/fd"))) + 1)
        with open(3, "wb") as stream:
            pickle.dump(work(), stream, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)
