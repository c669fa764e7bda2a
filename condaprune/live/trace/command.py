"""Runs the workload as if nothing watched it: its signals, its terminal, its exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.base import Launch
from condaprune.paths import printable
from condaprune.traces.trace import Ending

FORWARDED = frozenset(
    (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
)
_TICK = 0.5
"""Seconds between two checks of the child, in case the signal of its end was lost."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How a run ended. `exit_code` is a shell's (128 + N after signal N), None without a command;
    `duration` is in seconds."""

    exit_code: int | None
    ended: Ending
    duration: float


def find_program(command: Sequence[str]) -> str:
    """The file that a command runs. Errors: `TraceError` where there is none."""
    if not command or not command[0]:
        raise TraceError(
            "there is no command to record", remedy="Write it after `--`: trace -- python app.py"
        )
    program = shutil.which(command[0])
    if program is None:
        what = "is not a program" if os.path.lexists(command[0]) else "does not exist"
        if "/" not in command[0]:
            what = "is not found on PATH"
        raise TraceError(
            f"the command {printable(command[0])!r} {what}",
            remedy="Check its spelling, or name it by its path",
        )
    return program


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Block the signals that are to be forwarded, in the main thread only.

    They are taken one by one with ``sigtimedwait``; handlers cover the moment in which the child
    is started, when they are not blocked.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = _forwarded()
    handlers = {number: signal.signal(number, _note) for number in numbers}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*numbers, signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _forwarded() -> set[signal.Signals]:
    # One that is ignored (nohup) stays ignored, here and in the child.
    return {n for n in FORWARDED if signal.getsignal(n) not in (signal.SIG_IGN, None)}


_arrived: list[int] = []


def _note(number: int, _frame: object) -> None:
    _arrived.append(number)


def run_command(
    launch: Launch, *, seconds: float = 0.0, grace: float = 10.0, stdout: IO[bytes] | None = None
) -> Finish:
    """Run a command to its end, inside `signals_blocked`.

    After *seconds* (0: never) it is told to end (SIGTERM), and *grace* seconds later killed.
    Errors: `TraceError` where it cannot be started.
    """
    begun = time.monotonic()
    _arrived.clear()
    child = _start(launch, stdout)
    ended: Ending = "exit"
    deadline = begun + seconds if seconds else float("inf")
    sent = 0
    late = False
    while child.poll() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            sent = signal.SIGKILL if late else signal.SIGTERM
            ended = ended if late else "time"
            late = True
            child.send_signal(sent)
            deadline = time.monotonic() + grace
            continue
        for number, forward in _next_signals(min(left, _TICK)):
            ended, sent = "signal", number
            if forward:
                child.send_signal(number)
    code = child.returncode
    if ended == "time" and code in (-sent, -signal.SIGTERM):
        code = 0  # it ended as it was told to
    return Finish(128 - code if code < 0 else code, ended, time.monotonic() - begun)


def wait_for_signal(seconds: float = 0.0) -> Finish:
    """Wait, inside `signals_blocked`, for a signal to end or for *seconds* to pass (0: never)."""
    begun = time.monotonic()
    deadline = begun + seconds if seconds else float("inf")
    _arrived.clear()
    while (left := deadline - time.monotonic()) > 0:
        if any(_next_signals(min(left, _TICK))):
            break
    return Finish(None, "attached", time.monotonic() - begun)


def _next_signals(patience: float) -> Iterator[tuple[int, bool]]:
    """The signals that arrive within *patience* seconds, each with whether to pass it on.

    One that comes from the terminal has reached the child already, which is in the same group.
    """
    while _arrived:
        yield _arrived.pop(), True
    if threading.current_thread() is not threading.main_thread():
        time.sleep(min(patience, 0.02))
        return
    arrived = signal.sigtimedwait({*_forwarded(), signal.SIGCHLD}, patience)
    if arrived is not None and arrived.si_signo != signal.SIGCHLD:
        yield arrived.si_signo, arrived.si_code <= 0


def _start(launch: Launch, stdout: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Start the child with no signal blocked, since it inherits the mask."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {*FORWARDED, signal.SIGCHLD})
    try:
        return subprocess.Popen(
            launch.command, env=dict(launch.environment), stdout=stdout, close_fds=False
        )
    except OSError as error:
        raise TraceError(
            f"the command {printable(launch.command[0])!r} cannot be started: {error.strerror}",
            remedy="Check that it is executable and built for this machine",
        ) from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
