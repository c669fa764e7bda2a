"""A folder named test or tests is not always a test suite.

It holds plug-ins (``ansible/plugins/test``), the modules of a command (``hatch/cli/test``) or the
skeleton of a project that a tool copies (``galaxy/data/default/role/tests``). A suite of a package
lies beside modules and has a file that is named like a test; a folder without either stays. So do
tests, documentation and ``.gitignore`` of what lies in a folder of templates, which is there to be
copied, and the data of tests where code that is not a test joins the path of that folder (examples
of obspy and nibabel). Rules that are limited to a package know better.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from condaprune.evidence.prefilter import Word
from condaprune.evidence.scene import Guard, Prospect, Scene
from condaprune.model import Veto
from condaprune.paths import parent

_SUITE = re.compile(r"/tests?/")
_TEST = re.compile(
    r"(?:test.*|[^_].*_?tests?|.*Tests?|conftest|run_?tests?)\.(?:py|pyx|so|[\w-]+\.so)|conftest\..*"
)
_TEMPLATE = re.compile(
    r"/(?:[\w-]*[_-])?(?:templates?|skeletons?|scaffolds?|cookiecutters?|starters?)(?:[_-][\w-]*)?/"
    r"|/[^/]*\{\{[^/]*/"
)
_COPIED = frozenset({"tests", "docs", "leftovers"})
"""Categories of rules that take parts of a project which lies there to be copied."""
_DATA = "the data of tests"
_JOINED = re.compile(
    rb"""^(?![ \t]*(?:>>>|\.\.\.|#)).*(?:["']tests["'](?:, | / )["']data["']|["'/]tests/data)""",
    re.MULTILINE,
)
"""Code that joins the path of a folder with data of tests; examples in docstrings do not count."""
_JOINS = (b"'tests', 'data'", b'"tests", "data"', b"'tests' / 'data'", b'"tests" / "data"')
_ASIDE = re.compile(r"/(?:tests?|docs?|examples?|_precompute)/|/(?:conftest|setup\w*)\.py$")
_CODE = (".py", ".pyx", ".so", ".pyd")


class Suites(Guard):
    """Rescues folders that are named like test suites but are not."""

    words = tuple(Word(_DATA, text, also=_JOINED.search) for text in (*_JOINS, b"tests/data"))

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sites = tuple(f"{site}/" for site in scene.inventory.layout.site)
        self._found = self._folders()
        self._waiting: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        """The ``__init__`` of packages that may go, and what stays in them if they do not."""
        self._unseen = sorted(self._found)

    @classmethod
    def concerned(cls, prospect: Prospect) -> bool:
        return any("/tests/data/" in path for path in prospect.candidates)

    def begin(self) -> Iterator[Veto]:
        yield from self._templates()
        yield from self._no_suites()

    def look(self, batch: Sequence[str]) -> Iterator[Veto]:
        for path in batch if self._waiting else ():
            for files, because in self._waiting.pop(path, ()):
                yield from self.rescue(_sources(files), because, path)
        if self._found:
            for path, facts in self.scene.code(batch):
                if _DATA in facts.words and not _ASIDE.search(path):
                    yield from self._data(path)

    def _data(self, path: str) -> Iterator[Veto]:
        """Test data below the package above the file's own: helpers often have a package apart."""
        home = parent(path)
        above = f"{home if parent(home) in self.scene.modules.roots else parent(home)}/"
        because = f"{path} joins the path of a tests/data folder"
        for folder in self._below(above):
            data = (p for p in self._found[folder] if p.startswith(f"{folder}/data/"))
            yield from self.rescue(_sources(data), because, path)

    def _below(self, above: str) -> Iterator[str]:
        """The folders below one, each given once."""
        at = bisect_left(self._unseen, above)
        end = bisect_left(self._unseen, above[:-1] + chr(ord("/") + 1))
        yield from self._unseen[at:end]
        del self._unseen[at:end]

    def _no_suites(self) -> Iterator[Veto]:
        homes = set(map(parent, self._found))
        data = {home for home in homes if f"{home}/__init__.py" not in self.entries}
        if data:
            code = {parent(path) for path in self.entries if path.endswith(_CODE)}
            data -= code
            for folder in code if data else ():
                if parent(folder) in data and not _SUITE.search(f"{folder}/"):
                    data.discard(parent(folder))  # a package without modules of its own
        suites = self._suites()
        for folder, files in self._found.items():
            if parent(folder) in data:
                because = f"{parent(folder)} is a data folder, and this is part of it"
            elif folder not in suites:
                because = f"nothing in {folder} is named like a test"
            else:
                continue
            home = f"{parent(folder)}/__init__.py"
            if home in self.candidates:
                self._waiting[home].append((files, because))
            else:
                yield from self.rescue(_sources(files), because)

    def _suites(self) -> set[str]:
        """The folders that have tests in them, or no file but those of empty packages."""
        suites: set[str] = set()
        unclear: set[str] = set()
        for folder, files in self._found.items():
            tested = any(_TEST.fullmatch(path.rpartition("/")[2]) for path in files)
            (suites if tested else unclear).add(folder)
        if not unclear:
            return suites
        # Which files may go is not the folder's own doing: all that lie in it count.
        homes = {"": "", **{folder: folder for folder in unclear}}
        filled: set[str] = set()
        for path, entry in self.entries.items():
            home = _home(parent(path), homes)
            if home and entry.kind != "folder" and not path.endswith(("/__init__.py", ".pyc")):
                filled.add(home)
                if _TEST.fullmatch(path.rpartition("/")[2]):
                    suites.add(home)
        return suites | (unclear - filled)

    def _templates(self) -> Iterator[Veto]:
        for path, removal in self.candidates.items():
            if removal.category in _COPIED and not path.endswith(".pyc"):
                match = _TEMPLATE.search(path)
                if not match or _SUITE.search(path, 0, match.start() + 1):
                    continue  # templates for tests are tests
                if path.startswith(self._sites) and not removal.packages:
                    yield Veto(path, f"{path[: match.end() - 1]} is there to be copied")

    def _folders(self) -> dict[str, list[str]]:
        """The outermost such folders inside packages that a general rule takes, with all files."""
        found: dict[str, list[str]] = defaultdict(list)
        for path, removal in self.candidates.items():
            if removal.category == "tests" and not removal.packages:
                site = next(filter(path.startswith, self._sites), "")
                top = path.find("/", len(site)) if site else -1
                match = _SUITE.search(path, top) if top >= 0 else None
                if match and self.entries[path].kind != "folder":
                    found[path[: match.end() - 1]].append(path)
        return found


def _sources(paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if not path.endswith(".pyc"))


def _home(folder: str, homes: dict[str, str]) -> str:
    """The folder of *homes* that a folder lies in, or is; empty for none. It is noted in *homes*
    for all on the way."""
    passed = []
    while folder not in homes:
        passed.append(folder)
        folder = parent(folder)
    homes.update(dict.fromkeys(passed, homes[folder]))
    return homes[folder]
