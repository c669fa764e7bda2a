"""A package goes whole or not at all.

Where a rule (or the user) removes a package as a whole and something needs a part of it, the rest
is hardly dispensable: the part may come to ask for it in ways that cannot be read. setuptools, for
one, puts its own ``_distutils`` in the place of the standard library's by an import hook.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.removal import Removal
from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Veto

_Group = tuple[Removal, frozenset[str]]


class Whole(Guard):
    """Rescues the rest of a package that was to go as a whole and cannot."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._groups: dict[_Group, list[str]] = {}
        for path, removal in self.candidates.items():
            if removal.whole:
                self._groups.setdefault(self._group(path, removal), []).append(path)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._groups:
            return
        for path in batch:
            removal = self.candidates.get(path)
            if removal is not None and removal.whole:
                because = f"{path} is needed, and a package goes whole or not at all"
                targets = self._groups.pop(self._group(path, removal), ())
                yield from self.rescue(targets, because, path)

    def _group(self, path: str, removal: Removal) -> _Group:
        """The rule and the packages by name: a record and its distribution are one package."""
        return removal, frozenset(owner.name for owner in self.scene.inventory.owners_of(path))
