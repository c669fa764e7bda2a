"""What goes into an output, member by member, from a plan and the source it was made for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from condaprune.errors import SinkError
from condaprune.formats.unpack_list import PROGRESS, UNPACK
from condaprune.model import Edit, Entry, Plan
from condaprune.paths import from_bytes, parent, printable, sort_key, to_bytes
from condaprune.sinks.outputs.packages import record_facts
from condaprune.sinks.outputs.relocate import Relocation, check_editable
from condaprune.sinks.outputs.times import EARLIEST, Times, source_date_epoch, times_of
from condaprune.sources.base import Source
from condaprune.sources.members import NO_BODY, Body, Buffer, Member

_NOT_PACKED = frozenset(
    ("pkgs", "envs", "conda-bld", "conda-recipes")
    + (".conda_lock", ".index", ".unionfs", ".nonadmin", "python.app", "Launcher.app")
)
"""What conda keeps at the top of its base environment and conda-pack leaves out there."""

_REPLACED = (UNPACK, PROGRESS, "bin/activate", "bin/deactivate", "bin/activate.fish", "bin/conda")
"""What conda-pack writes itself, and an old conda's link to another place."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How members are to look.

    `dest` is the path that everything is rewritten for, or None; `mode` how permission bits are
    made: ``normal`` (0644, or 0755 for programs and folders), ``keep``, or a mask in octal.
    """

    dest: str | None = None
    mode: str = "normal"
    ignore_editable: bool = False
    group: Callable[[str], int] | None = None


@dataclass(slots=True)
class Findings:
    """What came up on the way: `notes` are sentences for the user, `added` paths that only the
    output has, `bytes` the content of all members, each hard-linked file once."""

    notes: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    bytes: int = 0


_PIECE = 1 << 18
"""How much of a big file is read at a time: what fits a core's cache."""


class FileBody:
    """A file of the prefix as the content of a member, read once, without following links.

    The pieces of a big file share one buffer: each is valid until the next one is asked for. New
    memory for each would cost more than reading does.
    """

    __slots__ = ("path", "size")

    def __init__(self, path: bytes, size: int) -> None:
        self.path = path
        self.size = size

    def __iter__(self) -> Iterator[Buffer]:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if self.size < _PIECE:
                    yield os.read(handle, self.size + 1)
                    return
                buffer = memoryview(bytearray(_PIECE))
                while count := os.readv(handle, [buffer]):
                    yield buffer[:count]
            finally:
                os.close(handle)
        except OSError as error:
            raise SinkError(
                f"cannot be read: {error.strerror}",
                where=os.fsdecode(self.path),
                remedy="Run condaprune as a user who may read the whole environment, "
                "and let nothing change it meanwhile",
            ) from error


class Modes:
    """Makes the permission bits of members. Errors: `UsageProblem` for an unknown form."""

    def __init__(self, text: str) -> None:
        from condaprune.errors import UsageProblem

        self._keep = text == "keep"
        self._mask = 0o777
        if text not in ("normal", "keep"):
            try:
                self._mask = int(text, 8)
            except ValueError:
                self._mask = -1
            if not 0 < self._mask <= 0o777:
                raise UsageProblem(
                    f"no such mode: {text!r}",
                    where="--mode",
                    remedy="Take normal, keep, or a mask such as 0555",
                )

    def of(self, kind: str, mode: int) -> int:
        """The bits of a member from those of its entry."""
        if kind == "link":
            return 0o777
        if self._keep:
            return mode & 0o777
        return (0o755 if kind == "folder" or mode & 0o100 else 0o644) & self._mask


def from_prefix(
    plan: Plan, source: Source, wishes: Wishes, findings: Findings
) -> Iterator[tuple[Member, Body]]:
    """The members for a prefix, in the order of their paths' bytes, each file read once.

    With `Wishes.group` those of a lower group come first; hard links stay with their first name.

    Nothing is yielded before all refusals are through. Errors: `SinkError`, `SourceError`.
    """
    if not wishes.ignore_editable:
        check_editable(plan, source)
    modes = Modes(wishes.mode)
    facts = record_facts(plan.inventory, source)
    kept = _packed_entries(plan, findings)
    times = times_of(kept.values(), source, _times(plan, facts.built))
    relocation = Relocation(plan, kept.values(), source, facts.bare, wishes.dest)
    edits = {edit.path: edit for edit in plan.edits if edit.path != UNPACK}
    for added in relocation.added:
        edits[added.path] = Edit(added.path, added.data, added.mode, "added by conda-pack", False)
        findings.added.append(added.path)
    root = to_bytes(plan.inventory.prefix) + b"/"
    search = to_bytes(plan.inventory.prefix)
    first: dict[tuple[int, int], str] = {}
    group = wishes.group
    order: Callable[[str], object] = (
        sort_key if group is None else lambda path: (group(path), sort_key(path))
    )
    for path in sorted({*kept, *edits, *_new_folders(kept, edits)}, key=order):  # type: ignore[arg-type]
        edit = edits.get(path)
        if edit is not None:
            mode = modes.of("file", edit.mode)
            if edit.patch is not None:
                old = kept[path]
                size = edit.patch.size(old.size)
                findings.bytes += size
                patched = edit.patch.apply(_content(old, root, search, relocation))
                yield Member(path, "file", size, mode, times.of(old)), patched
                continue
            yield _bytes(path, edit.data, mode, times.common, findings)
            continue
        entry = kept.get(path)
        if entry is None:
            yield Member(path, "folder", 0, modes.of("folder", 0o755), times.common), NO_BODY
            continue
        mode = modes.of(entry.kind, entry.mode)
        if entry.kind == "folder":
            yield Member(path, "folder", 0, mode, times.common), NO_BODY
        elif entry.kind == "link":
            target = _inner_target(entry, plan.inventory.prefix)
            size = len(to_bytes(target))
            findings.bytes += size
            yield Member(path, "link", size, mode, times.common, target), NO_BODY
        elif relocation.is_rewritten(path):
            yield _bytes(path, relocation.content(path), mode, times.of(entry), findings)
        else:
            linked = first.setdefault(entry.identity, path) if entry.links > 1 else path
            if linked != path:
                yield Member(path, "file", 0, mode, times.of(entry), "", linked), NO_BODY
                continue
            findings.bytes += entry.size
            body = _content(entry, root, search, relocation)
            yield Member(path, "file", entry.size, mode, times.of(entry)), body
    relocation.finish()
    findings.notes += relocation.notes


def _content(entry: Entry, root: bytes, search: bytes, relocation: Relocation) -> Body:
    """What a file holds at its destination."""
    if relocation.is_rewritten(entry.path):
        return (relocation.content(entry.path),)
    body = FileBody(root + to_bytes(entry.path), entry.size)
    if entry.path in relocation.searched:
        return _searched(body, search, entry.path, relocation)
    return body


def _times(plan: Plan, built: Mapping[str, int]) -> Times:
    """Times that no two machines with the same environment differ in."""
    epoch = source_date_epoch()
    if epoch is not None:
        return Times(epoch, {})
    limits: dict[str, int] = {}
    for path, owners in plan.inventory.owners.items():
        for owner in owners:
            if owner.path in built:
                limits[path] = built[owner.path]
    return Times(EARLIEST, limits)


def _bytes(
    path: str, data: bytes, mode: int, mtime: int, findings: Findings
) -> tuple[Member, Body]:
    findings.bytes += len(data)
    return Member(path, "file", len(data), mode, mtime), (data,)


def _packed_entries(plan: Plan, findings: Findings) -> dict[str, Entry]:
    """The entries that stay and have a place in an archive."""
    inventory = plan.inventory
    base = any(record.name == "conda" for record in inventory.records)
    out: dict[str, Entry] = {}
    left: list[str] = []
    for entry in plan.kept():
        path = entry.path
        top, _, rest = path.partition("/")
        if base and top in _NOT_PACKED:
            if not rest:
                left.append(top)
        elif entry.kind == "other":
            findings.notes.append(
                f"{printable(path)} is a socket, pipe, device or mount point and was left out"
            )
        elif path not in _REPLACED or inventory.owners_of(path):
            out[path] = entry
    if left:
        findings.notes.append(
            f"conda's own {', '.join(sorted(left))} of the base environment were left out"
        )
    return out


def _new_folders(kept: dict[str, Entry], edits: dict[str, Edit]) -> set[str]:
    """Folders that the written files need and nothing else brings."""
    found: set[str] = set()
    for path in edits:
        folder = parent(path)
        while folder and folder not in kept and folder not in found:
            found.add(folder)
            folder = parent(folder)
    return found


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


def _searched(body: Body, what: bytes, path: str, relocation: Relocation) -> Iterator[bytes]:
    """Pass content through and warn where it holds *what*."""
    tail = b""
    for piece in body:
        data = bytes(piece)
        if what in tail + data if tail else what in data:
            relocation.warn(path)
        tail = data[-len(what) :]
        yield data
