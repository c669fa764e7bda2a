"""Where a result appears: whole and under its name, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import BinaryIO

from condaprune.errors import SinkError


def check_output(output: str, *, force: bool, prefix: str = "") -> None:
    """Refuse an output before the work begins.

    Errors: `SinkError` where it exists (without *force*), where its folder is missing or cannot
    be written to, and where it lies inside *prefix*.
    """
    folder = os.path.dirname(os.path.abspath(output))
    if not os.path.isdir(folder):
        raise SinkError(
            "the folder of the output does not exist",
            where=output,
            remedy=f"Create {folder} first",
        )
    real = os.path.join(os.path.realpath(folder), os.path.basename(os.path.abspath(output)))
    if prefix and (os.path.realpath(prefix) + os.sep).startswith(real + os.sep):
        raise SinkError(
            "the output is the environment itself, or a folder around it",
            where=output,
            remedy="Name another place, or leave -o out to prune in place",
        )
    if prefix and real.startswith(os.path.realpath(prefix) + os.sep):
        raise SinkError(
            "the output lies inside the environment",
            where=output,
            remedy=f"Name a place outside of {prefix}",
        )
    if os.path.lexists(output) and not force:
        raise SinkError(
            "the output exists", where=output, remedy="Pass --force to overwrite it, or rename it"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SinkError(
            "the folder of the output is read-only",
            where=output,
            remedy="Name a folder you may write to",
        )


@contextlib.contextmanager
def new_file(output: str) -> Iterator[BinaryIO]:
    """A file that becomes *output* when the block ends well and vanishes when it does not.

    Errors: `SinkError` where it cannot be written.
    """
    if os.path.isdir(output):
        raise SinkError("the output is a folder", where=output, remedy="Name a file")
    temporary = _beside(output)
    with _told_to_stop(), _clear_errors(output):
        try:
            # A file as any other program makes it: who may read it is for the umask to say.
            with open(temporary, "x+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, output)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(output)


@contextlib.contextmanager
def new_folder(output: str) -> Iterator[str]:
    """A folder that becomes *output* when the block ends well and vanishes when it does not.

    A folder that is already there is replaced if it is empty, an environment, or an image layout.
    Errors: `SinkError`.
    """
    output = os.path.abspath(output)
    if os.path.lexists(output):
        _check_replaceable(output)
    temporary = _beside(output)
    with _told_to_stop(), _clear_errors(output):
        try:
            os.mkdir(temporary)
            yield temporary
            if os.path.lexists(output):
                old = _beside(output)
                os.rename(output, old)
                try:
                    os.rename(temporary, output)
                except BaseException:
                    os.rename(old, output)
                    raise
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.rename(temporary, output)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _sync_folder(output)


@contextlib.contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """The standard output as the place of an archive. Errors: `SinkError` for a terminal."""
    stream = sys.stdout.buffer
    if stream.isatty():
        raise SinkError(
            "an archive is not written to a terminal",
            where="-o -",
            remedy="Redirect the output to a file or a pipe",
        )
    with _told_to_stop(), _clear_errors("-"):
        yield stream
        stream.flush()


def _check_replaceable(output: str) -> None:
    if os.path.islink(output) or not os.path.isdir(output):
        raise SinkError(
            "the output exists and is no folder", where=output, remedy="Remove it yourself"
        )
    names = os.listdir(output)
    if names and not {"conda-meta", "oci-layout"} & set(names):
        raise SinkError(
            "the folder holds something that condaprune did not make",
            where=output,
            remedy="Remove it yourself, or name another folder",
        )


def _beside(output: str) -> str:
    folder, name = os.path.split(os.path.abspath(output))
    return os.path.join(folder, f".{name[:200]}.{secrets.token_hex(4)}.part")


def _sync_folder(output: str) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(os.path.dirname(os.path.abspath(output)), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _clear_errors(output: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise SinkError(
            "the reader of the output went away", where=output, remedy="Start again"
        ) from error
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else output
        raise SinkError(
            f"cannot be written: {error.strerror or error}",
            where=where,
            remedy="Make room or name another place; nothing was left behind",
        ) from error


class _Stopped(SystemExit):
    """A signal asked the program to end: unwinds like Ctrl-C, so that everything is cleaned up."""


@contextlib.contextmanager
def _told_to_stop() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception within the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise _Stopped(128 + number)

    saved: list[tuple[int, Callable[[int, FrameType | None], object] | int]] = []
    for number in (int(signal.SIGTERM), int(signal.SIGHUP)):
        before = signal.getsignal(number)
        if before == signal.SIG_DFL:
            signal.signal(number, stop)
            saved.append((number, before))
    try:
        yield
    finally:
        for number, handler in saved:
            signal.signal(number, handler)
