"""What `condaprune status` says of a prefix: its runs, and what is left to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.errors import SinkError
from condaprune.sinks.inplace.journal import STATUS
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sinks.inplace.status import read_prefix, read_status
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.prefixes import build, make_plan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return build(tmp_path)


def prune(root: Path, *, undoable: bool) -> None:
    """A run on the prefix."""
    sink = InPlaceSink(InPlaceOptions(undoable=undoable))
    carry_out(make_plan(root), PrefixSource(str(root)), sink)


def test_a_prefix_without_runs_has_none(root: Path) -> None:
    status = read_prefix(str(root))
    assert (status.runs, status.when, status.undoable, status.pending) == ((), None, False, "")


@pytest.mark.parametrize("undoable", [False, True])
def test_a_run_is_listed_and_says_whether_it_can_be_undone(root: Path, undoable: bool) -> None:
    prune(root, undoable=undoable)
    status = read_prefix(str(root))
    assert [run.rules for run in status.runs] == [("demo.rule",)]
    assert status.when == int((root / STATUS).stat().st_mtime)
    assert (status.undoable, status.pending) == (undoable, "")
    data = json.loads(json.dumps(status.to_json()))
    assert list(data) == ["schema", "pruned_at", "undoable", "pending", "runs"]
    assert data["runs"] == json.loads((root / STATUS).read_bytes())["runs"]


@pytest.mark.parametrize(
    ("name", "pending"),
    [("journal.undo", "an undo is under way"), ("journal.part", "left its traces")],
)
def test_what_is_left_to_do_is_said(root: Path, name: str, pending: str) -> None:
    prune(root, undoable=True)
    (root / ".condaprune/journal.kept").rename(root / ".condaprune" / name)
    assert pending in read_prefix(str(root)).pending


def test_a_planted_journal_is_named(root: Path) -> None:
    (root / ".condaprune").mkdir()
    (root / ".condaprune/journal.undo").touch()
    status = read_prefix(str(root))
    assert "is damaged" in status.pending
    assert "--discard-journal" in status.pending


def test_a_status_file_that_cannot_be_read_is_an_error(root: Path) -> None:
    (root / STATUS).mkdir(parents=True)
    with pytest.raises(SinkError, match=r"status\.json: cannot be read"):
        read_prefix(str(root))


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"runs": 5}', b'{"runs": [{"version": "1"}]}', b'{"runs": [5]}'],
)
def test_a_status_file_of_somebody_else_has_no_runs(data: bytes) -> None:
    assert read_status(data) == ()


def test_a_run_of_an_earlier_version_lacks_what_is_left() -> None:
    run = {"version": "1", "profile": "p", "rules": [], "files_before": 1, "bytes_before": 2}
    assert read_status(json.dumps({"runs": [run]}).encode())[0].bytes_after == 0
