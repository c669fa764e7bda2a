"""The strace recorder: every call that names a file, a stat or a failed look-up included.

It needs strace and permission to ptrace, costs more than inotify, and cannot attach to a workload
that something else runs. The tracer is a grandchild (``-DD``), so that the command remains our
own child: signals and exit codes are its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.base import Launch, Pump, Recorder, Recording
from condaprune.traces.strace_log import SYSCALLS, StraceLog
from condaprune.traces.trace import Prefix

_FLAGS = (
    "-DD", "-I2", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "65535", "-e", "signal=none",
    "-e", f"trace={SYSCALLS}",
)  # fmt: skip
_PATIENCE = 3.0
"""Seconds that children left behind are followed after the command has ended."""


class StraceRecorder(Recorder):
    """Traces the command it launches, and all its children. *scratch* holds its pipe."""

    name = "strace"

    def __init__(self, prefix: str, scratch: str) -> None:
        active = os.environ.get("CONDA_PREFIX", "")
        spelling = active if active and os.path.realpath(active) == prefix else ""
        self._log = StraceLog(Prefix(prefix, spelling), os.getcwd(), resolve=True)
        self._fifo = os.path.join(scratch, "strace")
        self._program = ""
        self._rest = b""

    def check(self) -> None:
        """Whether strace is installed, new enough, and allowed to trace."""
        self._program = shutil.which("strace") or ""
        if not self._program:
            raise TraceError(
                "strace is not installed",
                remedy="Install it, as in `apt-get install strace`, or use `--recorder inotify`",
            )
        words = [self._program, *_FLAGS, "-o", os.devnull, "--", self._program, "-V"]
        trial = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if trial.returncode != 0:
            lines = trial.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
            raise TraceError(
                f"strace cannot trace here ({lines[-1]})",
                remedy="It needs strace 5.6 or newer and permission to ptrace "
                "(`docker run --cap-add SYS_PTRACE`); `--recorder inotify` needs neither",
            )

    def start(self) -> None:
        """Make the pipe that strace writes to, and read it in a thread."""
        os.mkfifo(self._fifo, 0o600)
        handle = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._pump = Pump(handle, self._feed, "condaprune-strace")

    def launch(self, launch: Launch) -> Launch:
        """The command under strace, which starts it and steps aside."""
        tracer = (self._program, *_FLAGS, "-o", self._fifo, "--")
        return Launch((*tracer, *launch.command), launch.environment)

    def stop(self) -> Recording:
        """Wait for strace to end; children that outlive the command are released after a while."""
        left_behind = not self._pump.join(_PATIENCE)
        if left_behind:
            self._end_tracer()
            self._pump.join(_PATIENCE)
        self._pump.stop()
        notes = [f"{self._log.calls} system calls were read"]
        if left_behind:
            notes.append("children outlived the command; what they did later is not recorded")
        if self._log.lost:
            notes.append(f"{self._log.lost} calls named paths that could not be resolved")
        return Recording(self._log.entries(), notes=tuple(notes))

    def _feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._log.feed(line.decode("utf-8", "surrogateescape") for line in lines)

    def _end_tracer(self) -> None:
        """Ask the strace that writes to our pipe, and no other, to detach and end."""
        for process in filter(str.isdigit, os.listdir("/proc")):
            folder = f"/proc/{process}/fd"
            try:
                is_ours = any(
                    os.readlink(f"{folder}/{fd}") == self._fifo for fd in os.listdir(folder)
                )
                if is_ours and int(process) != os.getpid():
                    os.kill(int(process), signal.SIGTERM)
            except OSError:
                continue
        time.sleep(0.01)
