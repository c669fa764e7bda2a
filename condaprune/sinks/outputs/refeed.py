"""What goes into an output from an archive: its members stream through, in its own order."""

from __future__ import annotations

from collections.abc import Iterator

from condaprune.model import Edit, Entry, Plan
from condaprune.paths import sort_key
from condaprune.sinks.outputs.feed import Findings, Modes, Wishes
from condaprune.sinks.outputs.placeholders import note_on_signatures
from condaprune.sinks.outputs.rewrite import DROPPED, Destination
from condaprune.sinks.outputs.times import EARLIEST, SECOND, Times, source_date_epoch, times_of
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.members import NO_BODY, Body, Buffer, Member


def from_archive(
    plan: Plan, source: ArchiveSource, wishes: Wishes, findings: Findings
) -> Iterator[tuple[Member, Body]]:
    """The members for an archive. Where the first of several hard links goes, the next kept one
    gets the content. Errors: `ArchiveError`, `SinkError`.
    """
    yield from _Refeed(plan, source, wishes, findings).members()


class _Refeed:
    def __init__(
        self, plan: Plan, source: ArchiveSource, wishes: Wishes, findings: Findings
    ) -> None:
        self._source, self._findings = source, findings
        self._modes = Modes(wishes.mode)
        self._dest = Destination(plan, source, wishes.dest) if wishes.dest is not None else None
        dropped = DROPPED if self._dest else ()
        self._edits = {edit.path: edit for edit in plan.edits if edit.path not in dropped}
        self._kept = {e.path: e for e in plan.kept() if e.path not in dropped}
        epoch = source_date_epoch()
        self._times = (
            None if epoch is None else times_of(self._kept.values(), source, Times(epoch, {}))
        )
        newest = max((e.mtime_ns for e in plan.inventory.entries.values()), default=0) // SECOND
        self._written_time = (newest or EARLIEST) if epoch is None else epoch
        # The kept names of each file that has several, those with content of their own left out.
        self._names: dict[tuple[int, int], list[str]] = {}
        for path, entry in self._kept.items():
            if entry.kind == "file" and entry.links > 1 and path not in self._edits:
                self._names.setdefault(entry.identity, []).append(path)
        self._holder: dict[tuple[int, int], str] = {}

    def members(self) -> Iterator[tuple[Member, Body]]:
        self._source.forget()
        for entry, member, body in self._source.stream():
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
        if self._dest is not None and self._dest.unsigned:
            self._findings.notes.append(note_on_signatures(self._dest.unsigned))
        if self._dest is not None and not self._dest.changed:
            self._findings.notes.append(
                "no placeholder was found in the archive: if conda-unpack was run before it was "
                "made, it holds the path of that time"
            )

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
            wanting = [name for name in names if self._dest.wants(name, size)]
            if wanting:
                data: Buffer = b"".join(body)
                for name in wanting:
                    data = self._dest.rewrite(name, bytes(data))
                body, size = (data,), len(data)
        self._findings.bytes += size
        return Member(path, "file", size, mode, mtime), body

    def _plain(self, entry: Entry) -> Member:
        self._findings.bytes += entry.size if entry.kind == "link" else 0
        mode = self._modes.of(entry.kind, entry.mode)
        return Member(entry.path, entry.kind, entry.size, mode, self._time(entry), entry.target)

    def _edited(self, edit: Edit, body: Body) -> tuple[Member, Body]:
        mode = self._modes.of("file", edit.mode)
        entry = self._kept.get(edit.path)
        mtime = self._time(entry) if entry is not None else self._written_time
        size = edit.size(entry.size if entry is not None else 0)
        self._findings.bytes += size
        written: Body = (edit.data,)
        if edit.patch is not None and entry is not None:
            if self._dest is not None and self._dest.wants(edit.path, entry.size):
                body = (self._dest.rewrite(edit.path, b"".join(body)),)
            written = edit.patch.apply(body)
        return Member(edit.path, "file", size, mode, mtime), written

    def _time(self, entry: Entry) -> int:
        seconds = entry.mtime_ns // SECOND
        if self._times is None:
            return seconds
        return self._times.of(entry) if entry.kind == "file" else min(seconds, self._times.common)
