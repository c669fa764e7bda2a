"""Shares work on many files between processes that are forked for it and gone after it.

A member takes the next chunk that nobody has, so that nobody waits long for another, and sends its
results when there are no more. What a member does not deliver, for whatever reason, is left to the
caller: sharing makes the work faster or changes nothing. A pool of `concurrent.futures` would cost
30 ms to import and to start, and its members outlive a caller that is killed.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from condaprune.errors import CondapruneError

_MOST_CHUNKS = 255  # the number of a chunk is one byte
_MOST_MEMBERS = 4
_PAYS = 1_500  # files; with fewer, forking costs about what it saves
_EACH = 32  # chunks for each member
_SIGNALS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Work = Callable[[Callable[[int], None]], object]


def members_for(files: int) -> int:
    """How many processes are to read *files* files: 1 where more do not pay or are not safe.

    Only a process of one thread is forked: another thread might hold a lock, for ever in the copy.
    """
    if files < _PAYS or sys.platform != "linux":
        return 1
    try:
        alone = len(os.listdir("/proc/self/task")) == 1
        return min(len(os.sched_getaffinity(0)), _MOST_MEMBERS) if alone else 1
    except OSError:
        return 1


def split(items: Sequence[_Item], members: int) -> list[Sequence[_Item]]:
    """Runs of items, enough of them to keep all members busy."""
    most = min(members * _EACH, _MOST_CHUNKS)
    size = len(items) // most + 1
    return [items[at : at + size] for at in range(0, len(items), size)]


def share(
    chunks: int, work: Callable[[int], _Result], members: int, begun: Callable[[int], None]
) -> dict[int, _Result]:
    """The results of *work* on the numbers below *chunks* (those of `split`), by number.

    Some may be lacking: those for which *work* raised a `CondapruneError`, and those of members
    that died. *begun* is called with the numbers that the calling process works on.
    """

    def work_off(begun: Callable[[int], None]) -> dict[int, _Result]:
        """Work until there are no more tickets, or one fails."""
        done: dict[int, _Result] = {}
        while ticket := os.read(tickets, 1):
            begun(ticket[0])
            try:
                done[ticket[0]] = work(ticket[0])
            except CondapruneError:
                break  # another member may fail too: which error counts is for the caller to find
        return done

    team: list[tuple[int, int]] = []
    try:
        tickets, fill = os.pipe()
    except OSError:
        return {}
    try:
        os.write(fill, bytes(range(chunks)))
        os.close(fill)
        with contextlib.suppress(OSError):  # the system may have no more to give
            while len(team) < members - 1:
                _start(team, tickets, work_off)
        done = work_off(begun)
        for _, results in team:
            # A member that died has sent nothing, or not all.
            broken = contextlib.suppress(EOFError, pickle.UnpicklingError)
            with open(results, "rb", closefd=False) as stream, broken:
                done.update(pickle.load(stream))
        return done
    finally:
        os.close(tickets)
        for member, results in team:  # after an error or Ctrl-C they are still at work
            os.close(results)
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(member, 0)


def _start(team: list[tuple[int, int]], tickets: int, work_off: _Work) -> None:
    """Fork a member and note it, with where its results come from. Errors: `OSError`."""
    results, send = os.pipe()
    caller = os.getpid()
    # Signals wait until the member is on the list, and until it has let go of our handlers.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        member = os.fork()
        if member == 0:
            _be_member(caller, tickets, send, work_off, mask)
        team.append((member, results))
    except OSError:
        os.close(results)
        raise
    finally:
        os.close(send)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _be_member(
    caller: int, tickets: int, send: int, work_off: _Work, mask: set[signal.Signals | int]
) -> NoReturn:
    """Work, send the results, and end without any of what the end of a process sets off."""
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        gc.disable()  # a collection would write to, and so copy, all that is only looked at
        _close_all_but(tickets, send)

        def check(_: int) -> None:
            if os.getppid() != caller:
                os._exit(1)

        with open(send, "wb") as stream:
            pickle.dump(work_off(check), stream, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def _close_all_but(*needed: int) -> None:
    """Close every other handle: locks and pipes are the caller's, as the terminal is."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2}.difference(needed):
        os.dup2(null, stream)
    for handle in map(int, os.listdir("/proc/self/fd")):
        if handle > 2 and handle not in needed:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(handle)
