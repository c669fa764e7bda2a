"""Runs condaprune on a terminal of its own, 80 columns wide and 24 lines high."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """What a command on a terminal did: its exit status and all that it showed."""

    status: int
    screen: str


def on_terminal(
    *arguments: object, typed: str = "", variables: Mapping[str, str] | None = None,
    shell: str = "",
) -> Session:  # fmt: skip
    """Run condaprune, or *shell* with it as ``"$@"``, and type *typed*."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "condaprune", *map(str, arguments)]
    if shell:
        command = ["sh", "-c", shell, "sh", *command]
    environ = {name: value for name, value in os.environ.items() if name not in ("CI", "COLUMNS")}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**environ, **(variables or {})},
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while data := os.read(ours, 1 << 16):
            shown += data
    except OSError:  # so Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    return Session(process.wait(60), shown.decode().replace("\r\n", "\n"))
