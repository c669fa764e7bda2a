"""What a run says it left is what is there: to the file and to the byte, however it went."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune import api
from condaprune.app.carry_out import carry_out
from condaprune.model import Plan
from condaprune.sinks.inplace.journal import STATUS
from condaprune.sinks.inplace.prepare import foresee, make_journal
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sinks.inplace.status import Measured, measure, read_status
from condaprune.sources.prefix import PrefixSource, walk
from lab.envs import BuiltEnvironment
from tests.sinks.inplace.prefixes import REMOVED, SITE, build, make_plan


def foreseen(plan: Plan) -> Measured | None:
    """What is known before anything goes."""
    journal, _ = make_journal(plan, mode="unlink", verified=False)
    assert journal is not None
    return foresee(plan, journal)


def told_and_found(root: Path, plan: Plan, *, undoable: bool = False) -> tuple[Measured, Measured]:
    """What a run tells in its status file, and what a walk finds after it."""
    sink = InPlaceSink(InPlaceOptions(undoable=undoable))
    outcome = carry_out(plan, PrefixSource(str(root)), sink).outcome
    status = (root / STATUS).read_bytes()
    last = read_status(status)[-1]
    told = Measured(last.files_after, last.bytes_after)
    assert outcome.bytes_after == told.bytes + len(status)
    return told, measure(walk(os.fsencode(root)).values())


def one_vanishes(root: Path) -> None:
    (root / "include/zlib.h").unlink()


def one_changes(root: Path) -> None:
    (root / "lib/libdemo.a").write_bytes(b"another library")


def one_appears(root: Path) -> None:
    (root / SITE / "pkg/tests/new.txt").write_bytes(b"new")


def a_new_file_is_there_already(root: Path) -> None:
    (root / "share/condaprune").mkdir(parents=True)
    (root / "share/condaprune/environment.cdx.json").write_bytes(b"{}\n")


def a_list_is_rewritten_already(root: Path) -> None:
    (root / "conda-meta/history").write_bytes(b"")


DISTURBANCES = (
    one_vanishes,
    one_changes,
    one_appears,
    a_new_file_is_there_already,
    a_list_is_rewritten_already,
)


@pytest.mark.parametrize("undoable", [False, True])
@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda disturb: disturb.__name__)
def test_what_happens_between_the_plan_and_the_run_is_counted(
    disturb: Callable[[Path], None], undoable: bool, tmp_path: Path
) -> None:
    root = build(tmp_path)
    plan = make_plan(root)
    disturb(root)
    if disturb is not one_appears:
        assert foreseen(plan) is None
    told, found = told_and_found(root, plan, undoable=undoable)
    assert told == found


@pytest.mark.parametrize("seed", range(8))
def test_what_is_foreseen_is_found_by_a_walk(seed: int, tmp_path: Path) -> None:
    root = build(tmp_path)
    chance = random.Random(seed)
    names = [path for path, entry in walk(os.fsencode(root)).items() if entry.kind == "file"]
    for number in range(12):  # hard links between what goes, what stays and what is rewritten
        os.link(
            os.path.join(os.fsencode(root), os.fsencode(chance.choice(names))),
            os.fsencode(root / f"lib/linked{number}"),
        )
    made = make_plan(root, more=tuple(f"lib/linked{n}" for n in range(12) if chance.random() < 0.5))
    plan = foreseen(made)
    assert plan is not None
    told, found = told_and_found(root, made, undoable=seed % 2 == 0)
    assert plan == told == found


def test_a_second_run_leaves_its_status_file_out(tmp_path: Path) -> None:
    root = build(tmp_path)
    told_and_found(root, make_plan(root))
    (root / "bin/tool").write_bytes(b"#!/bin/sh\n")
    told, found = told_and_found(root, make_plan(root))
    assert "bin/tool" in REMOVED
    assert told == found


def test_of_a_real_environment(small_env: BuiltEnvironment, workspace: Path) -> None:
    root = workspace / "env"
    subprocess.run(["cp", "-al", str(small_env.prefix), str(root)], check=True)
    plan = api.plan(str(root))
    expected = foreseen(plan)
    told, found = told_and_found(root, plan)
    shutil.rmtree(root)
    assert expected == told == found
