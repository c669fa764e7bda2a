"""Rewrites the files of a packed archive for one destination while they pass through."""

from __future__ import annotations

import re

from condaprune.errors import SinkError
from condaprune.formats.macho import must_be_signed
from condaprune.formats.unpack_list import PROGRESS, UNPACK, unpack_records
from condaprune.model import FileMode, Plan
from condaprune.sinks.outputs.placeholders import too_long
from condaprune.sources.archive import ArchiveSource

DROPPED = (UNPACK, PROGRESS)
"""What an archive for one destination has no use for."""

_PYTHON = "bin/python"
_PLACEHOLDER = re.compile(rb"/[!-~]*?/[a-z_]*_env_plac[a-z_]*")
_ENV = re.compile(rb"#!/usr/bin/env ([\w.\-+]+)([ \t][^\n]*)?(?=\n|$)")
_MAX_SHEBANG = 127
_MAX_SCRIPT = 1 << 20


class Destination:
    """What conda-unpack would do in the folder *dest*, and what it leaves undone.

    conda-unpack leaves out ``bin/python*``, since it runs from there, and the scripts that ask
    ``/usr/bin/env`` for their interpreter. Errors: `SinkError` for an archive without
    conda-unpack, `ArchiveError` for a broken one.
    """

    def __init__(self, plan: Plan, source: ArchiveSource, dest: str) -> None:
        entries = plan.inventory.entries
        if UNPACK not in entries:
            raise SinkError(
                f"there is no {UNPACK} in the archive, so nothing says what to rewrite",
                where=f"--dest-prefix {dest}",
                remedy="Pack the environment with conda-pack, without a destination",
            )
        self._dest = dest
        self._bin = {path[4:] for path in entries if path.startswith("bin/")}
        self._ways: dict[str, tuple[str, FileMode]] = {
            path: (placeholder, mode)
            for path, placeholder, mode in unpack_records(source.read(UNPACK))
        }
        for record in plan.inventory.records:
            for file in record.prefix_files:
                if file.path.startswith(_PYTHON):
                    self._ways.setdefault(file.path, (file.placeholder, file.mode))
        self.changed = 0
        self.unsigned: list[str] = []

    def wants(self, path: str, size: int) -> bool:
        """Whether a file may have to be rewritten: its whole content goes to `rewrite` then."""
        if path in self._ways or path.startswith(_PYTHON):
            return True
        return path.startswith("bin/") and size <= _MAX_SCRIPT

    def rewrite(self, path: str, data: bytes) -> bytes:
        """The content for the destination. Errors: `SinkError` where its path is too long."""
        from conda_pack.prefixes import replace_prefix

        before = data
        for placeholder, mode in self._placeholders(path, data):
            if mode == "binary" and len(self._dest.encode()) > len(placeholder.encode()):
                raise too_long(path, placeholder, self._dest)
            data = replace_prefix(data, mode, placeholder, self._dest)
        if path.startswith("bin/"):
            data = self._with_interpreter(data)
        self.changed += data != before
        if data != before and must_be_signed(data):
            self.unsigned.append(path)
        return data

    def _placeholders(self, path: str, data: bytes) -> list[tuple[str, FileMode]]:
        way = self._ways.get(path)
        if way is not None:
            return [way]
        if not path.startswith(_PYTHON):
            return []
        mode: FileMode = "binary" if b"\0" in data[:4096] else "text"
        found = {match.decode() for match in _PLACEHOLDER.findall(data)}
        found |= {p for p, _ in self._ways.values() if "_plac" in p and p.encode() in data}
        # The longest first: one may be the beginning of another.
        return [(placeholder, mode) for placeholder in sorted(found, key=len, reverse=True)]

    def _with_interpreter(self, data: bytes) -> bytes:
        """A script that asks ``/usr/bin/env`` for a program of the environment names it."""
        match = _ENV.match(data)
        if match is None or match[1].decode() not in self._bin:
            return data
        line = b"#!%b/bin/%b%b" % (self._dest.encode(), match[1], match[2] or b"")
        if len(line) > _MAX_SHEBANG or b" " in self._dest.encode():
            return data
        return line + data[match.end() :]
