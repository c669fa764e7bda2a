"""A path that two packages own goes only when the rule is about both of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard, Scene
from condaprune.model import Owner, Record, Veto
from condaprune.names import canonical_name


class Shared(Guard):
    """Rescues what a rule for one package would take from another."""

    name = "shared"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._first = True

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        if not self._first:
            return
        self._first = False
        owners = self.scene.inventory.owners
        for path, rule in self.candidates.items():
            held = owners.get(path, ())
            if len(held) < 2:
                continue
            named = self.scene.scopes.packages(rule)
            if not named:
                continue
            for other in _others(held, named):
                yield Veto(path, f"{other.label} owns it too, and the rule is not about that")


def _others(held: Sequence[Owner], named: frozenset[str]) -> Iterator[Owner]:
    """The owners a rule does not name, among the conda packages and among the distributions.

    A conda package and the distribution it ships are one thing under two names.
    """
    for kind in (True, False):
        alike = [owner for owner in held if isinstance(owner, Record) is kind]
        if len(alike) > 1:
            yield from (owner for owner in alike if canonical_name(owner.name) not in named)
