"""Makes a prefix relocatable: what is packed for each file that holds the prefix.

The rewriting and ``conda-unpack`` itself are conda-pack's; which files, with which placeholders,
is worked out here from the records and the prefix alone, since conda-pack looks
into the package cache, packs that instead of the prefix, and gives up on files once it is gone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from condaprune.edit import Edit
from condaprune.errors import SinkError
from condaprune.formats.binary import must_be_signed
from condaprune.formats.unpack_list import UNPACK, UnpackRecord
from condaprune.model import Buffer, Entry, FileMode, Plan, PrefixFile, Record
from condaprune.parse import parse_json
from condaprune.paths import to_bytes
from condaprune.sinks.outputs.members import FileBody
from condaprune.sinks.outputs.placeholders import (
    SNIFF,
    is_binary_start,
    named,
    note_on_signatures,
    packaged,
    place_at,
    unlisted_prefix_files,
    with_stand_in,
)
from condaprune.sources.base import Body, Source
from condaprune.sources.records import is_record

_SEARCHED = 64 << 20
"""The largest text file that is searched for the prefix: people keep data in environments."""


class _Scripts:
    """The archive object that conda-pack's Packer writes its own scripts to."""

    def __init__(self) -> None:
        self.edits: list[Edit] = []

    def add(self, source: str, target: str) -> None:
        with open(source, "rb") as file:
            data = file.read()
        # The executable bit is conda-pack's; all else about its temporary files is chance.
        mode = 0o755 if os.stat(source).st_mode & stat.S_IXUSR else 0o644
        self.edits.append(Edit(target, data, mode, "added by conda-pack", False))


class Relocation:
    """What goes into an archive of a prefix instead of the bytes that lie there.

    With *dest* every file is rewritten for that path, and there is no ``conda-unpack``. `scripts`
    are conda-pack's own, of which `unpack_script` is complete when everything was packed.
    """

    def __init__(self, plan: Plan, source: Source, dest: str | None) -> None:
        self._source = source
        self._inventory = plan.inventory
        self._prefix = plan.inventory.prefix
        self._bytes = to_bytes(self._prefix)
        self._dest = dest
        self._stuck: dict[str, None] = {}
        self._unsigned: list[str] = []
        self._records: list[UnpackRecord] = []
        self.scripts = tuple(self._scripts())
        self._listed: dict[str, PrefixFile] = {}
        self._unknown: set[str] = set()
        for record in self._inventory.records:
            files: tuple[PrefixFile, ...] | None = record.prefix_files
            if record.bare:
                files = unlisted_prefix_files(record, self._inventory)
            if files is None:
                self._unknown.add(record.path)
            else:
                self._listed.update((file.path, file) for file in files)

    def concerns(self, entry: Entry) -> bool:
        """Whether a file may be packed with other bytes than it holds."""
        path = entry.path
        return path in self._listed or is_record(path) or self._may_hold_prefix(entry)

    def content(self, entry: Entry, body: FileBody) -> tuple[bool, Body]:
        """Whether a file is packed with other bytes than it holds, and those bytes; one read.

        Errors: `SourceError`, `SinkError`.
        """
        path = entry.path
        if is_record(path):
            from conda_pack.core import rewrite_conda_meta

            # `open` takes a descriptor for a name.
            data = rewrite_conda_meta(os.dup(body.handle))[0]
            body.check()
            return True, (data,)
        file = self._listed.get(path)
        if file is not None:
            data = b"".join(body)
            original = packaged(data, file, self._bytes)
            if original is not None:
                return True, (self._placed(path, original, file.placeholder, file.mode),)
            return self._unlisted(path, data)
        if not self._may_hold_prefix(entry):
            return False, body
        pieces = iter(body)
        start = next(pieces, b"")
        if is_binary_start(bytes(start[:SNIFF])):
            return False, self._searched(path, chain((start,), pieces))
        text = bytearray(start)
        for piece in pieces:
            text += piece
        return self._unlisted(path, bytes(text))

    def unpack_script(self) -> bytes:
        """``bin/conda-unpack`` for all files that `content` was asked for."""
        return next(edit.data for edit in self._scripts() if edit.path == UNPACK)

    def notes(self) -> list[str]:
        """What the user should know when everything was packed."""
        notes = [note_on_signatures(self._unsigned)] if self._unsigned else []
        if self._stuck:
            notes.append(
                "these binary files hold the prefix and cannot be rewritten for another place: "
                + named(self._stuck, 20)
            )
        return notes

    def _scripts(self) -> list[Edit]:
        from conda_pack.core import Packer

        scripts = _Scripts()
        packer = Packer(self._prefix, scripts, self._dest)
        packer.packages = [{"name": record.name} for record in self._inventory.records]
        packer.prefixes = self._records
        packer.finish()
        return scripts.edits

    def _may_hold_prefix(self, entry: Entry) -> bool:
        """Whether nothing is known about a file: it is no package's, or of an old record."""
        path = entry.path
        if path.endswith(".pyc") or not entry.size or entry.size > _SEARCHED:
            return False
        if path.startswith("bin/"):
            return True
        owners = self._inventory.owners_of(path)
        return not any(isinstance(o, Record) and o.path not in self._unknown for o in owners)

    def _unlisted(self, path: str, data: bytes) -> tuple[bool, Body]:
        """The content of a file whose package does not say where it holds the prefix."""
        from conda_pack.core import is_binary_file

        if is_binary_start(data) or is_binary_file(data):
            if self._bytes in data:
                self._stuck[path] = None
            return False, (data,)
        text, placeholder = with_stand_in(data, self._bytes)
        if placeholder is None:
            return False, (data,)
        return True, (self._placed(path, text, placeholder, "text"),)

    def _searched(self, path: str, body: Body) -> Iterator[Buffer]:
        """Pass a binary file through, and note it where it holds the prefix."""
        tail = b""
        for piece in body:
            data = bytes(piece)
            if self._bytes in (tail + data if tail else data):
                self._stuck[path] = None
            tail = data[-len(self._bytes) :]
            yield data

    def _placed(self, path: str, data: bytes, placeholder: str, mode: FileMode) -> bytes:
        """A file with its placeholder, as it is packed for the destination or for conda-unpack."""
        from conda_pack.core import rewrite_shebang

        if self._dest is not None:
            if mode == "binary" and must_be_signed(data):
                self._unsigned.append(path)
            return place_at(self._dest, path, data, placeholder, mode)
        if mode == "text" and path.startswith("bin/"):
            with suppress(UnicodeDecodeError):  # as far as conda-pack reads text: UTF-8
                data, complete = rewrite_shebang(data, path, placeholder)
                if complete:
                    return data
        self._records.append((path, placeholder, mode))
        return data


def check_editable(plan: Plan, source: Source) -> None:
    """Refuse an environment with editable installs: they point at folders outside of it.

    Errors: `SinkError`, which names them.
    """
    entries = plan.inventory.entries
    urls = {f"{d.path}/direct_url.json": d.name for d in plan.inventory.distributions}
    names = []
    for path, data in source.read_many([p for p in urls if p in entries and not plan.removes(p)]):
        try:
            value = parse_json(data)
        except ValueError:
            continue
        info = value.get("dir_info") if isinstance(value, dict) else None
        if isinstance(info, dict) and info.get("editable") is True:
            names.append(urls[path])
    names += [
        p.rpartition("/")[2].removesuffix(".egg-link")
        for p in entries
        if p.endswith(".egg-link") and not plan.removes(p)
    ]
    if names:
        raise SinkError(
            f"editable installs cannot be packed: {', '.join(sorted(names))}",
            where=plan.inventory.label,
            remedy="Install them without -e, or pass --ignore-editable-packages to pack them as "
            "they are",
        )
