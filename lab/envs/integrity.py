"""Noticing that something wrote into what was only to be read."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a folder holds, told by kind, size, date and link target; reads no contents.

    New bytecode is no change: Python writes it whenever it finds none that fits.
    """

    entries: Mapping[str, str]

    @classmethod
    def take(cls, root: Path) -> Snapshot:
        """Look at everything under `root`."""
        return cls(dict(_entries(str(root), len(str(root)) + 1)))

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Read what `save` wrote."""
        return cls(json.loads(path.read_text("utf-8")))

    def save(self, path: Path) -> None:
        """Write the snapshot to a file."""
        path.write_text(json.dumps(dict(self.entries)), "utf-8")

    def changes(self, later: Snapshot) -> list[str]:
        """What a later snapshot has differently, one line for each path."""
        lines = [f"gone: {path}" for path in self.entries.keys() - later.entries.keys()]
        lines += [f"new: {path}" for path in later.entries.keys() - self.entries.keys()]
        common = self.entries.keys() & later.entries.keys()
        lines += [
            f"changed: {path}" for path in common if self.entries[path] != later.entries[path]
        ]
        return sorted(lines)


def _entries(folder: str, cut: int) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _entries(entry.path, cut)
                continue
            state = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(state.st_mode):
                told = f"-> {os.readlink(entry.path)}"
            else:
                told = f"{state.st_mode:o} {state.st_size} {state.st_mtime_ns}"
            yield entry.path[cut:], told
