"""Commands that end with condaprune, and whatever they have started with them.

Each is run by a supervisor (`condaprune.live.supervisor`), which holds the other end of a pipe:
however condaprune ends, killed or not, the pipe is closed, and the supervisor ends them all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence

from condaprune.live import supervisor
from condaprune.paths import to_bytes

_PATIENCE = 30.0
_LOOKS = 5


class Commands:
    """Commands that run at the same time, in any threads, and can be ended together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._controls: set[int] = set()
        self._ended = False

    def end(self) -> None:
        """End all that run now, from any thread, and start no more."""
        with self._lock:
            self._ended = True
            for control in self._controls:
                _tell(control)

    @contextlib.contextmanager
    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[bytes, bytes],
        *,
        stdout: int,
        stderr: int,
        folder: str | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run *argv*, which reads nothing, in a session of its own, with these variables alone.

        The process is that of the supervisor, and ends as the command ends. When it is over, or
        is left, nothing that the command started is running any more: what is in its group is
        killed, the rest is told to end and killed two seconds later. Errors: `OSError` where it
        cannot be started.
        """
        with contextlib.ExitStack() as stack:
            variables = stack.enter_context(tempfile.TemporaryFile())
            variables.write(b"\0".join(b"=".join(row) for row in environment.items()))
            variables.seek(0)
            held, control = os.pipe()
            said, status = os.pipe()
            for handle in (said, control):
                stack.callback(os.close, handle)
            theirs = stack.enter_context(contextlib.ExitStack())
            for handle in (held, status):
                theirs.callback(os.close, handle)
            passed = (held, status, variables.fileno())
            with self._lock:
                if self._ended:
                    raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
                self._controls.add(control)
            try:
                program = [sys.executable, "-I", "-S", "-B", supervisor.__file__]
                process = subprocess.Popen(
                    [*program, *map(str, passed), *map(to_bytes, argv)],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    cwd=folder,
                    pass_fds=passed,
                    start_new_session=True,
                )
                with process:
                    try:
                        theirs.close()
                        number = os.read(said, 16)
                        if number:
                            raise OSError(int(number), os.strerror(int(number)))
                        yield process
                    finally:
                        _tell(control)
                        _wait(process)
            finally:
                with self._lock:
                    self._controls.remove(control)


def _tell(control: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(control, b"\n")


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


@contextlib.contextmanager
def adopted() -> Iterator[Family]:
    """Have what a command leaves behind be found, for a process that runs nothing else.

    In the meantime its orphans are children of this process, so that they can be ended; on an
    error they are.
    """
    family = Family()
    if not supervisor.adopt():
        yield family
        return
    try:
        yield family
    except BaseException:
        family.end()
        raise
    finally:
        supervisor.adopt(on=False)


class Family:
    """The processes that are started from now on by this one, and all below them."""

    def __init__(self) -> None:
        self._others = frozenset(supervisor.descendants(os.getpid()))
        self._missed = 0

    def end(self) -> None:
        """Tell those that still run to end, and kill them two seconds later."""
        supervisor.end(self._find)

    def _find(self) -> list[int] | None:
        self.bury(0)
        kept = set(self._others)
        for process in self._others:
            kept.update(supervisor.descendants(process))
        found = [p for p in supervisor.descendants(os.getpid()) if p not in kept]
        # One look may miss a process whose parent ends meanwhile.
        self._missed = 0 if found else self._missed + 1
        return found if self._missed < _LOOKS else None

    def bury(self, child: int) -> None:
        """Lay to rest the orphans that have ended; *child* is waited for elsewhere."""
        if not hasattr(os, "waitid"):
            return
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, options):
                if ended.si_pid == child or ended.si_pid in self._others:
                    return
                os.waitpid(ended.si_pid, 0)
