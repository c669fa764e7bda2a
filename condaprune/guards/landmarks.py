"""Files and folders that are looked for by place, and modules that only C code imports.

Python finds its home by ``os.py`` and ``lib-dynload``; conda and libraries recognise an
environment by ``conda-meta/history``; the interpreter's own C code imports some modules by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from condaprune.evidence.knowledge import ImportedFromC, Landmark, table
from condaprune.evidence.scene import Guard
from condaprune.model import Veto

_INTERPRETER = re.compile(r"(?:python|pypy)\d*(?:\.\d+)?t?")
_TESTS = re.compile(r"/(?:tests?|idle_test)(?:/|$)")


class Landmarks(Guard):
    """Rescues what is found by its place."""

    def begin(self) -> Iterator[Veto]:
        layout = self.scene.inventory.layout
        for row in table(Landmark):
            yield from self.rescue(row.paths, row.reason)
        for folder in layout.roots.get("bin", ()):
            for path in self.scene.below(folder):
                if _INTERPRETER.fullmatch(path[len(folder) + 1 :]):
                    yield Veto(path, "the interpreter")
        for folder in layout.stdlib:
            yield from self._stdlib(folder)

    def _stdlib(self, folder: str) -> Iterator[Veto]:
        yield Veto(f"{folder}/lib-dynload", "Python finds its home by this folder")
        if not any(f"{folder}/{name}" in self.entries for name in ("os.py", "os.pyc")):
            return
        reasons = {name: row.reason for row in table(ImportedFromC) for name in row.modules.split()}
        for path in self.scene.below(folder):
            rest = path[len(folder) + 1 :]
            top, slash, _ = rest.partition("/")
            if top == "site-packages" or "__pycache__" in rest:
                continue
            stem = top if slash else top.partition(".")[0]
            if stem.startswith("_sysconfigdata") and path.endswith((".py", ".pyc")):
                yield Veto(path, "sysconfig imports it by a computed name")
            elif stem in reasons and self.scene.modules.is_needed(path) and not _TESTS.search(rest):
                home = "Python finds its home by it"
                yield Veto(path, home if rest == "os.py" else reasons[stem])
