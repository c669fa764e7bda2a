"""The protocol of guards and what they share.

A guard is shown the kept files and links of an environment, batch by batch, and names the
candidates that these need. What a guard says may depend on the batch and on the candidates alone,
never on the order of batches: then the outcome is one and the same whatever order guards run in.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from condaprune.evidence.facts import Facts
from condaprune.evidence.modules import Modules
from condaprune.evidence.once import Once
from condaprune.evidence.prefilter import Word
from condaprune.evidence.pysource import PythonFacts
from condaprune.evidence.removal import Removal
from condaprune.evidence.tree import Tree
from condaprune.model import Inventory, Veto
from condaprune.sources.kinds import FileKind


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What the guards found.

    `vetoes` maps each rescued entry to the first reason found; a folder among them stays even
    when all that lies in it goes. `ran` names the guards that looked, `notes` are findings that
    the user should see, one sentence each. `taken` has the entries that go by another rule than
    their first, since that is vetoed, with the id of that rule.
    """

    vetoes: Mapping[str, Veto]
    ran: tuple[str, ...]
    notes: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prospect:
    """An environment and what may go from it, before any file is read.

    `candidates` maps what a rule or the user wants to remove (files, links, emptied folders) to
    what wants it; it does not change while guards run.
    """

    inventory: Inventory
    candidates: Mapping[str, Removal]
    modules: Modules


@dataclass(frozen=True, slots=True)
class Scene(Prospect):
    """What every guard can look at: the prospect, and what the files say."""

    tree: Tree
    facts: Facts

    def below(self, folder: str) -> Iterator[str]:
        """The candidates that are files or links anywhere below a folder."""
        entries = self.inventory.entries
        for path in self.tree.candidates_below(folder):
            if entries[path].kind != "folder":
                yield path

    def code(self, paths: Iterable[str]) -> Iterator[tuple[str, PythonFacts]]:
        """Those of *paths* that are Python files with something to say, and what they say."""
        python = self.facts.python
        for path in paths:
            facts = python.get(path)
            if facts is not None:
                yield path, facts


class Guard(ABC):
    """One safety check, made anew for each examination.

    `words` are what it looks for in Python files, `reads` the kinds of other files that it goes by.
    """

    name: ClassVar[str]
    """How reports and ``--no-guard`` name it: its class, in small letters."""
    words: ClassVar[tuple[Word, ...]] = ()
    reads: ClassVar[tuple[FileKind, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__.lower()

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._once = Once()
        self.candidates = scene.candidates
        self.entries = scene.inventory.entries

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        """Whether its words and files matter for what may go; if not, nothing is read for it."""
        return True

    @classmethod
    def searched(cls, prospect: Prospect) -> frozenset[str]:
        """The shared libraries that have to be searched for a compiler of C."""
        return frozenset()

    def begin(self) -> Iterator[Veto]:
        """The candidates that are needed whatever else is kept; asked once, before any batch."""
        return iter(())

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        """The candidates that the kept files and links of *batch* need, each with what was seen.

        Called first with all that no rule wants, then with what other vetoes rescued. Naming a
        candidate twice does no harm; other paths are ignored.
        """
        return iter(())

    def notes(self) -> Iterator[str]:
        """Findings for the user, after the last batch."""
        return iter(())

    def rescue(
        self, targets: Iterable[str], because: str, needs: str = "", *, general: bool = False
    ) -> Iterator[Veto]:
        """A veto for each target; with *general* only where no rule about a package takes it."""
        for target in targets:
            if not (general and self.candidates[target].packages):
                yield Veto(target, because, needs)

    def needed(
        self, targets: tuple[str, ...], because: str, needs: str, but: str = ""
    ) -> Iterator[Veto]:
        """A veto for each of *targets* in a tuple of the facts, *but* the file that asks."""
        yield from self.rescue(self._once.of(targets, but), because, needs)

    def names_in_code(self, batch: Iterable[str]) -> Iterator[Veto]:
        """The files that code of *batch* names in strings."""
        for path, facts in self.scene.code(batch):
            for edge in facts.data:
                yield from self.needed(edge.targets, f"{path}:{edge.line} {edge.text}", path)
