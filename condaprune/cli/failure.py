"""What ended a command before its end: one line on stderr and an exit status, never a traceback."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from condaprune.cli.terminal import say, silence, tell
from condaprune.errors import CondapruneError
from condaprune.version import ADDRESS

if TYPE_CHECKING:
    from condaprune.sources.base import Source

TRACEBACK = "CONDAPRUNE_TRACEBACK"
"""The variable that, if it is set, has the traceback shown too."""
REPORTS_TO = (
    f"{ADDRESS}/issues" if ADDRESS else "whoever you have condaprune from (see SECURITY.md)"
)
"""Where the report of a bug goes."""
_LONGEST = 500


def status_of(error: BaseException) -> int:
    """Say what happened, and return the exit status of the command."""
    if os.environ.get(TRACEBACK):
        _show_traceback(error)
    if isinstance(error, CondapruneError):
        say(*str(error).split("\n"))
        return error.exit_code
    if _is_click(error, "Abort") and isinstance(error.__cause__, EOFError):
        error = error.__cause__  # for click the same as Ctrl-C
    if isinstance(error, KeyboardInterrupt) or _is_click(error, "Abort"):
        say("interrupted")
        return 130
    if _is_click(error, "ClickException"):
        _show_usage(error)
        return 2
    if isinstance(error, BrokenPipeError):
        # The reader of a pipe has seen enough.
        silence(sys.stdout)
        return 0
    if isinstance(error, MemoryError):
        say(f"there is not enough memory (at {_place(error)})")
    elif isinstance(error, OSError):
        say(_system_error(error))
    else:
        say(
            f"an unexpected {type(error).__name__} at {_place(error)}: {_words(error)}. This is a "
            f"bug in condaprune: please report this line to {REPORTS_TO}, with what "
            f"{TRACEBACK}=1 adds to it"
        )
    return 2


@contextlib.contextmanager
def name_what_is_left(source: Source) -> Iterator[None]:
    """Where what runs in here ends unforeseen, say what state it has left a prefix in."""
    try:
        yield
    except CondapruneError:  # says itself what became of the run
        raise
    except BaseException:
        with contextlib.suppress(Exception):
            from condaprune.sinks.inplace.status import read_prefix

            pending = read_prefix(source.prefix).pending if source.prefix else ""
            if pending:
                say(f"{source.label}: {pending}")
        raise


def watch_background() -> None:
    """Have one line instead of a traceback for what fails where nobody waits for it: a thread, the
    end of an object; and a line for a warning of Python's own."""
    import threading
    import warnings

    def thread_failed(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None and failed.exc_type is not SystemExit:
            status_of(failed.exc_value)

    def unraisable(failed: sys.UnraisableHookArgs) -> None:
        if failed.exc_value is not None:
            status_of(failed.exc_value)

    def warn(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:  # fmt: skip
        say(f"{category.__name__}: {message}")

    threading.excepthook = thread_failed
    sys.unraisablehook = unraisable
    warnings.showwarning = warn


def _is_click(error: BaseException, name: str) -> bool:
    """Whether it is an exception of click's, which need not be loaded yet."""
    exceptions = sys.modules.get("click.exceptions")
    return exceptions is not None and isinstance(error, getattr(exceptions, name))


def _show_usage(error: BaseException) -> None:
    import io

    import click

    assert isinstance(error, click.ClickException)
    shown = io.StringIO()
    error.show(shown)
    tell(*shown.getvalue().rstrip("\n").split("\n"))


def _show_traceback(error: BaseException) -> None:
    import traceback

    with contextlib.suppress(Exception):
        tell(*"".join(traceback.format_exception(error)).rstrip().split("\n"))


def _place(error: BaseException) -> str:
    """The innermost line of condaprune's that the error went through: ``module:line``."""
    place = "an unknown place"
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if str(module).partition(".")[0] == "condaprune":
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _words(error: BaseException) -> str:
    """What an exception says, on one line and not too long."""
    try:
        words = " ".join(str(error).split())
    except Exception:
        words = ""
    return (words if len(words) <= _LONGEST else f"{words[:_LONGEST]}...") or "no message"


def _system_error(error: OSError) -> str:
    """What the system refused, in a sentence."""
    said = error.strerror or str(error)
    if error.filename:
        name = error.filename
        return f"{os.fsdecode(name) if isinstance(name, bytes) else name}: {said}"
    try:
        os.getcwd()
    except OSError:
        return "the working folder is gone: change to one that exists"
    return f"reading or writing failed: {said}"
