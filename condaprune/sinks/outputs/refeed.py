"""What goes into an output from an archive: its members stream through, in its own order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from condaprune.edit import Edit
from condaprune.errors import SinkError
from condaprune.formats.binary import must_be_signed
from condaprune.formats.unpack_list import PROGRESS, UNPACK, unpack_records
from condaprune.model import Buffer, Entry, FileMode, Plan
from condaprune.paths import sort_key
from condaprune.sinks.attributes import note_on_lost
from condaprune.sinks.outputs.feed import Feed
from condaprune.sinks.outputs.members import (
    SECOND,
    Times,
    as_planned,
    newest_time,
    source_date_epoch,
)
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.placeholders import is_binary_start, note_on_signatures, place_at
from condaprune.sources.base import NO_BODY, Body, Contents, Member, MemberStream, Source

_DROPPED = (UNPACK, PROGRESS)
"""What an archive for one destination has no use for."""

_NO_PLACEHOLDER = (
    "no placeholder was found in the archive: if conda-unpack was run before it was made, it holds "
    "the path of that time"
)
_PYTHON = "bin/python"
_PLACEHOLDER = re.compile(rb"/[!-~]*?/[a-z_]*_env_plac[a-z_]*")
_ENV = re.compile(rb"#!/usr/bin/env ([\w.\-+]+)([ \t][^\n]*)?(?=\n|$)")
_MAX_SHEBANG = 127
_MAX_SCRIPT = 1 << 20


class ArchiveFeed(Feed):
    """The members for an archive. Where the first of several hard links goes, the next kept one
    gets the content. Errors: `ArchiveError`, `SinkError`.
    """

    def __init__(
        self, plan: Plan, source: Source, stream: MemberStream, options: OutputOptions
    ) -> None:
        super().__init__(options)
        self._stream = stream
        dest = options.dest_prefix
        self._dest = None if dest is None else _Destination(plan, source, dest)
        dropped = _DROPPED if self._dest else ()
        self._edits = {edit.path: edit for edit in plan.edits if edit.path not in dropped}
        self._kept = {e.path: e for e in plan.kept() if e.path not in dropped}
        epoch = source_date_epoch()
        self._times = None if epoch is None else Times({}, self._kept, source)
        newest = newest_time(plan.inventory.entries.values())
        self._written_time = newest if epoch is None else epoch
        # The kept names of each file that has several, those with content of their own left out.
        self._names: dict[tuple[int, int], list[str]] = {}
        for path, entry in self._kept.items():
            if entry.kind == "file" and entry.links > 1 and path not in self._edits:
                self._names.setdefault(entry.identity, []).append(path)
        self._holder: dict[tuple[int, int], str] = {}
        self._bare: dict[str, str] = {}

    def members(self) -> Iterator[tuple[Member, Body]]:
        self._stream.forget()
        for entry, member, body in self._stream.stream():
            if member.attributes and entry.path in self._kept:
                self._bare[entry.path] = member.attributes[0][0]
            edit = self._edits.pop(entry.path, None)
            if edit is not None:
                yield self._edited(edit, body)
            elif entry.kind != "file":
                if entry.path in self._kept:
                    yield self._plain(entry), NO_BODY
                continue
            if entry.links > 1:
                yield from self._linked(entry, member, body, edited=edit is not None)
            elif edit is None and entry.path in self._kept:
                yield self._content(entry, entry.path, body)
        for edit in sorted(self._edits.values(), key=lambda e: sort_key(e.path)):
            yield self._edited(edit, NO_BODY)
        # As with setuid bits: who makes an archive grants nothing where it is unpacked.
        self.notes += note_on_lost(self._bare, "of the archive are not carried over")
        if self._dest is not None:
            self.notes += self._dest.notes()

    def _linked(
        self, entry: Entry, member: Member, body: Body, *, edited: bool
    ) -> Iterator[tuple[Member, Body]]:
        """One of the names of a file that has several."""
        names = self._names.get(entry.identity)
        if not names:
            return
        if not member.linked:
            path = entry.path if entry.path in self._kept and not edited else names[0]
            self._holder[entry.identity] = path
            yield self._content(self._kept[path], path, body)
            return
        holder = self._holder[entry.identity]
        if entry.path in self._kept and not edited and entry.path != holder:
            mode = self._modes.of("file", entry.mode)
            yield Member(entry.path, "file", 0, mode, self._time(entry), "", holder), NO_BODY

    def _content(self, entry: Entry, path: str, body: Body) -> tuple[Member, Body]:
        mode, mtime = self._modes.of("file", entry.mode), self._time(entry)
        size = entry.size
        if self._dest is not None:
            names = self._names.get(entry.identity, [path]) if entry.links > 1 else [path]
            concerned = [name for name in names if self._dest.concerns(name, size)]
            if concerned:
                data: Buffer = b"".join(body)
                for name in concerned:
                    data = self._dest.rewrite(name, bytes(data))
                body, size = (data,), len(data)
        return Member(path, "file", size, mode, mtime), body

    def _plain(self, entry: Entry) -> Member:
        mode = self._modes.of(entry.kind, entry.mode)
        return Member(entry.path, entry.kind, entry.size, mode, self._time(entry), entry.target)

    def _edited(self, edit: Edit, body: Body) -> tuple[Member, Body]:
        entry = self._kept.get(edit.path)
        mtime = self._time(entry) if entry is not None else self._written_time
        if edit.patch is None or entry is None:
            return self._file(edit.path, edit.data, edit.mode, mtime)
        body = as_planned(edit.path, body, edit.source)
        if self._dest is not None and self._dest.concerns(edit.path, entry.size):
            body = (self._dest.rewrite(edit.path, b"".join(body)),)
        mode, size = self._modes.of("file", edit.mode), edit.patch.size(entry.size)
        return Member(edit.path, "file", size, mode, mtime), edit.patch.apply(body)

    def _time(self, entry: Entry) -> int:
        seconds = entry.mtime_ns // SECOND
        if self._times is None:
            return seconds
        return self._times.of(entry) if entry.kind == "file" else min(seconds, self._times.common)


class _Destination:
    """Rewrites files for the folder *dest*, as conda-unpack does and beyond.

    conda-unpack leaves out ``bin/python*``, since it runs from there, and the scripts that ask
    ``/usr/bin/env`` for their interpreter. Errors: `SinkError` for an archive without
    conda-unpack, `ArchiveError` for a broken one.
    """

    def __init__(self, plan: Plan, source: Contents, dest: str) -> None:
        entries = plan.inventory.entries
        if UNPACK not in entries:
            raise SinkError(
                f"there is no {UNPACK} in the archive, so nothing says what to rewrite",
                where=f"--dest-prefix {dest}",
                remedy="Pack the environment with conda-pack, without a destination",
            )
        self._dest = dest
        self._bin = {path[4:] for path in entries if path.startswith("bin/")}
        self._listed: dict[str, tuple[str, FileMode]] = {
            path: (placeholder, mode)
            for path, placeholder, mode in unpack_records(source.read(UNPACK))
        }
        for record in plan.inventory.records:
            for file in record.prefix_files:
                if file.path.startswith(_PYTHON):
                    self._listed.setdefault(file.path, (file.placeholder, file.mode))
        self._changed = False
        self._unsigned: list[str] = []

    def concerns(self, path: str, size: int) -> bool:
        """Whether a file may have to be rewritten: its whole content goes to `rewrite` then."""
        if path in self._listed or path.startswith(_PYTHON):
            return True
        return path.startswith("bin/") and size <= _MAX_SCRIPT

    def rewrite(self, path: str, data: bytes) -> bytes:
        """The content for the destination. Errors: `SinkError` where its path is too long."""
        original = data
        for placeholder, mode in self._placeholders(path, data):
            data = place_at(self._dest, path, data, placeholder, mode)
        if path.startswith("bin/"):
            data = self._with_interpreter(data)
        if data != original:
            self._changed = True
            if must_be_signed(data):
                self._unsigned.append(path)
        return data

    def notes(self) -> list[str]:
        """What the user should know when everything was packed."""
        if not self._changed:
            return [_NO_PLACEHOLDER]
        return [note_on_signatures(self._unsigned)] if self._unsigned else []

    def _placeholders(self, path: str, data: bytes) -> list[tuple[str, FileMode]]:
        listed = self._listed.get(path)
        if listed is not None:
            return [listed]
        if not path.startswith(_PYTHON):
            return []
        mode: FileMode = "binary" if is_binary_start(data) else "text"
        names = {match.decode() for match in _PLACEHOLDER.findall(data)}
        names |= {p for p, _ in self._listed.values() if "_plac" in p and p.encode() in data}
        # The longest first: one may be the beginning of another.
        return [(placeholder, mode) for placeholder in sorted(names, key=len, reverse=True)]

    def _with_interpreter(self, data: bytes) -> bytes:
        """A script that asks ``/usr/bin/env`` for a program of the environment names it."""
        match = _ENV.match(data)
        if match is None or match[1].decode() not in self._bin:
            return data
        line = b"#!%b/bin/%b%b" % (self._dest.encode(), match[1], match[2] or b"")
        if len(line) > _MAX_SHEBANG or b" " in self._dest.encode():
            return data
        return line + data[match.end() :]
