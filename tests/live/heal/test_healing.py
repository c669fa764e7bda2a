"""Deliberately wrong removals are found, taken back, and kept by what is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.cli import run
from condaprune.live.heal.units import pattern_of
from condaprune.live.heal.verifier import Tries, Verifier, smallest
from condaprune.live.trials import CommandTrial
from condaprune.model import Decision, Plan
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sources.prefix import PrefixSource
from lab.envs.model import BuiltEnvironment
from tests.sinks.inplace.prefixes import build

MANY = 200


@pytest.mark.parametrize("needed", [{0}, {99}, {7, 60}, {1, 2, 3}])
def test_the_smallest_set_is_found_with_few_checks(needed: set[int]) -> None:
    checks = []

    def passes(kept: frozenset[int]) -> bool:
        checks.append(kept)
        return needed <= kept

    assert set(smallest(range(100), passes)) == needed
    assert len(checks) <= 8 * len(needed)


def make_prefix(where: Path) -> Path:
    """A prefix with many files that nobody needs beside those that the cases need."""
    root = build(where)
    data = root / "share/data"
    data.mkdir(parents=True)
    for number in range(MANY):
        (data / f"file{number}.txt").write_text("x")
    return root


def plan_of(root: Path, keep: tuple[str, ...] = ()) -> Plan:
    """A plan whose wrong rule takes everything below share and include."""
    inventory = PrefixSource(str(root)).inventory()
    kept = {pattern[1:] for pattern in keep}
    going = {
        path: Decision(True, "rule", "wrong.rule")
        for path, entry in inventory.entries.items()
        if path.startswith(("share/", "include/")) and entry.kind == "file" and path not in kept
    }
    return Plan(inventory, going, (), "runtime", (), ())


CASES = {
    "a file that the message names": ('cat "$CONDA_PREFIX/include/zlib.h"', ["/include/zlib.h"]),
    "a file that is missed in silence": (
        'test -f "$CONDA_PREFIX/share/data/file77.txt"',
        ["/share/data/file77.txt"],
    ),
    "two unrelated files": (
        'cat "$CONDA_PREFIX/include/zlib.h" "$CONDA_PREFIX/share/data/file3.txt" 2>/dev/null',
        ["/include/zlib.h", "/share/data/file3.txt"],
    ),
}


@pytest.mark.parametrize("blind", [False, True], ids=["with recorders", "without any recorder"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_needed_is_taken_back_and_no_more(
    case: str, blind: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, expected = CASES[case]
    if blind:
        monkeypatch.setattr("condaprune.live.heal.evidence._record", lambda *_: None)
    root = make_prefix(tmp_path)
    source = PrefixSource(str(root))
    verifier = Verifier([CommandTrial(command)], Tries(25, 900.0))
    carried = carry_out(
        plan_of(root),
        source,
        InPlaceSink(InPlaceOptions(verified=True)),
        verifier=verifier,
        replan=lambda patterns: (plan_of(root, tuple(patterns)), source),
    )
    assert sorted(keep.pattern for keep in carried.keeps) == expected
    assert verifier.spent <= 25
    left = [f"/{path.relative_to(root)}" for path in (root / "share").rglob("*.txt")]
    assert left == [pattern for pattern in expected if pattern.startswith("/share")]
    assert not (root / ".condaprune").exists()


def test_a_pattern_is_literal() -> None:
    assert pattern_of("a/b*[c]?.txt") == "/a/b\\*\\[c]\\?.txt"


PYTHON = 'python -c "{}"'
WRONG = {
    "a needed data file": (
        ["*.tpl"],
        PYTHON.format("import pandas as p; p.DataFrame([1]).to_html; "
                      "import pandas.io.formats as f; "
                      "open(f.__path__[0] + '/templates/html.tpl')"),
    ),
    "a computed import": (
        ["**/uvicorn/loops/", "**/uvicorn/protocols/"],
        PYTHON.format("import importlib; "
                      "importlib.import_module('uvicorn.' + 'loops.' + 'auto')"),
    ),
    "an entry point": (
        ["**/*.dist-info/entry_points.txt"],
        PYTHON.format("import sys; from importlib.metadata import entry_points; "
                      "sys.exit(not [e for e in entry_points(group='console_scripts') "
                      "if e.name == 'uvicorn'])"),
    ),
    "a library that is loaded by name": (
        ["/lib/libz*", "/lib/libbz2*", "/lib/libffi_pic*"],
        PYTHON.format("import ctypes, os; "
                      "ctypes.CDLL(os.environ['CONDA_PREFIX'] + '/lib/libz.so.1')"),
    ),
    "two unrelated files": (
        ["**/numpy/version.py", "**/click/_compat.py", "*.rst"],
        PYTHON.format("import sys\ntry:\n import numpy.version, click\n"
                      "except ImportError:\n sys.exit(1)"),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_wish_is_healed_on_a_real_environment(
    case: str,
    fresh_small: BuiltEnvironment,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    drops, command = WRONG[case]
    undoable = [str(fresh_small.prefix), "--isolated", "--no-progress", "--no-guard", "all",
                "--profile", "safe", "--undoable", "--verify", command]  # fmt: skip
    for pattern in drops:
        undoable += ["--drop", pattern]
    assert run([*undoable, "--heal"]) == 0
    out = capsys.readouterr().out
    found = re.search(r"healed in (\d+) verifications", out)
    assert found is not None
    assert int(found[1]) <= 25
    keeps = [json.loads(text) for text in re.findall(r'^  ("/.*"),$', out, re.MULTILINE)]
    assert run(["undo", str(fresh_small.prefix)]) == 0
    again = [word for keep in keeps for word in ("--keep", keep)]
    assert run([*undoable, *again]) == 0
