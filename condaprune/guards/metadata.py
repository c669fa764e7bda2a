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
                homes = [owner.path] if listed else self._brought.get(owner.path, [])
                for home in _take(homes, path):
                    if home in self._metadata:
                        because = f"{path} of {owner.name} stays"
                        yield from self.rescue(self._metadata.pop(home), because, path)

    def begin(self) -> Iterator[Veto]:
        """Distributions of which no code is known cannot be seen to go: they stay."""
        if not self._metadata:
            return
        owners = self.scene.inventory.owners
        # By the conda packages that own the metadata, and by the folders it lies in.
        brought: dict[str, dict[str, list[str]]] = {}
        for home, paths in self._metadata.items():
            found = chain(*(owners.get(path, ()) for path in paths))
            for record in {owner.path: 0 for owner in found if isinstance(owner, Record)}:
                brought.setdefault(record, {}).setdefault(parent(home), []).append(home)
        unseen = {record: {f: list(h) for f, h in by.items()} for record, by in brought.items()}
        listed: set[str] = set()
        packaged: set[str] = set()
        for path, its_owners in owners.items():
            for owner in its_owners:
                if isinstance(owner, Distribution):
                    if is_code(path, owner.path):
                        listed.add(owner.path)
                    continue
                for folder, homes in unseen.get(owner.path, {}).items():
                    if homes and path.startswith(folder + "/"):
                        packaged.update(_take(homes, path))
        for record, by_folder in brought.items():
            self._brought[record] = [h for h in chain(*by_folder.values()) if h in packaged]
        for home in sorted(self._metadata.keys() - listed - packaged):
            because = "its distribution lists no files: it may be in use"
            yield from self.rescue(self._metadata.pop(home), because)


def wanted(name: str) -> bool:
    """Whether a file of a metadata folder is read by programs, or is a licence."""
    last = name.rpartition("/")[2]
    return name in _FILES or name.startswith("licenses/") or LICENCE.match(last) is not None


def _take(homes: list[str], path: str) -> list[str]:
    """Those of *homes* whose distribution a file shows to be there. They are taken off the list:
    a package may bring thousands."""
    if not homes or not _counts(path):
        return []
    taken = [home for home in homes if not _lies_in(path, home)]
    homes[:] = [home for home in homes if _lies_in(path, home)]
    return taken


def is_code(path: str, home: str) -> bool:
    """Whether a file makes its distribution (with metadata at *home*) one that is there."""
    return _counts(path) and not _lies_in(path, home)


def _lies_in(path: str, home: str) -> bool:
    return path == home or path.startswith(f"{home}/")


def _counts(path: str) -> bool:
    if path.startswith(_ASIDE):
        return False
    return not path.endswith((".pyc", ".pyo")) or not parent(path).endswith("__pycache__")
