"""What members of an output hold and look like: their content, permissions and times.

The same environment gets the same members wherever and whenever it is packed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from condaprune.errors import SinkError, UsageProblem
from condaprune.model import Buffer, Entry
from condaprune.paths import from_bytes, printable
from condaprune.sinks.attributes import CAPABILITY, is_portable, names_at
from condaprune.sinks.planned import Changed, is_same, planned
from condaprune.sources.base import Body, Contents, Member
from condaprune.sources.owners import source_of_bytecode

EARLIEST = 315_532_800
"""1980-01-01: the time of everything in an environment without records, and zip's earliest."""

SECOND = 1_000_000_000

PIECE = 1 << 18
"""How much of a big file is read at a time: what fits a core's cache."""


_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def file_changed(path: str) -> SinkError:
    """The error for a file that is not as it was when the inventory was read."""
    return SinkError(
        "the file changed while it was packed",
        where=printable(path),
        remedy="Let nothing write to the environment meanwhile, and start again",
    )


def below(members: Iterable[tuple[Member, Body]], root: str) -> Iterator[tuple[Member, Body]]:
    """The members below the folder *root*."""
    for member, body in members:
        linked = f"{root}/{member.linked}" if member.linked else ""
        yield replace(member, path=f"{root}/{member.path}", linked=linked), body


class FileBody:
    """A file of the prefix as the content of a member, opened once, without following links.

    It is compared with its *entry* in the plan when it is opened, and with itself when it was
    read; the SHA-256 of its content is to be *source*, where given. Close it. The pieces of a big
    file share one buffer: each is valid until the next one is asked for. New memory for each would
    cost more than reading does. Errors: `SinkError`.
    """

    __slots__ = ("_capable", "_entry", "_info", "_path", "_source", "handle")

    def __init__(self, path: bytes, entry: Entry, source: bytes = b"") -> None:
        self._path, self._entry, self._source = path, entry, source
        self._capable = False
        try:
            self.handle = os.open(path, _FLAGS)
        except OSError as error:
            raise self._unreadable(error) from error
        self._info = info = os.fstat(self.handle)
        if (
            info.st_ino != entry.inode
            or info.st_size != entry.size
            or info.st_mtime_ns != entry.mtime_ns
            or info.st_dev != entry.device
            or not stat.S_ISREG(info.st_mode)
        ):
            os.close(self.handle)
            raise file_changed(entry.path)

    def attributes(self) -> list[tuple[str, bytes]]:
        """The extended attributes that may be carried over, with their values, by name."""
        names = names_at(self.handle)
        if not names:
            return []
        names = sorted(filter(is_portable, names))
        self._capable = CAPABILITY in names
        try:
            return [(name, os.getxattr(self.handle, name)) for name in names]
        except OSError as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self.handle)

    def check(self) -> None:
        """Look whether the file is as it was when it was opened. Errors: `SinkError`."""
        same = is_same(self._info, os.fstat(self.handle))
        if same and self._capable:
            # Whoever writes to a file takes its capabilities off by that.
            same = CAPABILITY in names_at(self.handle)
        if not same:
            raise file_changed(self._entry.path)

    def __iter__(self) -> Iterator[Buffer]:
        if self._source:
            return as_planned(self._entry.path, self._pieces(), self._source)
        return self._pieces()

    def _pieces(self) -> Iterator[Buffer]:
        size, handle = self._entry.size, self.handle
        try:
            if size < PIECE:
                data = os.read(handle, size + 1)
                while 0 < len(data) < size and (more := os.read(handle, size + 1 - len(data))):
                    data += more
                yield data
            else:
                buffer = memoryview(bytearray(PIECE))
                while count := os.readv(handle, [buffer]):
                    yield buffer[:count]
        except OSError as error:
            raise self._unreadable(error) from error
        self.check()

    def _unreadable(self, error: OSError) -> SinkError:
        return SinkError(
            f"cannot be read: {error.strerror}",
            where=printable(from_bytes(self._path)),
            remedy="Run condaprune as a user who may read the whole environment, "
            "and let nothing change it meanwhile",
        )


def as_planned(path: str, body: Body, source: bytes) -> Iterator[Buffer]:
    """The content of a file that a plan made something from. Errors: `SinkError` where it is
    another one, at its end."""
    try:
        yield from planned(body, source)
    except Changed:
        raise file_changed(path) from None


class Modes:
    """The permission bits of members, see `OutputOptions.mode`. Errors: `UsageProblem`."""

    def __init__(self, text: str) -> None:
        self._keep = text == "keep"
        self._mask = 0o777
        if text not in ("normal", "keep"):
            try:
                self._mask = int(text, 8)
            except ValueError:
                self._mask = -1
            if not 0 < self._mask <= 0o777:
                raise UsageProblem(
                    f"not a valid mode: {text!r}",
                    where="--mode",
                    remedy="Choose normal, keep, or a mask such as 0555",
                )

    def of(self, kind: str, mode: int) -> int:
        """The bits of a member from those of its entry."""
        if kind == "link":
            return 0o777
        if self._keep:
            return mode & 0o777
        return (0o755 if kind == "folder" or mode & 0o100 else 0o644) & self._mask


def source_date_epoch() -> int | None:
    """What SOURCE_DATE_EPOCH says, in seconds. Errors: `UsageProblem` where it is not a number."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageProblem(
            f"not a number of seconds: {text!r}",
            where="SOURCE_DATE_EPOCH",
            remedy="Set it to seconds since 1970, or unset it",
        )
    return int(text)


def common_time() -> int:
    """The time of what no package and no archive dates. Errors: `UsageProblem`."""
    epoch = source_date_epoch()
    return EARLIEST if epoch is None else epoch


def newest_time(entries: Iterable[Entry]) -> int:
    """The time of the newest entry; `EARLIEST` where none has one."""
    return max((entry.mtime_ns // SECOND for entry in entries), default=0) or EARLIEST


class Times:
    """The times of members, in whole seconds, which no two machines differ in.

    Links, folders and files that are written anew get `common`. A file keeps its time unless that
    is later than its package's, which means that it was made on installing; then it gets the
    package's (*limits*, else `common`, which is SOURCE_DATE_EPOCH's for all where that is set).
    A ``.py`` file among *kept* whose bytecode stays keeps its time where the bytecode names it,
    since Python would compile it again otherwise: only bytecode of newer sources is read for that.
    """

    def __init__(
        self, limits: Mapping[str, int], kept: Mapping[str, Entry], source: Contents
    ) -> None:
        self.common = common_time()
        self._limits = limits if source_date_epoch() is None else {}
        newer: dict[str, int] = {}
        for path, entry in kept.items():
            if path.endswith(".pyc") and entry.kind == "file":
                origin = kept.get(source_of_bytecode(path))
                if origin is not None and origin.kind == "file":
                    seconds = origin.mtime_ns // SECOND
                    if seconds > self._limits.get(origin.path, self.common):
                        newer[path] = seconds
        self._exact = {
            source_of_bytecode(path): newer[path]
            for path, data in (source.read_many(list(newer)) if newer else ())
            if len(data) >= 16
            and data[4:8] == b"\0\0\0\0"
            and int.from_bytes(data[8:12], "little") == newer[path] & 0xFFFFFFFF
        }

    def of(self, entry: Entry) -> int:
        """The time of an entry that stays."""
        if entry.kind != "file":
            return self.common
        seconds = entry.mtime_ns // SECOND
        limit = self._limits.get(entry.path, self.common)
        if seconds <= limit:
            return max(seconds, 0)
        return self._exact.get(entry.path, limit)
