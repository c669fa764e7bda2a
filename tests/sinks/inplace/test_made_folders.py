"""Folders that a run makes are its own before they are given away; readers wait for nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.planning.edits.sbom import SBOM
from condaprune.sinks.inplace import ledger
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.prepare import make_journal
from condaprune.sinks.inplace.run import JournalRun, recover, undo
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sinks.inplace.state import State
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.prefixes import SITE, build, difference, make_plan, snapshot

MADE = os.path.dirname(SBOM)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return build(tmp_path)


def test_a_folder_that_took_its_name_is_not_given_away(root: Path) -> None:
    """Somebody who owns the environment moves a folder of root there, after the plan was made."""
    run = InPlaceSink().begin(make_plan(root), PrefixSource(str(root)))
    (root / MADE).mkdir(parents=True)
    (root / MADE / "key").touch()
    (root / MADE).chmod(0o700)
    run.apply(lambda *_: None)
    run.commit()
    assert (root / MADE).stat().st_mode & 0o777 == 0o700
    assert (root / SBOM).exists()
    assert not (root / ".condaprune").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_it_has_its_owner_before_it_has_its_name(root: Path) -> None:
    seen = []

    class Watching(Filesystem):
        def rename(self, name: bytes, folder: int, new: bytes, to: int) -> None:
            info = self.lstat(name, folder)
            if name == b"new-folder":
                seen.append((info.st_uid, info.st_mode & 0o777))
            super().rename(name, folder, new, to)

    os.chown(root, 12345, 12345)
    sink = InPlaceSink(InPlaceOptions(filesystem=Watching()))
    run = sink.begin(make_plan(root), PrefixSource(str(root)))
    run.apply(lambda *_: None)
    run.commit()
    assert seen
    assert {*seen} == {(12345, 0o755)}


@pytest.mark.parametrize("end", ["resumed", "undone"])
def test_one_that_a_killed_run_has_left_goes(root: Path, end: str) -> None:
    before = snapshot(root)
    journal, _ = make_journal(make_plan(root), mode="move", verified=end == "undone")
    assert journal is not None
    with State(Filesystem(), str(root)) as state:
        state.begin(journal)
        os.mkdir(b"new-folder", dir_fd=state.folder)
    recover(str(root))
    if end == "resumed":
        assert (root / SBOM).exists()
        undo(str(root))
    assert not difference(before, snapshot(root))


def test_an_unknown_entry_set_aside_goes_with_the_others(root: Path) -> None:
    """What a verification has put there, with a number that no removal has."""
    journal, _ = make_journal(make_plan(root), mode="move", verified=True)
    assert journal is not None
    with State(Filesystem(), str(root)) as state:
        state.begin(journal)
        run = JournalRun(state, journal)
        run.apply()
        (root / ".condaprune/moved/99999").touch()
        run.finish()
    assert not (root / ".condaprune").exists()


def test_a_fifo_in_the_place_of_a_file_to_rewrite_is_not_waited_for(root: Path) -> None:
    plan = make_plan(root)
    record = root / SITE / "pkg-1.0.dist-info/RECORD"
    record.unlink()
    os.mkfifo(record)
    with pytest.raises(Exception, match=r"changed while the plan|in the place of"):
        make_journal(plan, mode="unlink", verified=False)


@pytest.mark.parametrize("inside", ["", "var/state", "home/.local/state"])
def test_a_private_folder_in_the_environment_is_none(
    root: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(root / inside))
    assert not ledger.note(str(root), b"journal")
    monkeypatch.setenv("XDG_STATE_HOME", str(root.parent / "state"))
    assert ledger.note(str(root), b"journal")
    assert ledger.is_noted(str(root), b"journal")
    (root / inside).mkdir(parents=True, exist_ok=True)
    os.rename(root.parent / "state/condaprune", root / inside / "condaprune")
    monkeypatch.setenv("XDG_STATE_HOME", str(root / inside))
    assert not ledger.is_noted(str(root), b"journal")
