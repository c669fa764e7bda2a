"""The structure of the package: no import cycle, no import against the flow, folders documented.

Every import counts: inside functions, under ``TYPE_CHECKING``, and ``import_module`` of a literal.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import condaprune
from condaprune.guards import GUARDS

ROOT = Path(__file__).parents[1]
Arrow = tuple[str, str]

# A module imports only from its own line or the lines above it.
FLOW = (
    (
        "errors",
        "paths",
        "names",
        "version",
        "targets",
        "files",
        "parse",
        "private",
        "proc",
        "rule",
        "edit",
        "model",
    ),
    ("formats",),
    ("sources",),
    ("ruleset",),
    ("request",),
    ("evidence",),
    ("guards",),
    ("traces",),
    ("planning",),
    ("sinks",),
    ("live",),
    ("report",),
    ("app", "api"),
    ("cli",),
    ("", "__main__", "conda_plugin"),  # the doors; "" is condaprune/__init__.py
)
MOST_LINES = 350
# What is still wrong. An entry that is right by now fails the tests too, so these only shrink.
PENDING: set[Arrow] = set()
PENDING_LINES: set[str] = set()
PENDING_NAMES: set[str] = set()


class Package:
    """The modules of a package, named without the package (``sources.walk``), and its imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules = {_module(folder, path): path for path in sorted(folder.rglob("*.py"))}
        self.arrows: set[Arrow] = set()
        for module, path in self.modules.items():
            tree = ast.parse(path.read_text("utf-8"), str(path))
            targets = {target for name in _imported(tree, self._base(module)) for target in
                       self._targets(name)}  # fmt: skip
            self.arrows |= {(module, target) for target in targets if target != module}

    def _base(self, module: str) -> str:
        """The full name of the package that relative imports of *module* start from."""
        full = f"{self.folder.name}.{module}" if module else self.folder.name
        return full if self.modules[module].name == "__init__.py" else full.rpartition(".")[0]

    def _targets(self, name: str) -> Iterator[str]:
        """The module that an imported dotted name means: the longest prefix that is a module."""
        top, _, rest = name.partition(".")
        if top != self.folder.name:
            return
        while rest and rest not in self.modules:
            rest = rest.rpartition(".")[0]
        yield rest


def _module(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree: ast.AST, base: str) -> Iterator[str]:
    """The full dotted names that a module imports, members of modules included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = base.split(".")[: len(base.split(".")) - node.level + 1]
                start = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{start}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            first = node.args[0]
            if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield str(first.value)


def against_the_flow(arrows: Iterable[Arrow]) -> set[Arrow]:
    """The imports that lead from a line of `FLOW` to one below it.

    Errors: `KeyError` for a module that has no place in `FLOW`.
    """
    rank = {name: number for number, names in enumerate(FLOW) for name in names}
    return {
        (module, target)
        for module, target in arrows
        if rank[target.partition(".")[0]] > rank[module.partition(".")[0]]
    }


def cycles(arrows: Iterable[Arrow]) -> list[tuple[str, ...]]:
    """The groups of modules that import each other, directly or by way of others."""
    graph = _graph(arrows)
    reach = {module: _reach(module, graph) for module in graph}
    groups = {
        tuple(sorted(other for other in reach[module] if module in reach.get(other, ())))
        for module in graph
        if module in reach[module]
    }
    return sorted(groups)


def circular(arrows: Iterable[Arrow]) -> set[Arrow]:
    """The imports within `cycles`."""
    arrows = set(arrows)
    return {(a, b) for group in cycles(arrows) for a, b in arrows if a in group and b in group}


def _graph(arrows: Iterable[Arrow]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for module, target in arrows:
        graph.setdefault(module, set()).add(target)
    return graph


def _reach(module: str, graph: dict[str, set[str]]) -> set[str]:
    """All modules that *module* imports, directly or by way of others."""
    reached: set[str] = set()
    left = [module]
    while left:
        new = graph.get(left.pop(), set()) - reached
        reached |= new
        left += new
    return reached


def lengths(package: Package) -> dict[str, int]:
    """The lines of each module that has more than `MOST_LINES`."""
    counted = {
        module: len(path.read_text("utf-8").splitlines())
        for module, path in package.modules.items()
    }
    return {module: lines for module, lines in counted.items() if lines > MOST_LINES}


@pytest.fixture(scope="module")
def package() -> Package:
    return Package(ROOT / "condaprune")


def test_every_module_has_a_place_in_the_flow(package: Package) -> None:
    places = {name for names in FLOW for name in names}
    homeless = {m for m in package.modules if m.partition(".")[0] not in places}
    assert not homeless


def test_no_import_leads_against_the_flow(package: Package) -> None:
    wrong = against_the_flow(package.arrows) - PENDING
    assert not wrong, _listed(wrong)


def test_no_modules_import_each_other(package: Package) -> None:
    wrong = circular(package.arrows - PENDING)
    assert not wrong, _listed(wrong)


def test_what_is_pending_is_still_wrong(package: Package) -> None:
    mended = PENDING - against_the_flow(package.arrows) - circular(package.arrows)
    assert not mended, f"no longer wrong, take off PENDING: {_listed(mended)}"
    short = PENDING_LINES - lengths(package).keys()
    assert not short, f"no longer too long, take off PENDING_LINES: {sorted(short)}"


def test_no_module_is_too_long(package: Package) -> None:
    long = {m: lines for m, lines in lengths(package).items() if m not in PENDING_LINES}
    assert not long, f"at most {MOST_LINES} lines: {long}"


def test_the_page_of_the_architecture_has_a_row_for_each_folder(package: Package) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w/]+)/` \|", text, re.MULTILINE)
    folders = {
        path.parent.relative_to(package.folder).as_posix() for path in package.modules.values()
    }
    assert sorted(rows) == sorted(folders - {"."})


def test_the_page_of_the_architecture_has_the_flow_in_its_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)
    assert rows == [name for names in FLOW for name in names if name in rows]


def test_the_folder_of_guards_holds_guards_and_nothing_else(package: Package) -> None:
    files = {f"condaprune.{m}" for m in package.modules if m.startswith("guards.")}
    assert files == {guard.__module__ for guard in GUARDS.values()}
    assert len(files) == len(GUARDS)


def test_no_module_hides_what_the_front_door_exports(package: Package) -> None:
    """Importing ``condaprune.plan`` would replace a function `condaprune.plan` by the module."""
    hidden = {name for name in condaprune.__all__ if name in package.modules}
    assert hidden == PENDING_NAMES


def test_verify_asks_neither_guards_nor_their_evidence(package: Package) -> None:
    """A proof that shared their code would share their mistakes."""
    graph = _graph(package.arrows - PENDING)
    modules = [module for module in package.modules if module.startswith("live.verify")]
    assert modules
    asked = {target for module in modules for target in _reach(module, graph)}
    assert not {t for t in asked if t.partition(".")[0] in ("guards", "evidence")}


def test_the_laboratory_imports_neither_tests_nor_benchmarks() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "lab").rglob("*.py"))
        for name in _imported(ast.parse(path.read_text("utf-8")), "lab")
        if name.partition(".")[0] in ("tests", "benchmarks")
    }
    assert not wrong


def _listed(arrows: Iterable[Arrow]) -> str:
    return "\n" + "\n".join(f"    {module} imports {target}" for module, target in sorted(arrows))


# The checks themselves, on a package that is wrong in every way they look for.

MADE_UP = {
    "__init__.py": "",
    "model.py": "import typing\nif typing.TYPE_CHECKING:\n    from made.planning import x\n",
    "errors.py": "import json\nfrom made import model\n",
    "planning/__init__.py": "",
    "planning/planner.py": "def f():\n    import made.planning.account\n",
    "planning/account.py": "from .edits import strip\n",
    "planning/edits/__init__.py": "",
    "planning/edits/strip.py": "from ..planner import f\nfrom made.errors import Nope\n",
    "sources/walk.py": "from importlib import import_module\nimport_module('made.cli.prune')\n",
    "cli/prune.py": "from made.sources import walk\n" + "# more\n" * MOST_LINES,
    "version.py": "from made import __version__\n",
}


@pytest.fixture
def made_up(tmp_path: Path) -> Package:
    for name, text in MADE_UP.items():
        path = tmp_path / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Package(tmp_path / "made")


def test_imports_are_found_wherever_they_stand(made_up: Package) -> None:
    assert made_up.arrows == {
        ("model", "planning"),
        ("errors", "model"),
        ("planning.planner", "planning.account"),
        ("planning.account", "planning.edits.strip"),
        ("planning.edits.strip", "planning.planner"),
        ("planning.edits.strip", "errors"),
        ("sources.walk", "cli.prune"),
        ("cli.prune", "sources.walk"),
        ("version", ""),
    }


def test_an_import_against_the_flow_is_seen(made_up: Package) -> None:
    wrong = {("model", "planning"), ("sources.walk", "cli.prune"), ("version", "")}
    assert against_the_flow(made_up.arrows) == wrong


def test_cycles_are_seen(made_up: Package) -> None:
    assert cycles(made_up.arrows) == [
        ("cli.prune", "sources.walk"),
        ("planning.account", "planning.edits.strip", "planning.planner"),
    ]


def test_a_long_module_is_seen(made_up: Package) -> None:
    assert lengths(made_up) == {"cli.prune": MOST_LINES + 1}


def test_a_module_without_a_place_is_an_error() -> None:
    with pytest.raises(KeyError):
        against_the_flow({("attic", "model")})
