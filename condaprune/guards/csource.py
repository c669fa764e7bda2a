"""C, C++ and Fortran files of packages stay unless something shows that they are leftovers.

Templates (jitcode), headers that are compiled with at run time (emlearn) and sources that are
copied into generated projects (litex, hls4ml) look like what an extension module was built from.
So general rules about headers and sources take only what a build can be seen to have left
(`csource` of the evidence). Files that others of the distribution include by name (SWIG's library)
stay in any case. The sources of tests are for the rules about tests.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from condaprune.evidence.prefilter import Word
from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.model import Veto
from condaprune.paths import to_bytes
from condaprune.sources.kinds import C_ENDINGS, C_SOURCE, INCLUDING

if TYPE_CHECKING:
    from condaprune.evidence.csource import Sources

_CATEGORIES = frozenset({"headers", "source"})
_TESTS = re.compile(r"(?!.*/[\w-]*templates?/).*/tests?/")
"""A folder of tests, but for one in a project that is there to be copied."""
_OFFERS = "get_include"
_MOST = 64 << 20
"""How many bytes of extension modules of one distribution are searched for names."""


class Csource(Guard):
    """Rescues C files that nothing shows to be leftovers of a build."""

    words = (Word(_OFFERS, b"def get_include"),)
    reads = (C_SOURCE, INCLUDING)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sources: dict[str, Sources] = {}
        files = list(_files(scene))
        if files:
            self._prepare(files)

    def _prepare(self, files: Sequence[str]) -> None:
        """Find what the build of each distribution may have left, and ask for what may show it."""
        from condaprune.evidence.csource import find_sources  # few environments have such files

        scene = self.scene
        self._sources = find_sources(scene.inventory, files)
        for sources in self._sources.values():
            known = sources.leftovers_by_name(scene.inventory)
            unknown = [path for path in sources.files if path not in known]
            if any(sources.readable(path, scene.inventory) for path in unknown):
                scene.facts.ask((*sources.files, *sources.cython))
            scene.facts.ask(path for path in sources.including if path not in scene.candidates)

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        return next(_files(prospect), None) is not None

    def begin(self) -> Iterator[Veto]:
        offers = self._offers() if self._sources else set()
        for name, sources in self._sources.items():
            leftovers = self._leftovers(sources, name in offers)
            unknown = [path for path in sources.files if path not in leftovers]
            because = f"nothing shows that a build of {name} left it over: it may be data"
            yield from self.rescue(unknown, because)
            yield from self._included(sources, leftovers)

    def _offers(self) -> set[str]:
        """The distributions with a function that tells builds of others where headers are."""
        from condaprune.evidence.csource import distribution_of

        owners = self.scene.inventory.owners
        return {
            distribution_of(owners.get(path, ()))
            for path, facts in self.scene.facts.python.items()
            if _OFFERS in facts.words and path not in self.candidates
        }

    def _leftovers(self, sources: Sources, offers: bool) -> set[str]:
        from condaprune.evidence.csource import included_from, offered

        found = sources.leftovers_by_name(self.scene.inventory)
        if offers:
            found.update(filter(offered, sources.files))
        open_ = [p for p in sources.files if p not in found]
        if not any(sources.readable(path, self.scene.inventory) for path in open_):
            return found
        facts = self.scene.facts
        facts.load([*sources.files, *sources.cython])
        found.update(included_from(found, sources, facts.c))
        found |= self._compiled([p for p in open_ if p not in found], sources)
        return found

    def _compiled(self, files: Sequence[str], sources: Sources) -> set[str]:
        """Those of *files* that an extension module above them says something of."""
        from condaprune.evidence.csource import compiled_in

        modules = dict.fromkeys(module for path in files for module in sources.near(path))
        if not modules or sum(self.entries[path].size for path in modules) > _MOST:
            return set()
        facts = self.scene.facts
        words = {f"/{path.rpartition('/')[2]}" for path in files}
        words.update(*(facts.c[path].functions for path in files if path in facts.c))
        said = facts.mentions(list(modules), [Word(word, word.encode()) for word in sorted(words)])
        return compiled_in(files, facts.c, said)

    def _included(self, sources: Sources, leftovers: set[str]) -> Iterator[Veto]:
        """What files that stay include by name."""
        from condaprune.evidence.csource import named_in

        files: dict[bytes, list[str]] = defaultdict(list)
        for path in sources.files:
            if path in leftovers:
                files[to_bytes(path.rpartition("/")[2])].append(path)
        self.scene.facts.load(sources.including)
        for path in sources.including if files else ():
            text = self.scene.facts.text.get(path, b"")
            if path not in self.candidates and text:
                named = [p for name in named_in(text) for p in files.pop(name, ())]
                yield from self.rescue(named, f"{path} names it", path)


def _files(prospect: Prospect) -> Iterator[str]:
    """The C files in packages that a general rule about headers or sources takes."""
    removals = set(prospect.candidates.values())
    general = {r for r in removals if r.category in _CATEGORIES and not r.packages}
    for path, removal in prospect.candidates.items() if general else ():
        source = removal in general and path.endswith(C_ENDINGS) and C_SOURCE.within in path
        if source and not _TESTS.match(path):
            yield path
