"""Where an output appears: whole and under its name, or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import BinaryIO

from condaprune.errors import SinkError
from condaprune.files import name_beside, temporary


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
            remedy=f"Name a place outside {prefix}",
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


@dataclass(slots=True)
class Place:
    """Where an output is written before it appears: a file to write to, or the path of a folder.

    `size` are the bytes of the output once it has appeared.
    """

    path: str
    file: BinaryIO = field(default_factory=io.BytesIO)
    size: int = 0


@contextlib.contextmanager
def new_file(output: str) -> Iterator[Place]:
    """A file that becomes *output* when the block ends well and vanishes when it does not.

    Errors: `SinkError` where it cannot be written.
    """
    if os.path.isdir(output):
        raise SinkError("the output is a folder", where=output, remedy="Name a file")
    with _stopped_by_signals(), clear_errors(output):
        with temporary(os.path.abspath(output)) as part:
            # A file as any other program makes it: who may read it is for the umask to say.
            with open(part, "x+b") as file:
                place = Place(part, file)
                yield place
                file.flush()
                os.fsync(file.fileno())
                place.size = os.fstat(file.fileno()).st_size
            os.replace(part, output)
        _sync_folder(output)


@contextlib.contextmanager
def new_folder(output: str) -> Iterator[Place]:
    """A folder that becomes *output* when the block ends well and vanishes when it does not.

    A folder that is already there is replaced if it is empty, an environment, or an image layout.
    Errors: `SinkError`.
    """
    output = os.path.abspath(output)
    if os.path.lexists(output):
        _check_replaceable(output)
    with _stopped_by_signals(), clear_errors(output):
        with temporary(output) as part:
            os.mkdir(part)
            place = Place(part)
            yield place
            place.size = _size_of(part)
            old = name_beside(output)
            existed = os.path.lexists(output)
            if existed:
                os.rename(output, old)
            try:
                os.rename(part, output)
            except BaseException:
                if existed:
                    os.rename(old, output)
                raise
            shutil.rmtree(old, ignore_errors=True)
        _sync_folder(output)


@contextlib.contextmanager
def standard_output(_output: str) -> Iterator[Place]:
    """The standard output as the place of an archive. Errors: `SinkError` for a terminal."""
    stream = sys.stdout.buffer
    if stream.isatty():
        raise SinkError(
            "an archive is not written to a terminal",
            where="-o -",
            remedy="Redirect the output to a file or a pipe",
        )
    with _stopped_by_signals(), clear_errors("-"):
        place = Place("-", stream)
        yield place
        stream.flush()


def _check_replaceable(output: str) -> None:
    if os.path.islink(output) or not os.path.isdir(output):
        raise SinkError(
            "the output exists and is not a folder", where=output, remedy="Remove it yourself"
        )
    names = os.listdir(output)
    if names and not {"conda-meta", "oci-layout"} & set(names):
        raise SinkError(
            "the folder holds something that condaprune did not make",
            where=output,
            remedy="Remove it yourself, or name another folder",
        )


def _size_of(folder: str) -> int:
    """The bytes of the files and links in a folder, each hard-linked file once."""
    sizes = {}
    for root, folders, files in os.walk(folder):
        for name in files + folders:
            info = os.lstat(os.path.join(root, name))
            if not stat.S_ISDIR(info.st_mode):
                sizes[info.st_ino] = info.st_size
    return sum(sizes.values())


def _sync_folder(output: str) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(os.path.dirname(os.path.abspath(output)), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def clear_errors(output: str) -> Iterator[None]:
    """Turn an OSError within the block into a `SinkError` that says what to do."""
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
def _stopped_by_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception within the block."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise _Stopped(128 + number)

    # Only the main thread may set what signals do.
    main = threading.current_thread() is threading.main_thread()
    both = (signal.SIGTERM, signal.SIGHUP) if main else ()
    defaults = [number for number in both if signal.getsignal(number) == signal.SIG_DFL]
    for number in defaults:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in defaults:
            signal.signal(number, signal.SIG_DFL)
