"""Runs the workload as if nothing watched it: its signals, its terminal, its exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from condaprune.errors import TraceError
from condaprune.live.processes import Family
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

    They are taken one by one with ``sigtimedwait``; those that come after the run are dropped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = _forwarded()
    # Another thread of the process may take a signal that is blocked in this one.
    handlers = {number: signal.signal(number, lambda *_: None) for number in numbers}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*numbers, signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # what is left arrives, and is dropped
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _forwarded() -> set[signal.Signals]:
    # One that is ignored (nohup) stays ignored, here and in the child.
    return {n for n in FORWARDED if signal.getsignal(n) not in (signal.SIG_IGN, None)}


def run_command(
    launch: Launch,
    *,
    seconds: float = 0.0,
    grace: float = 10.0,
    stdout: IO[bytes] | None = None,
    family: Family | None = None,
) -> Finish:
    """Run a command to its end, inside `signals_blocked`; what it leaves behind joins *family*.

    After *seconds* (0: never) it is told to end (SIGTERM), and *grace* seconds later killed.
    Errors: `TraceError` where it cannot be started.
    """
    begun = time.monotonic()
    child = _start(launch, stdout)
    ended: Ending = "exit"
    deadline = begun + seconds if seconds else float("inf")
    sent = 0
    late = False
    while not (result := os.waitpid(child, os.WNOHANG))[0]:
        if family is not None:
            family.bury(child)
        left = deadline - time.monotonic()
        if left <= 0:
            sent = signal.SIGKILL if late else signal.SIGTERM
            ended = ended if late else "time"
            late = True
            os.kill(child, sent)
            deadline = time.monotonic() + grace
        elif arrived := _next_signal(min(left, _TICK)):
            ended, sent = "signal", arrived.si_signo
            # One that comes from the terminal has reached the child, which is in the same group.
            if arrived.si_code <= 0:
                os.kill(child, sent)
    code = os.waitstatus_to_exitcode(result[1])
    if ended == "time" and code in (-sent, -signal.SIGTERM):
        code = 0  # it ended as it was told to
    return Finish(128 - code if code < 0 else code, ended, time.monotonic() - begun)


def wait_for_signal(seconds: float = 0.0) -> Finish:
    """Wait, inside `signals_blocked`, for a signal to end or for *seconds* to pass (0: never)."""
    begun = time.monotonic()
    deadline = begun + seconds if seconds else float("inf")
    while (left := deadline - time.monotonic()) > 0:
        if _next_signal(min(left, _TICK)):
            break
    return Finish(None, "attached", time.monotonic() - begun)


def _next_signal(patience: float) -> signal.struct_siginfo | None:
    """The next signal to forward; None where there is none within *patience* seconds."""
    if threading.current_thread() is not threading.main_thread():
        time.sleep(min(patience, 0.02))
        return None
    arrived = signal.sigtimedwait({*_forwarded(), signal.SIGCHLD}, patience)
    return arrived if arrived is not None and arrived.si_signo != signal.SIGCHLD else None


def _start(launch: Launch, stdout: IO[bytes] | None) -> int:
    """The process id of the child, which starts with no signal blocked."""
    try:
        return os.posix_spawn(
            find_program(launch.command),
            launch.command,
            launch.environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, stdout.fileno(), 1)] if stdout else (),
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them
        )
    except OSError as error:
        raise TraceError(
            f"the command {printable(launch.command[0])!r} cannot be started: {error.strerror}",
            remedy="Check that it is executable and built for this machine",
        ) from None
