"""What goes into an output, member by member, from a plan and the prefix it was made for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from condaprune.formats.unpack_list import SCRIPTS, UNPACK
from condaprune.model import Entry, Plan, Record
from condaprune.paths import from_bytes, parent, printable, sort_key, to_bytes
from condaprune.sinks.outputs.members import EARLIEST, Modes, Times, source_date_epoch
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.relocate import Relocation, check_editable
from condaprune.sources.base import NO_BODY, Body, Member, Source

_NOT_PACKED = frozenset(
    ("pkgs", "envs", "conda-bld", "conda-recipes")
    + (".conda_lock", ".index", ".unionfs", ".nonadmin", "python.app", "Launcher.app")
)
"""What conda keeps at the top of its base environment and conda-pack leaves out there."""

_REPLACED = (*SCRIPTS, "bin/conda")
"""What conda-pack writes itself, and an old conda's link to another place."""


@dataclass(slots=True)
class Findings:
    """What came up on the way: `notes` are sentences for the user, `added` paths that only the
    output has, `bytes` the content of all members, each hard-linked file once."""

    notes: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    bytes: int = 0


def from_prefix(
    plan: Plan,
    source: Source,
    options: OutputOptions,
    layer_of: Callable[[str], int] | None,
    findings: Findings,
) -> Iterator[tuple[Member, Body]]:
    """The members for a prefix, in the order of their paths' bytes, each file read once.

    With *layer_of* those of a lower layer come first; hard links stay with their first name.
    ``bin/conda-unpack`` comes last: it lists what was found in the others.

    Nothing is yielded before all refusals are through. Errors: `SinkError`, `SourceError`.
    """
    if not options.ignore_editable:
        check_editable(plan, source)
    feed = _Feed(plan, source, options, findings)
    order: Callable[[str], tuple[int, bytes]] = lambda path: (  # noqa: E731
        layer_of(path) if layer_of else 0,
        sort_key(path),
    )
    for path in sorted(feed.paths(), key=order):
        yield feed.member(path)
    yield from feed.last()


class _Feed:
    def __init__(
        self, plan: Plan, source: Source, options: OutputOptions, findings: Findings
    ) -> None:
        self._findings = findings
        self._prefix = plan.inventory.prefix
        self._modes = Modes(options.mode)
        self._kept = _packed_entries(plan, findings)
        self._times = _times(plan, self._kept, source)
        self._relocation = Relocation(plan, source, options.dest_prefix)
        scripts = self._relocation.scripts
        findings.added += [edit.path for edit in scripts]
        self._edits = {e.path: e for e in (*plan.edits, *scripts) if e.path != UNPACK}
        self._unpack = next((edit for edit in scripts if edit.path == UNPACK), None)
        if self._unpack is not None:
            self._kept.pop(UNPACK, None)
        self._first: dict[tuple[int, int], str] = {}

    def paths(self) -> set[str]:
        """The paths of all members but ``bin/conda-unpack``, in no order."""
        folders = set()
        for path in (*self._edits, UNPACK) if self._unpack else self._edits:
            folder = parent(path)
            while folder and folder not in self._kept and folder not in folders:
                folders.add(folder)
                folder = parent(folder)
        return {*self._kept, *self._edits, *folders}

    def member(self, path: str) -> tuple[Member, Body]:
        """One member with its content."""
        edit, entry, times = self._edits.get(path), self._kept.get(path), self._times
        if edit is not None:
            mode = self._modes.of("file", edit.mode)
            if edit.patch is None or entry is None:
                return self._file(path, edit.data, mode, times.common)
            size = edit.patch.size(entry.size)
            self._findings.bytes += size
            patched = edit.patch.apply(self._relocation.content(entry)[1])
            return Member(path, "file", size, mode, times.of(entry)), patched
        if entry is None or entry.kind == "folder":
            mode = self._modes.of("folder", entry.mode if entry else 0o755)
            return Member(path, "folder", 0, mode, times.common), NO_BODY
        mode = self._modes.of(entry.kind, entry.mode)
        if entry.kind == "link":
            target = _inner_target(entry, self._prefix)
            size = len(to_bytes(target))
            self._findings.bytes += size
            return Member(path, "link", size, mode, times.common, target), NO_BODY
        linked = self._first.get(entry.identity, "") if entry.links > 1 else ""
        if not linked or self._relocation.concerns(entry):
            changed, body = self._relocation.content(entry)
            if changed:
                return self._file(path, b"".join(body), mode, times.of(entry))
            if not linked:
                if entry.links > 1:
                    self._first[entry.identity] = path
                self._findings.bytes += entry.size
                return Member(path, "file", entry.size, mode, times.of(entry)), body
        return Member(path, "file", 0, mode, times.of(entry), "", linked), NO_BODY

    def last(self) -> Iterator[tuple[Member, Body]]:
        """``bin/conda-unpack``, where there is one; then the notes are complete."""
        if self._unpack is not None:
            data = self._relocation.unpack_script()
            mode = self._modes.of("file", self._unpack.mode)
            yield self._file(UNPACK, data, mode, self._times.common)
        self._findings.notes += self._relocation.notes()

    def _file(self, path: str, data: bytes, mode: int, mtime: int) -> tuple[Member, Body]:
        self._findings.bytes += len(data)
        return Member(path, "file", len(data), mode, mtime), (data,)


def _times(plan: Plan, kept: dict[str, Entry], source: Source) -> Times:
    """Times that no two machines with the same environment differ in."""
    epoch = source_date_epoch()
    if epoch is not None:
        return Times(epoch, {}, kept.values(), source)
    limits: dict[str, int] = {}
    for path, owners in plan.inventory.owners.items():
        for owner in owners:
            if isinstance(owner, Record) and owner.built:
                limits[path] = owner.built
    return Times(EARLIEST, limits, kept.values(), source)


def _packed_entries(plan: Plan, findings: Findings) -> dict[str, Entry]:
    """The entries that stay and have a place in an archive."""
    inventory = plan.inventory
    base = any(record.name == "conda" for record in inventory.records)
    packed: dict[str, Entry] = {}
    left_out: list[str] = []
    for entry in plan.kept():
        path = entry.path
        top, _, rest = path.partition("/")
        if base and top in _NOT_PACKED:
            if not rest:
                left_out.append(top)
        elif entry.kind == "other":
            findings.notes.append(
                f"{printable(path)} is a socket, pipe, device or mount point and was left out"
            )
        elif path not in _REPLACED or inventory.owners_of(path):
            packed[path] = entry
    if left_out:
        findings.notes.append(
            f"conda's own {', '.join(sorted(left_out))} of the base environment were left out"
        )
    return packed


def _inner_target(entry: Entry, prefix: str) -> str:
    """A link's target; an absolute one that points into the prefix is made relative."""
    target = entry.target
    if target != prefix and not target.startswith(prefix + "/"):
        return target
    folder = parent(entry.path)
    return from_bytes(
        os.path.relpath(
            to_bytes(target), to_bytes(os.path.join(prefix, folder) if folder else prefix)
        )
    )
