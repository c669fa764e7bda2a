"""Which modules an environment offers, read off its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.verify.importer import STDLIB, find_modules, in_batches
from condaprune.live.verify.listing import list_prefix
from tests.trees import Content, Link, make_tree

SUFFIXES = (".cpython-311-x86_64-linux-gnu.so", ".abi3.so", ".so")
LIB = "lib/python3.11"


def modules(root: Path, files: dict[str, Content]) -> dict[str, str]:
    listing = list_prefix(str(make_tree(root, files)))
    search = (LIB, f"{LIB}/lib-dynload", f"{LIB}/site-packages")
    return {m.name: m.path for m in find_modules(listing, search, SUFFIXES).values()}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(
            ["json/__init__.py", "json/decoder.py"], ["json", "json.decoder"], id="package"
        ),
        pytest.param(["ns/part/__init__.py"], ["ns.part"], id="namespace package"),
        pytest.param(["old.pyc"], ["old"], id="bytecode without source"),
        pytest.param(["__pycache__/x.cpython-311.pyc"], [], id="cached bytecode is no module"),
        pytest.param(["a-b.py", "c/1d.py", "e f/g.py"], [], id="names no import can spell"),
        pytest.param(["x.txt", "x.pyi", "x.so.1"], [], id="other files"),
        pytest.param(
            ["lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", "lib-dynload/_x.abi3.so"],
            ["_ssl", "_x"],
            id="extension modules",
        ),
    ],
)
def test_names(tmp_path: Path, files: list[str], found: list[str]) -> None:
    assert sorted(modules(tmp_path, {f"{LIB}/{path}": b"" for path in files})) == found


def test_an_extension_module_goes_before_source_and_bytecode(tmp_path: Path) -> None:
    paths = ["m.py", "m.pyc", "m.cpython-311-x86_64-linux-gnu.so"]
    found = modules(tmp_path, {f"{LIB}/{path}": b"" for path in paths})
    assert found == {"m": f"{LIB}/{paths[2]}"}


def test_an_earlier_folder_hides_a_later_one(tmp_path: Path) -> None:
    site = f"{LIB}/site-packages"
    files = {
        f"{LIB}/json/__init__.py": b"",
        f"{site}/json/__init__.py": b"",
        f"{site}/json/x.py": b"",
    }
    assert modules(tmp_path, dict(files)) == {"json": f"{LIB}/json/__init__.py"}


def test_a_folder_link_is_not_counted_twice(tmp_path: Path) -> None:
    files: dict[str, Content] = {f"{LIB}/a.py": b"", "lib/python3.1": Link("python3.11")}
    assert modules(tmp_path, files) == {"a": f"{LIB}/a.py"}


def test_batches_put_tests_last_and_the_standard_library_together(tmp_path: Path) -> None:
    site = f"{LIB}/site-packages"
    names = ["os.py", "json/__init__.py", *(f"big/m{n}.py" for n in range(30))]
    files: dict[str, Content] = {f"{LIB}/{name}": b"" for name in names}
    files |= {f"{site}/p/{n}.py": b"" for n in ("__init__", "test_a", "z", "tests/__init__")}
    listing = list_prefix(str(make_tree(tmp_path, files)))
    batches = in_batches(find_modules(listing, (LIB, site), SUFFIXES), LIB)
    assert {name: len(batch) for name, batch in batches.items()} == {"big": 30, "p": 4, STDLIB: 2}
    assert [module.name for module in batches["p"]] == ["p", "p.z", "p.test_a", "p.tests"]
