"""A trace knows its environment, and says in words what has become of it."""

import os
from pathlib import Path

from condaprune.traces.ageing import (
    fingerprint,
    fingerprint_difference,
    inventory_fingerprint,
)
from condaprune.traces.trace import Run, Trace
from lab.envs.model import BuiltEnvironment
from tests.trees import distribution, make_prefix, make_tree, record

from .conftest import inventory_of


def _trace(*prints: dict[str, str]) -> Trace:
    return Trace(tuple(Run("/e", ("inotify",), fingerprint=p) for p in prints), {})


def _prefix(tmp_path: Path) -> Path:
    tree = {**distribution("demo", {"demo.py": b""}), **distribution("My_Own", {"own.py": b""})}
    return make_prefix(tmp_path / "env", tree, packages={"zlib": ["lib/libz.so"]})


def test_folder_and_inventory_give_one_fingerprint(tmp_path: Path) -> None:
    prefix = _prefix(tmp_path)
    expected = {"conda:zlib": "1.0 0", "pypi:demo": "1.0", "pypi:my-own": "1.0"}
    assert fingerprint(os.fspath(prefix)) == expected
    assert inventory_fingerprint(inventory_of(prefix)) == expected


def test_a_real_environment_gives_one_fingerprint(tiny_env: BuiltEnvironment) -> None:
    prefix = Path(tiny_env.prefix)
    found = fingerprint(os.fspath(prefix))
    assert found == inventory_fingerprint(inventory_of(prefix))
    assert any(label.startswith("pypi:") for label in found)
    assert fingerprint_difference(_trace(found), inventory_of(prefix)) == ""


def test_what_is_no_environment_has_none(tmp_path: Path) -> None:
    assert fingerprint(os.fspath(tmp_path)) == {}


def test_differences_are_said_in_words(tmp_path: Path) -> None:
    prefix = _prefix(tmp_path)
    make_tree(prefix, {"conda-meta/new-2.0-1.json": record("new", [], "2.0")})
    inventory = inventory_of(prefix)
    before = {
        "conda:zlib": "1.0 h1",
        "conda:gone": "3.0 0",
        "pypi:demo": "0.9",
        "pypi:my-own": "1.0",
    }
    assert fingerprint_difference(_trace(before), inventory) == (
        "gone 3.0 0 is gone, new 2.0 1 is new, "
        "zlib 1.0 is another build (0, was h1), pypi:demo is 1.0, was 0.9"
    )


def test_many_differences_are_counted(tmp_path: Path) -> None:
    before = {f"conda:p{number:02}": "1 0" for number in range(20)}
    words = fingerprint_difference(_trace(before), inventory_of(_prefix(tmp_path)))
    assert words.count(" is gone") == 8
    assert words.endswith("and 15 more")


def test_a_trace_without_a_fingerprint_says_so(tmp_path: Path) -> None:
    prefix = _prefix(tmp_path)
    known = fingerprint(os.fspath(prefix))
    words = fingerprint_difference(_trace({}, known), inventory_of(prefix))
    assert words == "it does not say which environment it was recorded in"
