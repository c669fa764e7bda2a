"""The protocol of guards and what they share.

A guard is shown the kept files and links of an environment, batch by batch, and names the doomed
ones that these need. What a guard says may depend on the batch and on the candidates alone, never
on the order of batches: then the outcome is one and the same whatever order guards run in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from condaprune.evidence.facts import Facts
from condaprune.evidence.modules import Modules
from condaprune.evidence.scope import Scopes
from condaprune.evidence.tree import Tree
from condaprune.model import Inventory, Veto


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What the guards found.

    `vetoes` maps each rescued entry to the first reason found; a folder among them stays even
    when all that lies in it goes. `ran` names the guards that looked, `notes` are findings that
    the user should see, one sentence each.
    """

    vetoes: Mapping[str, Veto]
    ran: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What every guard can look at.

    `candidates` maps what a rule or the user wants to remove (files, links, emptied folders) to
    the rule's id; it does not change while guards run. `scopes` tells how closely a rule names
    what it removes.
    """

    inventory: Inventory
    candidates: Mapping[str, str]
    scopes: Scopes
    tree: Tree
    modules: Modules
    facts: Facts

    def below(self, folder: str) -> Iterator[str]:
        """The candidates that are files or links anywhere below a folder."""
        entries = self.inventory.entries
        for path in self.tree.candidates_below(folder):
            if entries[path].kind != "folder":
                yield path


class Guard(ABC):
    """One safety check, made anew for each examination."""

    name: ClassVar[str]
    """How reports and ``--no-guard`` name it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.candidates = scene.candidates
        self.entries = scene.inventory.entries

    @abstractmethod
    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        """The candidates that the kept files and links of *batch* need, each with what was seen.

        Called first with all that no rule wants, then with what other vetoes rescued. Naming a
        candidate twice does no harm; naming what is no candidate is ignored.
        """
        ...

    def notes(self) -> Iterator[str]:
        """Findings for the user, after the last batch."""
        return iter(())
