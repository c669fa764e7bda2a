"""The checks of the differential proof: one file each, and one line here that registers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from condaprune.errors import UsageProblem, nearest

if TYPE_CHECKING:
    from condaprune.live.verify.results import Outcome
    from condaprune.live.verify.subject import Pair

# name -> module and class; the cheap ones first, since they explain most of what others find
_CHECKS = {
    "links": ("links", "LinksCheck"),
    "elf": ("elf", "ElfCheck"),
    "metadata": ("metadata", "MetadataCheck"),
    "environment": ("activation", "ActivationCheck"),
    "unpack": ("unpack", "UnpackCheck"),
    "commands": ("commands", "CommandsCheck"),
    "imports": ("imports", "ImportsCheck"),
}
NAMES = tuple(_CHECKS)


class Check(Protocol):
    """One kind of proof: it compares after with what worked before, never with zero.

    `runs_code` says whether it runs anything of the environments; if no check does, not even
    their Python is asked to describe itself.
    """

    name: str
    runs_code: bool

    def run(self, pair: Pair) -> Outcome:
        """The losses, and what could not be checked; it writes into neither environment."""
        ...


def choose_checks(names: Sequence[str]) -> Iterator[Check]:
    """The checks of these names (all if there are none), in the order of `NAMES`.

    Errors: `UsageProblem` for an unknown name.
    """
    for name in names:
        if name not in NAMES:
            raise UsageProblem(f"there is no check {name!r}", remedy=nearest(name, NAMES))
    for name, (module, check) in _CHECKS.items():
        if not names or name in names:
            yield getattr(import_module(f"{__name__}.{module}"), check)()
