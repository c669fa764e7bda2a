"""The same on a real environment, at a sample of the calls."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from condaprune import api
from condaprune.app.carry_out import carry_out
from condaprune.sinks.inplace.run import recover
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from lab.envs.model import BuiltEnvironment
from tests.sinks.inplace.faults import Counting, kill_at
from tests.sinks.inplace.prefixes import difference, snapshot

POINTS = 12


@pytest.mark.slow
@pytest.mark.parametrize("undoable", [False, True], ids=["unlinking", "setting aside"])
def test_a_run_on_tiny_killed_anywhere_is_finished_by_the_next(
    undoable: bool, fresh_tiny: BuiltEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    def copied(name: str) -> Path:
        copy = tmp_path / name / "env"
        copy.parent.mkdir()
        subprocess.run(["cp", "-a", fresh_tiny.prefix, copy], check=True)
        return copy

    def prune(root: Path, filesystem: Counting) -> None:
        source = api.open_source(root)
        sink = InPlaceSink(InPlaceOptions(undoable=undoable, filesystem=filesystem))
        carry_out(api.plan(source), source, sink)

    whole = copied("whole")
    original, counting = snapshot(whole), Counting()
    prune(whole, counting)
    finished = _without_aside(snapshot(whole))
    for point in range(POINTS):
        last = 1 + point * (counting.calls - 1) // (POINTS - 1)
        root = copied(f"{point}")
        kill_at(last, lambda fs: prune(root, fs))  # noqa: B023
        recover(str(root))
        ended = _without_aside(snapshot(root))
        assert ended in (_without_aside(original), finished), difference(ended, finished)[:5]
        subprocess.run(["rm", "-rf", root], check=True)


def _without_aside(found: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    """Without what is set aside, and without link counts, which that raises."""
    return {
        path: (*told[:5], 0, *told[6:])
        for path, told in found.items()
        if not path.startswith(".condaprune")
    }
