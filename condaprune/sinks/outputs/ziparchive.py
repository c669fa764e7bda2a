"""Writes a zip by the standard library: with Unix modes, exact times and any name."""

from __future__ import annotations

import functools
import posixpath
import struct
import time
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from condaprune.errors import SinkError
from condaprune.paths import printable, to_bytes
from condaprune.sinks.outputs.compress import check_level
from condaprune.sinks.outputs.format import Format, Job, Writer
from condaprune.sinks.outputs.members import EARLIEST, file_changed
from condaprune.sinks.outputs.places import Place
from condaprune.sources.base import CHUNK, NO_BODY, Body, Member

if TYPE_CHECKING:
    from zipfile import ZipInfo

_LATEST = 4_354_819_198  # 2107-12-31 23:59:58
_WIDE = 1 << 31
"""Members of this many bytes and more get fields of 64 bits: compression may add some."""
_MAX_LINKS = 40
_KINDS = {"folder": 0o040000, "file": 0o100000, "link": 0o120000}


@functools.cache
def _info_type() -> type[ZipInfo]:
    from zipfile import ZIP_DEFLATED, ZipInfo

    class Info(ZipInfo):
        """A line of the central directory whose name may be any bytes, not UTF-8 alone."""

        def __init__(self, member: Member, level: int) -> None:
            name = member.path + ("/" if member.kind == "folder" else "")
            self._name = to_bytes(name)
            seconds = min(max(member.mtime, EARLIEST), _LATEST)
            moment = time.gmtime(seconds)
            super().__init__(name, (*moment[:5], min(moment.tm_sec, 59)))
            self.create_system = 3
            mode = _KINDS[member.kind] | member.mode
            self.external_attr = mode << 16 | 0x10 * (member.kind == "folder")
            if seconds <= 0x7FFFFFFF:  # to the second, in UTC: DOS times are local and even
                self.extra = struct.pack("<HHBi", 0x5455, 5, 1, seconds)
            if member.kind == "file" and member.size:
                self.compress_type, self._compresslevel = ZIP_DEFLATED, level
            try:
                self._utf8 = 0 if self._name.isascii() or not self._name.decode() else 0x800
            except UnicodeDecodeError:
                self._utf8 = 0

        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return self._name, self.flag_bits | self._utf8

    return Info


class _ZipWriter(Writer):
    """Links are stored as links, as Info-ZIP does, or become copies of what they point at."""

    def __init__(self, place: Place, job: Job) -> None:
        from zipfile import ZipFile

        self._level = check_level("zip", job.options.level)
        self.compressor = f"deflate -{self._level} (zlib {zlib.ZLIB_RUNTIME_VERSION})"
        self._symlinks = job.options.zip_symlinks
        self._file = place.file
        self._zip = ZipFile(self._file, "w")
        self._members: dict[str, tuple[Member, ZipInfo]] = {}
        self._links: dict[str, Member] = {}

    def add(self, member: Member, body: Body) -> None:
        if member.linked:
            self._copy(member.path, member.linked)
        elif member.kind != "link":
            self._write(member, body)
        elif self._symlinks:
            self._write(member, (to_bytes(member.target),))
        else:
            self._links[member.path] = member

    def finish(self) -> None:
        for path in self._links:
            for name, original in self._reached(path):
                self._copy(name, original)
        self._zip.close()

    def abort(self) -> None:
        self._zip.fp = None  # or it would be completed when it is collected

    def _write(self, member: Member, body: Body) -> None:
        info = _info_type()(member, self._level)  # type: ignore[arg-type]
        size = 0
        with self._zip.open(info, "w", force_zip64=member.size >= _WIDE) as target:
            for piece in body:
                size += len(piece)
                target.write(piece)
        if size != member.size:
            raise file_changed(member.path)
        self._members[member.path] = member, info

    def _copy(self, path: str, original: str) -> None:
        """A member with the content of another, which is not compressed again."""
        member, old = self._members[original]
        member = replace(member, path=path)
        if member.kind == "folder":
            self._write(member, NO_BODY)
            return
        new = _info_type()(member, self._level)  # type: ignore[arg-type]
        new.CRC, new.file_size, new.compress_size = old.CRC, old.file_size, old.compress_size
        new.header_offset = at = self._zip.start_dir
        wide = member.size >= _WIDE
        start = old.header_offset + len(old.FileHeader(wide))
        self._file.seek(at)
        at += self._file.write(new.FileHeader(wide))
        for done in range(0, old.compress_size, CHUNK):
            self._file.seek(start + done)
            piece = self._file.read(min(CHUNK, old.compress_size - done))
            self._file.seek(at)
            at += self._file.write(piece)
        self._zip.start_dir = at
        self._zip.filelist.append(new)
        self._members[path] = member, new

    def _reached(self, path: str, *above: str) -> list[tuple[str, str]]:
        """What the link *path* brings: paths below it, and the members that they are copies of.

        *above* are the links that brought this one. Errors: `SinkError` for a dangling link.
        """
        real = self._resolve(path)
        reached = [
            (path + name[len(real) :], name)
            for name in self._members
            if name == real or name.startswith(real + "/")
        ]
        if not reached or path.startswith(real + "/") or not real or path in above:
            raise SinkError(
                f"the link points at {printable(self._links[path].target)!r}, which is not in the "
                "archive or around the link, and cannot be stored as a copy",
                where=printable(path),
                remedy="Store links as links with --zip-symlinks, or choose a tar format",
            )
        for inner in [name for name in self._links if name.startswith(real + "/")]:
            reached += [
                (path + inner[len(real) :] + name[len(inner) :], original)
                for name, original in self._reached(inner, path, *above)
            ]
        return [(name, original) for name, original in reached if name not in self._members]

    def _resolve(self, path: str) -> str:
        """The path without any link in it; empty where it leads out or around."""
        for _ in range(_MAX_LINKS):
            parts = path.split("/")
            for end in range(1, len(parts) + 1):
                member = self._links.get("/".join(parts[:end]))
                if member is not None:
                    folder = "/".join(parts[: end - 1])
                    path = posixpath.normpath(posixpath.join(folder, member.target, *parts[end:]))
                    break
            else:
                return path
            if path.startswith(("/", "..")):
                return ""
        return ""


FORMAT = Format("zip", (".zip",), _ZipWriter, lambda options: check_level("zip", options.level))
