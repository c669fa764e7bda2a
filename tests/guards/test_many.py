"""Thousands of files that ask for the same thousands of others cost the sum, not the product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.guards import GUARDS, examine, set_up
from condaprune.guards.metadata import _take
from condaprune.model import no_progress
from condaprune.sources.prefix import PrefixSource
from tests.guards.elves import make_elf
from tests.guards.helpers import RULE, make_rule, matching
from tests.trees import SITE, Content, make_prefix

MANY = 150
A = f"{SITE}/a"


def each(path: str, data: bytes = b"x") -> dict[str, Content]:
    return {path.replace("#", str(number)): data for number in range(MANY)}


SHAPES: dict[str, tuple[dict[str, Content], str, str]] = {
    "imports by computed names": (
        each(f"{A}/m#.py", b'__import__("a.gone." + x)\n')
        | each(f"{A}/gone/x#.py")
        | {f"{A}/gone/__init__.py": b""},
        f"{A}/gone/*",
        "test",
    ),
    "sources that are read without end": (
        each(f"{A}/m#.py", b"from a.gone import (\n" * 120) | each(f"{A}/gone/x#.py"),
        f"{A}/gone/*",
        "test",
    ),
    "data of one name": (
        each(f"{A}/m#.py", b'open("x.json")\n') | each(f"{A}/d#/x.json"),
        "*/x.json",
        "test",
    ),
    "data of one suffix": (
        each(f"{A}/m#.py", b'open(name + ".json")\n') | each(f"{A}/x#.json"),
        "*.json",
        "test",
    ),
    "libraries of one name": (
        each("opt/#/lib/liby.so") | each(f"{A}/m#.so", make_elf(("liby.so",))),
        "*/liby.so",
        "test",
    ),
    "folders with data of tests": (
        each(f"{A}/m#.py", b'p = "tests/data"\n')
        | each(f"{A}/d#/tests/data/x")
        | each(f"{A}/d#/tests/test_a.py"),
        "*/tests/*",
        "tests",
    ),
    "headers beside code that builds": (
        each(f"{A}/m#.py", b'x = "Python.h"\n') | each(f"{A}/include/x#.h"),
        "*.h",
        "headers",
    ),
    "sources that others read": (
        each(f"{A}/m#.py", b"inspect.getsource(x)\n") | each(f"{A}/gone/x#.py"),
        f"{A}/gone/*",
        "source",
    ),
    "lines that put one folder on the path": (
        {f"{SITE}/x.pth": b"".join(b"a/%d/../gone\n" % n for n in range(MANY))}
        | each(f"{A}/gone/x#.py"),
        f"{A}/gone/*",
        "test",
    ),
    "activation scripts that name one folder": (
        {"etc/conda/activate.d/x.sh": b"A=$CONDA_PREFIX/share/gone\n" * MANY}
        | each("share/gone/x#"),
        "share/gone/*",
        "test",
    ),
}


@pytest.fixture
def asked(tmp_path: Path) -> Callable[[str], tuple[int, int]]:
    """How often all guards name a candidate, and how many files and candidates there are."""

    def count(name: str) -> tuple[int, int]:
        files, doomed, category = SHAPES[name]
        source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
        inventory = source.inventory()
        candidates = matching(inventory, [doomed])
        assert len(candidates) >= MANY
        rules = {RULE: make_rule(category=category)}
        guards = GUARDS.values()
        scene = set_up(inventory, source, candidates, rules, guards, no_progress, 1)
        batch = [p for p, e in inventory.entries.items() if e.kind != "folder"]
        kept = [path for path in batch if path not in candidates]
        scene.facts.load(kept)
        number = 0
        for guard in (made(scene) for made in guards):
            number += sum(1 for _ in guard.begin())
            number += sum(1 for _ in guard.look(kept))
        return number, len(batch)

    return count


@pytest.mark.parametrize("name", SHAPES)
def test_as_many_vetoes_as_files(name: str, asked: Callable[[str], tuple[int, int]]) -> None:
    vetoes, files = asked(name)
    assert MANY <= vetoes <= 4 * files


def test_a_package_of_many_distributions_is_gone_through_once() -> None:
    looked = 0

    class Home(str):
        def __format__(self, form: str) -> str:
            nonlocal looked
            looked += 1
            return str.__format__(self, form)

    homes: list[str] = [Home(f"{SITE}/d{number}-1.dist-info") for number in range(MANY)]
    taken = [home for path in paths() for home in _take(homes, path)]
    assert len(taken) == MANY
    assert looked < 10 * MANY


def paths() -> Iterator[str]:
    yield from (f"{SITE}/__pycache__/x{number}.pyc" for number in range(MANY))
    yield from (f"{SITE}/d{number}-1.dist-info/METADATA" for number in range(MANY))
    yield from (f"{SITE}/x{number}.py" for number in range(MANY))


def test_long_names_beside_deep_folders_take_no_time(tmp_path: Path) -> None:
    deep = "opt/app" + "/d" * 200
    lines = b"\n".join(b"import " + b"y." * 1900 + b"z%d" % n for n in range(20))
    files: dict[str, Content] = {f"{deep}/x.py": lines, "opt/y.py": b"", f"{deep}/y.py": b""}
    source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
    inventory = source.inventory()
    began = time.process_time()
    report = examine(inventory, source, matching(inventory, ["*/y.py"]))
    assert set(report.vetoes) == {"opt/y.py", f"{deep}/y.py"}
    assert time.process_time() - began < 3


def test_more_files_than_a_module_has_are_refused(tmp_path: Path) -> None:
    files = each(f"{A}/gone/x.v#.so")
    source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
    inventory = source.inventory()
    candidates = matching(inventory, [f"{A}/gone/*"])
    with pytest.raises(SourceError, match="more than 100 files are one module"):
        set_up(inventory, source, candidates, {}, GUARDS.values(), no_progress, 1)


def test_a_line_of_a_pth_file_that_never_ends_may_need_anything(tmp_path: Path) -> None:
    line = b"import x;" * 20_000
    files: dict[str, Content] = {f"{SITE}/x.pth": line, f"{A}/gone.py": b""}
    source = PrefixSource(str(make_prefix(tmp_path / "env", files)))
    inventory = source.inventory()
    report = examine(inventory, source, matching(inventory, [f"{A}/gone.py"]))
    assert "cannot be read" in report.vetoes[f"{A}/gone.py"].because
