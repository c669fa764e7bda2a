"""The contest: recipes delete what they say, breakage is seen, and what is taken is explained."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks import contestants, peers, recipes, workloads
from benchmarks.losses import Reference, files, size
from condaprune.ruleset.check import check_rule
from condaprune.ruleset.load import load_file
from lab.envs.model import BuiltEnvironment
from tests.trees import SITE, distribution, make_prefix

FILES = {
    "include/a.h": b"1",
    "lib/liba.a": b"1",
    "lib/libpython3.11.so.1.0": b"1",
    "lib/libpython3.11.a": b"1",
    "lib/libasan.so.8": b"1",
    "bin/openssl": b"1",
    "share/terminfo/x/xterm": b"1",
    "lib/python3.11/idlelib/idle.py": b"1",
    "lib/python3.11/ensurepip/__init__.py": b"1",
    f"{SITE}/bokeh/server/static/js/bokeh.js": b"1",
    f"{SITE}/bokeh/server/static/js/bokeh.min.js": b"1",
    f"{SITE}/bokeh/server/static/js/bokeh.js.map": b"1",
    f"{SITE}/pip/__init__.py": b"1",
    f"{SITE}/made/__init__.py": b"1",
    f"{SITE}/made/fast.pyx": b"1",
    f"{SITE}/made/fast.so": b"1",
    f"{SITE}/made/__pycache__/made.cpython-311.pyc": b"1",
    f"{SITE}/made/tests/test_made.py": b"1",
    f"{SITE}/numpy/core/tests/test_core.py": b"1",
    f"{SITE}/numpy/core/__init__.py": b"1",
    f"{SITE}/made-1.0.dist-info/METADATA": b"1",
}
STATIC = {"lib/liba.a", "lib/libpython3.11.a"}
BYTECODE = {f"{SITE}/made/__pycache__/made.cpython-311.pyc"}
SHEET = {
    *STATIC,
    *BYTECODE,
    "include/a.h",
    "conda-meta/history",
    "lib/libpython3.11.so.1.0",
    "lib/libasan.so.8",
    "bin/openssl",
    "share/terminfo/x/xterm",
    "lib/python3.11/idlelib/idle.py",
    "lib/python3.11/ensurepip/__init__.py",
    f"{SITE}/pip/__init__.py",
}
BOKEH = f"{SITE}/bokeh/server/static/js/bokeh.js"
GONE = {
    recipes.TIPS: {*STATIC, *BYTECODE, BOKEH, f"{BOKEH}.map"},
    recipes.GUIDE: {*SHEET, f"{SITE}/numpy/core/tests/test_core.py", f"{SITE}/made/fast.pyx"},
    recipes.CHEAT_SHEET: SHEET,
    recipes.DOCKER_LIBRARY: {
        *BYTECODE,
        "lib/libpython3.11.a",
        f"{SITE}/made/tests/test_made.py",
        f"{SITE}/numpy/core/tests/test_core.py",
    },
    recipes.SERVERLESS: {*BYTECODE, f"{SITE}/made-1.0.dist-info/METADATA"},
}


@pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_deletes_what_it_is_known_to_delete(recipe, tmp_path):
    prefix = make_prefix(tmp_path / "env", FILES)
    before = files(prefix)
    done = subprocess.run(
        ["sh", "-c", recipe.script("python3.11")], cwd=prefix, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert before.keys() - files(prefix).keys() == GONE[recipe]


def test_the_patterns_of_empack_hold_their_examples():
    rules = list(load_file(str(contestants.HERE / "empack.toml")))
    assert [check_rule(rule) for rule in rules] == [[]]


def test_hard_links_count_once_and_links_by_their_target(tmp_path):
    (tmp_path / "one").write_bytes(b"12345")
    os.link(tmp_path / "one", tmp_path / "two")
    (tmp_path / "three").symlink_to("one")
    found = files(tmp_path)
    assert set(found) == {"one", "two", "three"}
    assert size(found) == 5 + len("one")


def test_what_a_removal_takes_beyond_runtime_is_explained(tmp_path):
    big = b"x" * 200_000
    prefix = make_prefix(
        tmp_path / "env",
        {
            **distribution("made", {"made/__init__.py": b"", "made/data.bin": big + b"y"}),
            **distribution("pip", {"pip/__init__.py": big}),
            "lib/liba.a": big,
            "lib/libstripped.so": big,
        },
        packages={"a": ["lib/liba.a"]},
    )
    after = dict(files(prefix))
    reference = Reference(prefix)
    for path in (f"{SITE}/made/data.bin", f"{SITE}/pip/__init__.py", "lib/liba.a"):
        del after[path]
    (prefix / "lib/libstripped.so").write_bytes(b"x" * 100_000)
    after["lib/libstripped.so"] = files(prefix)["lib/libstripped.so"]
    assert reference.beyond(after) == [
        f"0.2 MB that no rule takes, such as `{SITE}/made/data.bin`",
        "0.2 MB that only `minimal` removes, by `pip-whole`",
        "0.1 MB by editing files (stripping libraries)",
    ]


def test_a_contest_holds_recipes_against_condaprune(tmp_path):
    big = b"x" * 200_000
    prefix = make_prefix(
        tmp_path / "env",
        {"lib/liba.a": big, "include/a.h": b"x" * 5_000, "bin/openssl": big},
        packages={"a": ["lib/liba.a", "include/a.h"], "openssl": ["bin/openssl"]},
    )
    before = files(prefix)
    contest = peers.hold("made", prefix, rounds=1, only=["guide of 2021", "tips of 2019"])
    assert files(prefix) == before
    assert [row.peer.name for row in contest.rows] == [
        "tips of 2019",
        "guide of 2021",
        "condaprune runtime",
    ]
    assert contest.row("tips of 2019").bytes == size(before) - 200_000
    sizes = peers.section([contest]).tables[0]
    marks = {row[0]: row[1] for row in sizes.rows}
    assert marks["condaprune runtime"] == "1.00"
    assert marks["guide of 2021"].endswith(" (1)")
    assert sizes.notes[0].startswith("(1) guide of 2021: 0.2 MB more than `runtime`.")
    assert "`openssl-program`" in sizes.notes[0]


def test_a_libpython_of_the_machine_does_not_stand_in(fresh_tiny: BuiltEnvironment):
    prefix: Path = fresh_tiny.prefix
    assert workloads.starts(prefix)
    libraries = list((prefix / "lib").glob("libpython3.*.so.1.0"))
    if not libraries:
        pytest.skip("this Python is linked without a libpython")
    for library in libraries:
        library.unlink()
    assert not workloads.starts(prefix)
    assert workloads.failures(prefix, {"any": "pass"}) == {"any": "Python does not start"}


def test_checks_that_need_what_is_not_there_are_not_tried(tiny_env: BuiltEnvironment):
    found = workloads.choose(tiny_env.prefix)
    assert "errors and formats" in found.second
    assert "another table" not in found.second
    assert "sqlite3" in found.checks
    assert not any("pandas" in name for name in found.checks)


def test_messages_lose_the_folders_of_this_machine(tmp_path):
    reference = Reference(make_prefix(tmp_path / "env", {}))
    after = tmp_path / "after"
    said = f"{after}/bin/x: no file '{tmp_path}/other/lib.so' in {reference.prefix}/lib, lib/a.py"
    assert reference.told(said, after) == "bin/x: no file 'lib.so' in lib, lib/a.py"
    assert len(reference.told("word " * 100, after)) == 160


def test_bytecode_is_put_back_for_the_sources_that_are_left(tmp_path):
    cache = f"{SITE}/made/__pycache__"
    prefix = make_prefix(
        tmp_path / "env",
        {
            f"{SITE}/made/kept.py": b"",
            f"{SITE}/made/gone.py": b"",
            f"{cache}/kept.cpython-311.pyc": b"1",
            f"{cache}/gone.cpython-311.pyc": b"1",
        },
    )
    after = make_prefix(tmp_path / "after", {f"{SITE}/made/kept.py": b""})
    Reference(prefix).warm(after)
    assert [p for p in files(after) if p.endswith(".pyc")] == [f"{cache}/kept.cpython-311.pyc"]


def test_a_python_that_cannot_be_executed_does_not_start(tmp_path):
    prefix = make_prefix(tmp_path / "env", {"bin/python": b""})
    assert not workloads.starts(prefix)
    assert workloads.choose(prefix) == workloads.Work({}, {})
