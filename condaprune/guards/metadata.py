"""A distribution of which code is kept keeps what ``importlib.metadata`` reads.

Programs look up versions and plug-ins there, often while they are imported; some go on silently
without. Licences stay with the code as well. A distribution that goes whole may take its metadata
along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from condaprune.guards.base import Guard, Scene
from condaprune.model import Distribution, Veto, parent

FILES = frozenset(
    {
        "METADATA",
        "PKG-INFO",
        "RECORD",
        "entry_points.txt",
        "top_level.txt",
        "direct_url.json",
        "namespace_packages.txt",
        "requires.txt",
        "installed-files.txt",
    }
)
"""What is read by ``importlib.metadata``, by pkg_resources and by pip."""

LICENCE = re.compile(r"(?:licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
"""Files that must go with every copy of the code, by the start of their name."""

_ASIDE = ("share/doc/", "share/man/", "share/info/", "man/", "doc/")


class Metadata(Guard):
    """Rescues the metadata of distributions that are still there."""

    name = "metadata"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        inventory = scene.inventory
        self._doomed: dict[str, list[str]] = {}
        for distribution in inventory.distributions:
            home = distribution.path
            inside = [home] if home in scene.candidates else []
            inside += scene.below(home)
            needed = [
                path
                for path in inside
                if self.entries[path].kind != "folder"
                and (path == home or wanted(path[len(home) + 1 :]))
            ]
            if needed:
                self._doomed[home] = needed
        self._first = True

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._doomed:
            return
        if self._first:
            self._first = False
            yield from self._without_code()
        owners = self.scene.inventory.owners
        for path in batch:
            held = owners.get(path)
            if held is None:
                continue
            for owner in held:
                if isinstance(owner, Distribution) and owner.path in self._doomed:
                    if not is_code(path, owner.path):
                        continue
                    for target in self._doomed.pop(owner.path):
                        yield Veto(target, f"{path} of {owner.name} stays", path)

    def _without_code(self) -> Iterator[Veto]:
        """Distributions of which no code is known cannot be seen to go: they stay."""
        living: set[str] = set()
        for path, held in self.scene.inventory.owners.items():
            for owner in held:
                if isinstance(owner, Distribution) and is_code(path, owner.path):
                    living.add(owner.path)
        for home in [home for home in self._doomed if home not in living]:
            for target in self._doomed.pop(home):
                yield Veto(target, "no files of this distribution are known: it may be in use")


def wanted(name: str) -> bool:
    """Whether a file of a metadata folder is read by programs, or is a licence."""
    last = name.rpartition("/")[2]
    return name in FILES or name.startswith("licenses/") or LICENCE.match(last) is not None


def is_code(path: str, home: str) -> bool:
    """Whether a file makes its distribution (with metadata at *home*) one that is there."""
    if path == home or path.startswith(home + "/") or path.startswith(_ASIDE):
        return False
    return not path.endswith((".pyc", ".pyo")) or not parent(path).endswith("__pycache__")
