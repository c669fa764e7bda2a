"""A distribution of which code is kept keeps what ``importlib.metadata`` reads.

Programs look up versions and plug-ins there, often while they are imported; some go on silently
without. Licences stay with the code as well. A distribution that goes whole may take its metadata
along. Where a distribution lists no files (``setup.py install`` wrote no RECORD), those of the
conda package that brought it show whether it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Distribution, Record, Veto
from condaprune.paths import parent

_FILES = frozenset(
    "METADATA PKG-INFO RECORD entry_points.txt top_level.txt direct_url.json "
    "namespace_packages.txt requires.txt installed-files.txt".split()
)
"""What is read by ``importlib.metadata``, by pkg_resources and by pip."""

LICENCE = re.compile(r"(?:licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
"""Files that must go with every copy of the code, by the start of their name."""

_ASIDE = ("conda-meta/", "share/doc/", "share/man/", "share/info/", "man/", "doc/")


class Metadata(Guard):
    """Rescues the metadata of distributions that are still there."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._metadata: dict[str, list[str]] = {}
        for distribution in scene.inventory.distributions:
            home = distribution.path
            needed = [path for path in scene.below(home) if wanted(path[len(home) + 1 :])]
            if home in scene.candidates and self.entries[home].kind != "folder":
                needed.append(home)
            if needed:
                self._metadata[home] = needed
        self._brought: dict[str, list[str]] = {}

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._metadata:
            return
        owners = self.scene.inventory.owners
        for path in batch:
            for owner in owners.get(path, ()):
                listed = isinstance(owner, Distribution)
                for home in (owner.path,) if listed else self._brought.get(owner.path, ()):
                    if home in self._metadata and is_code(path, home):
                        because = f"{path} of {owner.name} stays"
                        yield from self.rescue(self._metadata.pop(home), because, path)

    def begin(self) -> Iterator[Veto]:
        """Distributions of which no code is known cannot be seen to go: they stay."""
        if not self._metadata:
            return
        owners = self.scene.inventory.owners
        brought: dict[str, list[str]] = {}  # by the conda packages that own the metadata
        for home, paths in self._metadata.items():
            found = chain(*(owners.get(path, ()) for path in paths))
            for record in {owner.path: 0 for owner in found if isinstance(owner, Record)}:
                brought.setdefault(record, []).append(home)
        listed: set[str] = set()
        packaged: set[str] = set()
        for path, its_owners in owners.items():
            for owner in its_owners:
                if isinstance(owner, Distribution):
                    if is_code(path, owner.path):
                        listed.add(owner.path)
                    continue
                for home in brought.get(owner.path, ()):
                    if path.startswith(parent(home) + "/") and is_code(path, home):
                        packaged.add(home)
        for record, homes in brought.items():
            self._brought[record] = [home for home in homes if home in packaged]
        for home in sorted(self._metadata.keys() - listed - packaged):
            because = "its distribution lists no files: it may be in use"
            yield from self.rescue(self._metadata.pop(home), because)


def wanted(name: str) -> bool:
    """Whether a file of a metadata folder is read by programs, or is a licence."""
    last = name.rpartition("/")[2]
    return name in _FILES or name.startswith("licenses/") or LICENCE.match(last) is not None


def is_code(path: str, home: str) -> bool:
    """Whether a file makes its distribution (with metadata at *home*) one that is there."""
    if path == home or path.startswith((home + "/", *_ASIDE)):
        return False
    return not path.endswith((".pyc", ".pyo")) or not parent(path).endswith("__pycache__")
