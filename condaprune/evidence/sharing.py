"""Shares work on many files between processes that are forked for it and gone after it.

A member takes the next chunk that nobody has, so that nobody waits long for another, and sends its
results when there are no more. What a member does not deliver, for whatever reason, is left to the
caller: sharing makes the work faster or changes nothing.
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
_PIECE = 1 << 20
_LENGTH = 8  # bytes of the length before the results
_Result = TypeVar("_Result")


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


def cut(weights: Sequence[int], members: int) -> list[range]:
    """Runs of items of about the same weight, enough of them to keep all members busy."""
    most = min(members * _EACH, _MOST_CHUNKS)
    least = sum(weights) // most + 1
    found: list[range] = []
    start = weight = 0
    for end, more in enumerate(weights, 1):
        weight += more
        if weight >= least:
            found.append(range(start, end))
            start, weight = end, 0
    if start < len(weights):
        found.append(range(start, len(weights)))
    return found


def share(
    chunks: int,
    work: Callable[[int], _Result],
    members: int,
    taken: Callable[[int], None],
) -> dict[int, _Result]:
    """The results of *work* on the numbers below *chunks* (those of `cut`), by number.

    Some may be lacking: those for which *work* raised a `CondapruneError`, and those of members
    that died. *taken* is told the numbers that the calling process works on.
    """
    try:
        tickets, fill = os.pipe()
    except OSError:
        return {}
    team: list[tuple[int, int]] = []
    try:
        os.write(fill, bytes(range(chunks)))
        os.close(fill)
        while len(team) < members - 1 and _start(team, tickets, work):
            pass
        done = _work_off(tickets, work, taken)
        for _, results in team:
            done.update(_receive(results))
        return done
    finally:
        os.close(tickets)
        for member, results in team:  # after an error or Ctrl-C they are still at work
            os.close(results)
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(member, 0)


def _work_off(
    tickets: int, work: Callable[[int], _Result], taken: Callable[[int], None]
) -> dict[int, _Result]:
    """Work until there are no more tickets, or one fails."""
    done: dict[int, _Result] = {}
    while ticket := os.read(tickets, 1):
        taken(ticket[0])
        try:
            done[ticket[0]] = work(ticket[0])
        except CondapruneError:
            break  # another member may fail too: which error counts is for the caller to find
    return done


def _start(team: list[tuple[int, int]], tickets: int, work: Callable[[int], _Result]) -> bool:
    """Fork a member; false where the system has none to give."""
    try:
        results, send = os.pipe()
    except OSError:
        return False
    parent = os.getpid()
    # Signals wait until the member is on the list, and until it has let go of our handlers.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _signals())
    try:
        member = os.fork()
        if member == 0:
            _be_member(parent, tickets, send, work, held)
        team.append((member, results))
    except OSError:
        os.close(results)
        return False
    finally:
        os.close(send)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return True


def _signals() -> set[signal.Signals]:
    return {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def _be_member(
    parent: int,
    tickets: int,
    send: int,
    work: Callable[[int], _Result],
    held: set[signal.Signals | int],
) -> NoReturn:
    """Work, send the results, and end without any of what the end of a process sets off."""
    try:
        gc.disable()  # a collection would write to, and so copy, all that is only looked at
        for number in _signals():
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        _let_go({tickets, send})

        def check(_: int) -> None:
            if os.getppid() != parent:
                os._exit(1)

        data = pickle.dumps(_work_off(tickets, work, check), pickle.HIGHEST_PROTOCOL)
        view = memoryview(len(data).to_bytes(_LENGTH, "big") + data)
        while view:
            view = view[os.write(send, view[:_PIECE]) :]
    finally:
        os._exit(0)


def _let_go(needed: set[int]) -> None:
    """Close every handle but those needed: locks and pipes are the parent's, as the terminal is."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2} - needed:
        os.dup2(null, stream)
    for handle in map(int, os.listdir("/proc/self/fd")):
        if handle > 2 and handle not in needed:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(handle)


def _receive(results: int) -> dict[int, _Result]:
    """What a member sends; nothing where that is not all."""
    pieces: list[bytes] = []
    while piece := os.read(results, _PIECE):
        pieces.append(piece)
    data = b"".join(pieces)
    if len(data) < _LENGTH or len(data) - _LENGTH != int.from_bytes(data[:_LENGTH], "big"):
        return {}
    found: dict[int, _Result] = pickle.loads(data[_LENGTH:])
    return found
