"""Where an output appears: whole and under its name, or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from condaprune.errors import SinkError
from condaprune.model import Inventory
from condaprune.paths import from_bytes, to_bytes
from condaprune.sinks.outputs.held import check_held, made_folder, size_of
from condaprune.targets import (
    Target,
    folders_above,
    is_stream,
    open_folder,
    part_name,
    permissions_left,
    stopped_by_signals,
    sync_folder,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def goes_on(output: str) -> bool:
    """Whether an output is a stream: ``-``, a pipe, a device, an open descriptor.

    Errors: `SinkError` for what is neither that, nor a file, nor a folder.
    """
    if output == "-":
        return True
    if output.endswith("/") or os.path.isdir(output):
        return False
    with clear_errors(output):
        return is_stream(output)


def check_output(output: str, *, force: bool, stream: bool, prefix: str = "") -> None:
    """Refuse an output before the work begins; nothing is in the way of a *stream*.

    Errors: `SinkError` where it exists (without *force*), where its folder is missing or cannot
    be written to, and where it lies inside *prefix*, by whatever name.
    """
    folder = os.path.dirname(os.path.abspath(output))
    if not os.path.isdir(folder):
        raise SinkError(
            "the folder of the output does not exist",
            where=output,
            remedy=f"Create {folder} first",
        )
    if prefix:
        _check_outside(output, prefix)
    if stream:
        return
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


def _check_outside(output: str, prefix: str) -> None:
    own = os.stat(prefix)
    identity = own.st_dev, own.st_ino
    with contextlib.suppress(OSError):
        there = os.stat(output)
        if (there.st_dev, there.st_ino) in {identity, *folders_above(prefix)}:
            raise SinkError(
                "the output is the environment itself, or a folder around it",
                where=output,
                remedy="Name another place, or leave -o out to prune in place",
            )
    if identity in folders_above(output):
        raise _inside(output, prefix)


def check_apart(output: str, inventory: Inventory) -> None:
    """Refuse an output in a folder of an environment that is mounted elsewhere too.

    Errors: `SinkError`.
    """
    above = folders_above(output)
    if any(e.kind == "folder" and e.identity in above for e in inventory.entries.values()):
        raise _inside(output, inventory.prefix)


def _inside(output: str, prefix: str) -> SinkError:
    return SinkError(
        "the output lies inside the environment",
        where=output,
        remedy=f"Name a place outside {prefix}",
    )


@dataclass(slots=True)
class Place:
    """Where an output is written before it appears: a file to write to, or an open folder.

    `path` is its name until then, which may be that of something else at any moment. `size` are
    the bytes of the output once it has appeared.
    """

    path: str
    file: BinaryIO = field(default_factory=io.BytesIO)
    folder: int = -1
    size: int = 0


@contextlib.contextmanager
def new_file(output: str) -> Iterator[Place]:
    """A file that becomes *output* when the block ends well and vanishes when it does not.

    What is no regular file is written to as it is. Errors: `SinkError` where it cannot be written.
    """
    with clear_errors(output), Target(output) as target:
        if target.stream is not None:
            _refuse_terminal(target.stream, output)
            with open(target.stream, "wb", closefd=False) as stream:
                yield Place(output, stream)
            return
        with target.replacing() as (handle, part):
            with open(handle, "w+b", closefd=False) as file:
                place = Place(part, file)
                yield place
            place.size = os.fstat(handle).st_size


@contextlib.contextmanager
def new_folder(output: str) -> Iterator[Place]:
    """A folder that becomes *output* when the block ends well and vanishes when it does not.

    Until then it is this user's alone. A folder that is already there is replaced if it is empty,
    an environment, or an image layout. Errors: `SinkError`.
    """
    output = os.path.abspath(output)
    if os.path.lexists(output):
        _check_replaceable(output)
    place_around, name = os.path.split(to_bytes(output))
    part, old = part_name(name), part_name(name)
    with stopped_by_signals(), clear_errors(output), open_folder(place_around) as around:
        try:
            with made_folder(part, around) as handle:
                place = Place(_joined(place_around, part), folder=handle)
                yield place
                place.size = size_of(handle)
                os.fchmod(handle, permissions_left(0o777))
                check_held(part, around, handle)
                existed = os.path.lexists(output)
                if existed:
                    _check_replaceable(output)
                    os.rename(name, old, src_dir_fd=around, dst_dir_fd=around)
                try:
                    os.rename(part, name, src_dir_fd=around, dst_dir_fd=around)
                except BaseException:
                    if existed:
                        os.rename(old, name, src_dir_fd=around, dst_dir_fd=around)
                    raise
        except BaseException:
            shutil.rmtree(_joined(place_around, part), ignore_errors=True)
            raise
        try:
            shutil.rmtree(_joined(place_around, old), ignore_errors=True)
        except BaseException:  # told to stop: but not with half a folder beside the output
            shutil.rmtree(_joined(place_around, old), ignore_errors=True)
            raise
        sync_folder(place_around)


def _joined(folder: bytes, name: bytes) -> str:
    return from_bytes(os.path.join(folder, name))


@contextlib.contextmanager
def standard_output(_output: str) -> Iterator[Place]:
    """The standard output as the place of an archive. Errors: `SinkError` for a terminal."""
    stream = sys.stdout.buffer
    if stream.isatty():
        raise _terminal("-o -")
    with stopped_by_signals(), clear_errors("-"):
        place = Place("-", stream)
        yield place
        stream.flush()


def _refuse_terminal(handle: int, output: str) -> None:
    if os.isatty(handle):
        raise _terminal(output)


def _terminal(where: str) -> SinkError:
    return SinkError(
        "an archive is not written to a terminal",
        where=where,
        remedy="Redirect the output to a file or a pipe",
    )


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
        where = os.fsdecode(error.filename or output)
        raise SinkError(
            f"cannot be written: {error.strerror or error}",
            where=output if where.endswith(".part") or ".part/" in where else where,
            remedy=("Make room or name" if error.errno in _FULL else "Name")
            + " another place; nothing was left behind",
        ) from error
