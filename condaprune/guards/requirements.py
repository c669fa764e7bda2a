"""setuptools stays with a package that declares that it needs it.

Old programs import ``pkg_resources`` where nothing shows it: in a plug-in that is loaded when it
is first used, in a script outside of the prefix. What is declared is the only evidence. A rule
that removes the package whole gives way to it; the user's own options mean what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.guards.metadata import is_code
from condaprune.model import Distribution, Owner, Veto
from condaprune.names import canonical_name, required_name, spec_name

_NEEDED = "setuptools"


class Requirements(Guard):
    """Rescues setuptools where a package that stays declares it."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._needed = [
            path
            for path, removal in self.candidates.items()
            if removal.whole and _NEEDED in removal.packages and self.entries[path].kind != "folder"
        ]
        packages = scene.inventory.packages if self._needed else ()
        self._users = {owner.path: owner for owner in packages if _declares(owner)}
        self._goes = bool(self._needed)

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._users or not self._goes:
            return
        owners = self.scene.inventory.owners
        for path in batch:
            for owner in owners.get(path, ()):
                if owner.path in self._users and is_code(path, owner.path):
                    because = f"{owner.label} declares that it needs {_NEEDED}"
                    yield from self.rescue(self._needed, because, path)
                    self._goes = False
                    return

    def notes(self) -> Iterator[str]:
        if self._goes and self._users:
            names = sorted({owner.name for owner in self._users.values()})
            declare, they = ("declares", "it goes") if len(names) == 1 else ("declare", "they go")
            listed = ", ".join(names)
            yield f"{_NEEDED} goes; {listed} {declare} that it is needed, and {they} too"


def _declares(owner: Owner) -> bool:
    """Whether a package other than setuptools itself declares that it needs it."""
    if isinstance(owner, Distribution):
        names = set(map(required_name, owner.requires))
    else:
        names = set(map(spec_name, owner.depends))
    return _NEEDED in names and canonical_name(owner.name) != _NEEDED
