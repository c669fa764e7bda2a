"""Makes a prefix relocatable: what is packed for each file that holds the prefix.

The rewriting and ``conda-unpack`` itself are conda-pack's own; which files, with which
placeholders, is worked out here from the records and the prefix alone, since conda-pack looks
into the package cache, packs that instead of the prefix, and gives up on files once it is gone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass

from condaprune.errors import SinkError, SourceError
from condaprune.formats.macho import must_be_signed
from condaprune.model import Entry, FileMode, Plan, PrefixFile, Record
from condaprune.paths import printable, to_bytes
from condaprune.sinks.outputs.packages import unlisted_prefix_files
from condaprune.sinks.outputs.placeholders import (
    is_binary_start,
    note_on_signatures,
    packaged,
    too_long,
    with_stand_in,
)
from condaprune.sources.base import Source
from condaprune.sources.records import is_record

_SEARCHED = 64 << 20
"""The largest text file that is searched for the prefix: people keep data in environments."""

_MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Way:
    """How a prefix file is packed; `file` is None where the placeholder is ours."""

    placeholder: str
    mode: FileMode
    file: PrefixFile | None


@dataclass(frozen=True, slots=True)
class Added:
    """A file that conda-pack adds to an archive."""

    path: str
    data: bytes
    mode: int


class _Scripts:
    """The archive object that conda-pack's Packer writes its own scripts to."""

    mtime = 0

    def __init__(self) -> None:
        self.files: list[Added] = []

    def add(self, source: str, target: str) -> None:
        with open(source, "rb") as file:
            data = file.read()
        # The executable bit is conda-pack's; all else about its temporary files is chance.
        mode = 0o755 if os.stat(source).st_mode & stat.S_IXUSR else 0o644
        self.files.append(Added(target, data, mode))

    def add_bytes(self, source: str, data: bytes, target: str) -> None:
        self.files.append(Added(target, data, 0o644))


class Relocation:
    """What goes into an archive of a prefix instead of the bytes that lie there.

    With *dest* every file is rewritten for that path, and there is no ``conda-unpack``. `added`
    are conda-pack's scripts; `notes` what the user should know; `searched` the binary files that
    no package knows, to be looked into as they are packed. *bare* names the records without a
    list of prefix files. Errors: `SinkError`, `SourceError`.
    """

    def __init__(
        self,
        plan: Plan,
        kept: Collection[Entry],
        source: Source,
        bare: Collection[str],
        dest: str | None,
    ) -> None:
        from conda_pack.core import Packer

        self.notes: list[str] = []
        self._source = source
        self._prefix = plan.inventory.prefix
        self._bytes = to_bytes(self._prefix)
        self._dest = dest
        self._plan = plan
        self._bare = bare
        self._warned: list[str] = []
        self._unsigned: list[str] = []
        self._ways: dict[str, _Way] = {}
        self._unsure: set[str] = set()
        self.searched: set[str] = set()
        scripts = _Scripts()
        self._packer = Packer(self._prefix, scripts, dest)
        edited = {edit.path for edit in plan.edits if edit.patch is None}
        self._work_out([e for e in kept if e.kind == "file" and e.path not in edited])
        self._packer.packages = [{"name": record.name} for record in plan.inventory.records]
        self._packer.finish()
        self.added = tuple(scripts.files)

    def is_rewritten(self, path: str) -> bool:
        """Whether `content` must be asked for a file."""
        return path in self._ways or path in self._unsure or is_record(path)

    def content(self, path: str) -> bytes:
        """What is packed for a file. Errors: `SourceError`, `SinkError`."""
        if is_record(path):
            from conda_pack.core import rewrite_conda_meta

            data: bytes = rewrite_conda_meta(os.path.join(self._prefix, path))[0]
            return data
        data = self._source.read(path)
        way = self._ways.get(path)
        if way is None:
            way = self._way_of_unlisted(path, data)
            if way is None:
                return data
        return self._rewritten(path, data, way)[0]

    def warn(self, path: str) -> None:
        """Note a binary file that holds the prefix and stays as it is."""
        if path not in self._warned:
            self._warned.append(path)

    def finish(self) -> None:
        """Put what was found on the way into `notes`."""
        if self._unsigned:
            self.notes.append(note_on_signatures(self._unsigned))
        if self._warned:
            names = ", ".join(printable(p) for p in self._warned[:_MAX_NAMED])
            more = len(self._warned) - _MAX_NAMED
            self.notes.append(
                f"these binary files hold the prefix and cannot be rewritten for another place: "
                f"{names}{f' and {more} more' if more > 0 else ''}"
            )

    def _head(self, path: str) -> bytes:
        with open(os.path.join(self._prefix, path), "rb", buffering=0) as file:
            return file.read(4096)

    def _work_out(self, files: list[Entry]) -> None:
        """Find the files that hold the prefix; without `dest`, also what conda-unpack is told."""
        listed: dict[str, PrefixFile] = {}
        unknown: set[str] = set()
        for record in self._plan.inventory.records:
            found: tuple[PrefixFile, ...] | None = record.prefix_files
            if record.path in self._bare:
                found = unlisted_prefix_files(record, self._plan.inventory)
            if found is None:
                unknown.add(record.path)
            else:
                listed.update((file.path, file) for file in found)
        for entry in files:
            path = entry.path
            if is_record(path):
                continue
            file = listed.get(path)
            if file is not None:
                self._listed(path, file)
            elif self._may_hold_prefix(entry, unknown):
                self._unlisted(entry)

    def _listed(self, path: str, file: PrefixFile) -> None:
        data = self._source.read(path)
        way = _Way(file.placeholder, file.mode, file)
        if packaged(data, file, self._bytes) is None:
            found = self._way_of_unlisted(path, data)
            if found is None:
                return
            way = found
        self._ways[path] = way
        self._record(path, data, way)

    def _record(self, path: str, data: bytes, way: _Way) -> None:
        if self._dest is None:
            shebang = way.mode == "text" and path.startswith("bin/")
            if not (shebang and self._rewritten(path, data, way)[1]):
                self._packer.prefixes.append((path, way.placeholder, way.mode))

    def _may_hold_prefix(self, entry: Entry, unknown: set[str]) -> bool:
        """Whether nothing is known about a file: it is no package's, or of an old record."""
        path = entry.path
        if path.endswith(".pyc") or not entry.size or entry.size > _SEARCHED:
            return False
        if path.startswith("bin/"):
            return True
        owners = self._plan.inventory.owners_of(path)
        return not any(isinstance(o, Record) and o.path not in unknown for o in owners)

    def _unlisted(self, entry: Entry) -> None:
        if is_binary_start(self._head(entry.path)):
            self.searched.add(entry.path)
            return
        if self._dest is not None:
            self._unsure.add(entry.path)  # looked at when it is packed: one read
            return
        data = self._source.read(entry.path)
        way = self._way_of_unlisted(entry.path, data)
        if way is not None:
            self._ways[entry.path] = way
            self._record(entry.path, data, way)

    def _way_of_unlisted(self, path: str, data: bytes) -> _Way | None:
        from conda_pack.core import is_binary_file

        if is_binary_start(data) or is_binary_file(data):
            if self._bytes in data:
                self.warn(path)
            return None
        placeholder = with_stand_in(data, self._bytes)[1]
        return None if placeholder is None else _Way(placeholder, "text", None)

    def _rewritten(self, path: str, data: bytes, way: _Way) -> tuple[bytes, bool]:
        """What is packed, and whether it needs no more rewriting where it is unpacked."""
        from conda_pack.core import rewrite_shebang
        from conda_pack.prefixes import replace_prefix

        if way.file is not None:
            found = packaged(data, way.file, self._bytes)
            if found is None:
                raise SourceError(
                    "the file changed while it was packed",
                    where=printable(path),
                    remedy="Let nothing write to the environment meanwhile, and start again",
                )
            data = found
        else:
            data = with_stand_in(data, self._bytes)[0]
        if self._dest is not None:
            if way.mode == "binary" and len(to_bytes(self._dest)) > len(way.placeholder.encode()):
                raise too_long(path, way.placeholder, self._dest)
            if way.mode == "binary" and must_be_signed(data):
                self._unsigned.append(path)
            return replace_prefix(data, way.mode, way.placeholder, self._dest), True
        if way.mode == "text" and path.startswith("bin/"):
            shebang: tuple[bytes, bool] = rewrite_shebang(data, path, way.placeholder)
            return shebang
        return data, False


def check_editable(plan: Plan, source: Source) -> None:
    """Refuse an environment with editable installs: they point at folders outside of it.

    Errors: `SinkError`, which names them.
    """
    import json

    entries = plan.inventory.entries
    urls = {f"{d.path}/direct_url.json": d.name for d in plan.inventory.distributions}
    found = []
    for path, data in source.read_many([p for p in urls if p in entries and not plan.removes(p)]):
        try:
            value: object = json.loads(data)
        except ValueError:
            continue
        info = value.get("dir_info") if isinstance(value, dict) else None
        if isinstance(info, dict) and info.get("editable") is True:
            found.append(urls[path])
    found += [
        p.rpartition("/")[2].removesuffix(".egg-link")
        for p in entries
        if p.endswith(".egg-link") and not plan.removes(p)
    ]
    if found:
        raise SinkError(
            f"editable installs cannot be packed: {', '.join(sorted(found))}",
            where=plan.inventory.label,
            remedy="Install them without -e, or pass --ignore-editable-packages to pack them as "
            "they are",
        )
