"""A path that two packages own goes only when the rule is about both of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from condaprune.evidence.scene import Guard
from condaprune.model import Owner, Record, Veto
from condaprune.names import canonical_name


class Shared(Guard):
    """Rescues what a rule for one package would take from another."""

    def begin(self) -> Iterator[Veto]:
        owners = self.scene.inventory.owners
        for path, removal in self.candidates.items():
            sharing = owners.get(path, ()) if removal.packages else ()
            if len(sharing) > 1:
                for other in _others(sharing, removal.packages):
                    yield Veto(path, f"{other.label} owns it too, and the rule does not name that")


def _others(owners: Sequence[Owner], named: frozenset[str]) -> Iterator[Owner]:
    """The owners a rule does not name, among the conda packages and among the distributions.

    A conda package and the distribution it ships are one thing under two names.
    """
    for kind in (True, False):
        alike = [owner for owner in owners if isinstance(owner, Record) is kind]
        if len(alike) > 1:
            yield from (owner for owner in alike if canonical_name(owner.name) not in named)
