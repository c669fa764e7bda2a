"""The only way from the command line to a terminal: what is said on stderr, what goes to stdout.

Text of an environment does no more there than be read: `say` takes any line, `put` only what
`condaprune.report.rendering` made.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from condaprune.paths import printable

if TYPE_CHECKING:
    from condaprune.report.rendering import Rendering


def say(text: str, *more: str, who: str = "condaprune") -> None:
    """Say something on stderr in one line, and *more* in a line each."""
    tell(f"{who}: {text}", *more)


def tell(*lines: str) -> None:
    """Write lines to stderr. What nobody is there to hear is lost."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("".join(f"{printable(line)}\n" for line in lines))
    flush(sys.stderr)


def put(text: Rendering, stream: TextIO | None = None) -> None:
    """Write a report to *stream*, by default stdout. Errors: OSError."""
    (stream or sys.stdout).write(text)


def open_streams() -> None:
    """Have all three streams: what is said to one that the caller closed goes nowhere.

    Else a file of ours would be given its number, and a child process would write into it. Text
    that the encoding of the terminal lacks is escaped.
    """
    if not (sys.stdin and sys.stdout and sys.stderr):
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(handle, True)
        os.close(handle)
        sys.stdin = sys.stdin or os.fdopen(0)
        sys.stdout = sys.stdout or os.fdopen(1, "w")
        sys.stderr = sys.stderr or os.fdopen(2, "w")
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def flush(stream: TextIO) -> None:
    """Write out what is left. What cannot be written is lost."""
    try:
        stream.flush()
    except (OSError, ValueError):
        silence(stream)


def silence(stream: TextIO) -> None:
    """Send what is left of a stream that cannot be written to nowhere: it must not fail at exit."""
    with contextlib.suppress(OSError, ValueError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
