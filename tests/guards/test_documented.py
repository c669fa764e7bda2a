"""docs/guards.md tells of every guard and every hazard, and names only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from condaprune.guards import GUARDS
from tests.guards.hazards import HAZARDS
from tests.guards.test_small_guards import CASES

TEXT = (Path(__file__).parents[2] / "docs" / "guards.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*)\|$", re.MULTILINE)


def test_every_guard_has_a_row() -> None:
    table = TEXT.partition("## The guards")[2].partition("\n## ")[0]
    named = re.findall(r"^\| (\w+) \|", table, re.MULTILINE)
    assert set(named) - {"guard"} == GUARDS.keys()


def test_every_hazard_has_a_row_and_its_guards_exist() -> None:
    rows = ROW.findall(TEXT)
    assert [int(number) for number, *_ in rows] == list(range(1, 52))
    for _, _, guards, tests in rows:
        if guards.startswith("none:"):
            assert not tests.strip()
        else:
            assert set(guards.strip().split(", ")) <= GUARDS.keys()
            assert tests.strip()


def test_every_test_named_exists_and_no_hazard_is_left_out() -> None:
    known = {f"test_hazards.py::test_hazard[{hazard.id}]" for hazard in HAZARDS}
    cases = {f"test_small_guards.py::test_guard[{case.guard}: {case.id}]" for case in CASES}
    named = {test for *_, tests in ROW.findall(TEXT) for test in re.findall(r"`([^`]+)`", tests)}
    assert named <= known | cases
    assert known <= named


def test_the_guards_of_hazards_are_those_of_the_table() -> None:
    guards = {
        int(number): set(cell.strip().split(", ")) for number, _, cell, _ in ROW.findall(TEXT)
    }
    for hazard in HAZARDS:
        assert hazard.guard in guards[hazard.number]


def test_every_guard_has_a_case_that_fires_and_one_that_must_not() -> None:
    elsewhere = {"imports", "elf", "dlopen", "requirements"}
    for name in GUARDS.keys() - elsewhere:
        assert any(case.guard == name and case.stays for case in CASES), name
        assert any(case.guard == name and not case.stays for case in CASES), name
