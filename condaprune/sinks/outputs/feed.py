"""What goes into an output, member by member, from a plan and the prefix it was made for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from condaprune.edit import Edit
from condaprune.formats.unpack_list import SCRIPTS, UNPACK
from condaprune.model import Entry, Inventory, Plan, Record
from condaprune.paths import from_bytes, parent, printable, sort_key, to_bytes
from condaprune.sinks.outputs.carried import Carried
from condaprune.sinks.outputs.members import FileBody, Modes, Times
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


class Feed:
    """What goes into an output, member by member. Errors: `SinkError`, `SourceError`.

    `notes` are sentences for the user and `added` paths that only the output has; both are
    complete when all members have passed.
    """

    def __init__(self, options: OutputOptions) -> None:
        self.notes: list[str] = []
        self.added: tuple[str, ...] = ()
        self._modes = Modes(options.mode)

    def members(self) -> Iterator[tuple[Member, Body]]:
        """The members, each with its content, once."""
        raise NotImplementedError

    def _file(self, path: str, data: bytes, mode: int, mtime: int) -> tuple[Member, Body]:
        return Member(path, "file", len(data), self._modes.of("file", mode), mtime), (data,)


class PrefixFeed(Feed):
    """The members for a prefix, in the order of their paths' bytes, each file read once.

    Extended attributes whose names begin as *holds* says are carried over.
    With *layer_of* those of a lower layer come first; hard links stay with their first name.
    ``bin/conda-unpack`` comes last: it lists what was found in the others. All refusals are
    through when this is made.
    """

    def __init__(
        self,
        plan: Plan,
        source: Source,
        options: OutputOptions,
        layer_of: Callable[[str], int] | None,
        holds: tuple[str, ...] = (),
    ) -> None:
        super().__init__(options)
        self._attributes = Carried(holds, options.mode)
        if not options.ignore_editable:
            check_editable(plan, source)
        self._prefix = plan.inventory.prefix
        self._layer_of = layer_of
        self._kept = self._packed_entries(plan)
        self._times = Times(_build_times(plan.inventory), self._kept, source)
        self._relocation = Relocation(plan, source, options.dest_prefix)
        scripts = self._relocation.scripts
        self.added = tuple(edit.path for edit in scripts)
        self._edits = {e.path: e for e in (*plan.edits, *scripts) if e.path != UNPACK}
        self._unpack = next((edit for edit in scripts if edit.path == UNPACK), None)
        if self._unpack is not None:
            self._kept.pop(UNPACK, None)
        self._first: dict[tuple[int, int], str] = {}
        self._opened: list[FileBody] = []

    def members(self) -> Iterator[tuple[Member, Body]]:
        paths = sorted(self._paths(), key=sort_key)
        if self._layer_of is not None:
            paths.sort(key=self._layer_of)
        try:
            for path in paths:
                yield self._member(path)
                self._close()
        finally:
            self._close()
        if self._unpack is not None:
            data, mode = self._relocation.unpack_script(), self._unpack.mode
            yield self._file(UNPACK, data, mode, self._times.common)
        self.notes += self._relocation.notes()
        self.notes += self._attributes.notes()

    def _open(self, entry: Entry, source: bytes = b"") -> FileBody:
        """The content of a file, which stays open until the next member is asked for."""
        body = FileBody(to_bytes(f"{self._prefix}/{entry.path}"), entry, source)
        self._opened.append(body)
        return body

    def _close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def _paths(self) -> set[str]:
        """The paths of all members but ``bin/conda-unpack``, in no order."""
        folders = set()
        for path in (*self._edits, UNPACK) if self._unpack else self._edits:
            folder = parent(path)
            while folder and folder not in self._kept and folder not in folders:
                folders.add(folder)
                folder = parent(folder)
        return {*self._kept, *self._edits, *folders}

    def _member(self, path: str) -> tuple[Member, Body]:
        edit, entry, times = self._edits.get(path), self._kept.get(path), self._times
        if edit is not None and (entry is None or entry.kind != "file"):
            return self._file(path, edit.data, edit.mode, times.common)
        if edit is not None and entry is not None:
            return self._edited(edit, entry)
        if entry is None or entry.kind == "folder":
            mode = self._modes.of("folder", entry.mode if entry else 0o755)
            theirs = self._attributes.of_folder(self._prefix, entry) if entry else ()
            return Member(path, "folder", 0, mode, times.common, "", "", theirs), NO_BODY
        mode = self._modes.of(entry.kind, entry.mode)
        if entry.kind == "link":
            target = _inner_target(entry, self._prefix)
            size = len(to_bytes(target))
            return Member(path, "link", size, mode, times.common, target), NO_BODY
        linked = self._first.get(entry.identity, "") if entry.links > 1 else ""
        if not linked or self._relocation.concerns(entry):
            opened = self._open(entry)
            theirs = self._attributes.of_file(path, opened)
            changed, body = self._relocation.content(entry, opened)
            if changed:
                data = b"".join(body)
                theirs = self._attributes.without_rights(path, theirs)
                member = Member(path, "file", len(data), mode, times.of(entry), "", "", theirs)
                return member, (data,)
            if not linked:
                if entry.links > 1:
                    self._first[entry.identity] = path
                member = Member(path, "file", entry.size, mode, times.of(entry), "", "", theirs)
                return member, body
        return Member(path, "file", 0, mode, times.of(entry), "", linked), NO_BODY

    def _edited(self, edit: Edit, entry: Entry) -> tuple[Member, Body]:
        """The member for a file that the plan rewrites."""
        opened = self._open(entry, edit.source)
        mode, theirs = (
            self._modes.of("file", edit.mode),
            self._attributes.of_file(edit.path, opened),
        )
        if edit.patch is None:
            theirs = self._attributes.without_rights(edit.path, theirs)
            size, time = len(edit.data), self._times.common
            return Member(edit.path, "file", size, mode, time, "", "", theirs), (edit.data,)
        changed, body = self._relocation.content(entry, opened)
        if changed:
            theirs = self._attributes.without_rights(edit.path, theirs)
        size, time = edit.patch.size(entry.size), self._times.of(entry)
        member = Member(edit.path, "file", size, mode, time, "", "", theirs)
        return member, edit.patch.apply(body)

    def _packed_entries(self, plan: Plan) -> dict[str, Entry]:
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
                self.notes.append(
                    f"{printable(path)} is a socket, pipe, device or mount point and was left out"
                )
            elif path not in _REPLACED or inventory.owners_of(path):
                packed[path] = entry
        if left_out:
            self.notes.append(
                f"conda's own {', '.join(sorted(left_out))} of the base environment were left out"
            )
        return packed


def _build_times(inventory: Inventory) -> dict[str, int]:
    """When the package of each file was built, where that is known."""
    return {
        path: owner.built
        for path, owners in inventory.owners.items()
        for owner in owners
        if isinstance(owner, Record) and owner.built
    }


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
