"""A command and all that it starts, kept together: a program of its own, without our packages.

``python supervisor.py CONTROL STATUS ENVIRONMENT COMMAND...``, where the first three are open
descriptors. It runs COMMAND in a session of its own with the variables that ENVIRONMENT holds, and
ends as the command ends. Before that it ends whatever the command has left running, daemons
included: on Linux it is the one to whom they fall when their parents are gone. The same happens as
soon as the other end of CONTROL is closed, and so however condaprune itself ends. To STATUS
it writes the number of the error where the command cannot be started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable

_SET_DEATH_SIGNAL = 1
_SET_SUBREAPER = 36
_GRACE = 2.0
"""Seconds that processes outside of the command's group have to end by themselves."""
_QUIET = 0.2
"""Seconds of these in which they are not yet told to: a tracer ends when its last process has."""
_LONGEST = 10.0


def adopt(*, on: bool = True) -> bool:
    """Have this process be the parent of all its descendants whose own parent ends, or not.

    Returns whether the system can do that.
    """
    return _prctl(_SET_SUBREAPER, int(on))


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0)) == 0
    except (ImportError, OSError, AttributeError):
        return False


def descendants(root: int) -> list[int]:
    """The processes below *root* that have not ended, as ``/proc`` tells; parents come first."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stream:
                # The name of the program, in parentheses, may hold anything.
                fields = stream.read().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    children.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for process in found:
        found += children.get(process, ())
    return found[1:]


def end(find: Callable[[], list[int] | None], grace: float = _GRACE) -> None:
    """End the processes that *find* finds, until it is sure that there are none: None.

    They are told to (SIGTERM), and killed after *grace* seconds.
    """
    began = time.monotonic()
    told: set[int] = set()
    while (left := find()) is not None:
        spent = time.monotonic() - began
        if spent > grace + _LONGEST:
            return  # another user's, or stuck in the kernel
        for process in left:
            if spent >= grace:
                _send(process, signal.SIGKILL)
            elif spent >= _QUIET and process not in told:
                _send(process, signal.SIGTERM)
                _send(process, signal.SIGCONT)
                told.add(process)
        time.sleep(0.01 if spent < _QUIET or spent >= grace else 0.05)


def _find() -> list[int] | None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return None
    return descendants(os.getpid())  # may miss one whose parent ends meanwhile


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _start(control: int, status: int, environment: int, command: list[bytes]) -> int:
    with open(environment, "rb") as stream:
        rows = (row.partition(b"=") for row in stream.read().split(b"\0") if row)
        variables = {name: value for name, _, value in rows}
    for handle in (control, status):
        os.set_inheritable(handle, False)
    mine = os.getpid()
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != mine:
            os._exit(1)
        # Python ignores these, and whatever is started inherits that.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(command[0], command, variables)
    except OSError as error:
        os.write(status, str(error.errno).encode())
    finally:
        os._exit(126)


def main(words: list[str]) -> int:
    """Run the command; returns its exit status, or never where a signal ended it."""
    control, status, environment = map(int, words[:3])
    adopt()
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    process = _start(control, status, environment, [os.fsencode(word) for word in words[3:]])
    os.close(status)
    # What reads the command's output waits until nobody can write any more.
    null = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(null, handle)
    code: int | None = None
    grace = _GRACE
    while code is None:
        ready = select.select([control, wake], [], [], 1.0)[0]
        if control in ready:
            grace = _GRACE if os.read(control, 1) else 0.0
            break
        if wake in ready:
            os.read(wake, 512)
        code = _reap(process)
    _kill_group(process)
    end(_find, grace)
    if code is None:
        code = -signal.SIGKILL
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):  # SIGKILL has no other
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _reap(process: int) -> int | None:
    """How *process* ended, if it has; the orphans that ended are laid to rest too."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitpid(-1, os.WNOHANG):
            if not ended[0]:
                break
            if ended[0] == process:
                code = os.waitstatus_to_exitcode(ended[1])
    return code


def _kill_group(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
