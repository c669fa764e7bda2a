"""Where an output appears: whole and under its name, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import BinaryIO, cast

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


class Place:
    """Takes an output under a temporary name, `path`, until `commit` or `discard`.

    SIGTERM and SIGHUP raise an exception meanwhile, as Ctrl-C does, so that nothing is left
    behind. Errors of all methods: `SinkError`.
    """

    path: str
    file: BinaryIO
    """What is written to; a folder has none."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._signals = contextlib.ExitStack()
        self._signals.enter_context(_stopped_by_signals())
        try:
            with clear_errors(output):
                self._open()
        except BaseException:
            self.discard()
            raise

    def commit(self) -> int:
        """Make the output appear, and return its size in bytes."""
        with clear_errors(self._output):
            size = self._commit()
        self._signals.close()
        return size

    def discard(self) -> None:
        """Remove what there is; nothing happens after `commit`."""
        self._discard()
        self._signals.close()

    def _open(self) -> None:
        raise NotImplementedError

    def _commit(self) -> int:
        raise NotImplementedError

    def _discard(self) -> None:
        raise NotImplementedError


class FilePlace(Place):
    """A new file; who may read it is for the umask to say."""

    def _open(self) -> None:
        self.path = _temporary(self._output)
        if os.path.isdir(self._output):
            raise SinkError("the output is a folder", where=self._output, remedy="Name a file")
        self.file = open(self.path, "x+b")  # noqa: SIM115 - closed by commit and discard

    def _commit(self) -> int:
        self.file.flush()
        os.fsync(self.file.fileno())
        size = os.fstat(self.file.fileno()).st_size
        self.file.close()
        os.replace(self.path, self._output)
        _sync_folder(self._output)
        return size

    def _discard(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)


class FolderPlace(Place):
    """A new folder. One that is there is replaced if it is empty, an environment or an image."""

    def _open(self) -> None:
        self._output = os.path.abspath(self._output)
        self.path = _temporary(self._output)
        if os.path.lexists(self._output):
            self._check_replaceable()
        os.mkdir(self.path)

    def _check_replaceable(self) -> None:
        if os.path.islink(self._output) or not os.path.isdir(self._output):
            raise SinkError(
                "the output exists and is not a folder",
                where=self._output,
                remedy="Remove it yourself",
            )
        names = os.listdir(self._output)
        if names and not {"conda-meta", "oci-layout"} & set(names):
            raise SinkError(
                "the folder holds something that condaprune did not make",
                where=self._output,
                remedy="Remove it yourself, or name another folder",
            )

    def _commit(self) -> int:
        size = _size_of(self.path)
        if os.path.lexists(self._output):
            old = _temporary(self._output)
            os.rename(self._output, old)
            try:
                os.rename(self.path, self._output)
            except BaseException:
                os.rename(old, self._output)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(self.path, self._output)
        _sync_folder(self._output)
        return size

    def _discard(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class StreamPlace(Place):
    """The standard output."""

    def _open(self) -> None:
        stream = sys.stdout.buffer
        if stream.isatty():
            raise SinkError(
                "an archive is not written to a terminal",
                where="-o -",
                remedy="Redirect the output to a file or a pipe",
            )
        self._counted = _Counted(stream)
        self.file = cast(BinaryIO, self._counted)  # streams are written to, no more

    def _commit(self) -> int:
        self._counted.stream.flush()
        return self._counted.size

    def _discard(self) -> None:
        pass


class _Counted:
    """A stream that counts the bytes written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return self.stream.write(data)


def _size_of(folder: str) -> int:
    """The bytes of the files and links in a folder, each hard-linked file once."""
    sizes = {}
    for root, folders, files in os.walk(folder):
        for name in files + folders:
            info = os.lstat(os.path.join(root, name))
            if not stat.S_ISDIR(info.st_mode):
                sizes[info.st_ino] = info.st_size
    return sum(sizes.values())


def _temporary(output: str) -> str:
    folder, name = os.path.split(os.path.abspath(output))
    return os.path.join(folder, f".{name[:200]}.{os.urandom(4).hex()}.part")


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
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise _Stopped(128 + number)

    defaults = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) == signal.SIG_DFL
    ]
    for number in defaults:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in defaults:
            signal.signal(number, signal.SIG_DFL)
