"""Whose journal it is: that of this user's last run on that prefix alone, to the byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from condaprune.private import private_folder
from condaprune.sinks.inplace.journal import Phase
from condaprune.sinks.inplace.leftover import ForeignJournal, peek
from condaprune.sinks.inplace.run import CannotUndo, recover, undo
from condaprune.sinks.inplace.sink import InPlaceOptions
from tests.sinks.inplace.faults import Counting, kill_at
from tests.sinks.inplace.prefixes import build, snapshot
from tests.sinks.inplace.test_faults import prune

NOBODY = "12345"
_HERE = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "private"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return build(tmp_path)


def notes() -> list[str]:
    """The names in this user's private folder."""
    folder = private_folder()
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


@pytest.mark.parametrize("kind", ["plain", "verified", "failing"])
def test_a_run_that_has_ended_leaves_no_note(kind: str, root: Path) -> None:
    prune(root, kind, Counting())
    assert notes() == []
    assert not os.path.exists(private_folder())


def test_a_kept_run_has_one_note_until_it_is_undone(root: Path) -> None:
    prune(root, "undoable", Counting())
    assert len(notes()) == 1
    undo(str(root))
    assert notes() == []


def test_an_interrupted_run_has_one_note_until_it_is_finished(root: Path) -> None:
    kill_at(121, lambda fs: prune(root, "plain", fs))
    assert len(notes()) == 1
    assert "finished now" in recover(str(root))
    assert notes() == []


def kept(root: Path) -> Path:
    """A prefix with an undoable run."""
    prune(root, "undoable", Counting())
    return root / ".condaprune/journal.kept"


def refused(root: Path) -> None:
    """Neither a run nor an undo carries the journal out."""
    before = snapshot(root)
    for call in (recover, undo):
        with pytest.raises(ForeignJournal, match="--trust-journal") as caught:
            call(str(root))
        assert caught.value.exit_code == 2
        assert "journal.kept" in caught.value.where
    assert snapshot(root) == before


def test_one_byte_more_makes_it_another(root: Path) -> None:
    journal = kept(root)
    journal.write_bytes(journal.read_bytes() + b" ")
    refused(root)


def test_one_byte_else_makes_it_another(root: Path) -> None:
    journal = kept(root)
    data = journal.read_bytes()
    journal.write_bytes(data.replace(b'"bin/tool"', b'"bin/toot"', 1))
    assert len(data) == len(journal.read_bytes())
    refused(root)


@pytest.mark.parametrize("place", ["journal.kept", "."], ids=["the journal", "its folder"])
@pytest.mark.parametrize("how", ["mode", "owner"])
def test_where_others_may_write_it_is_not_ours(place: str, how: str, root: Path) -> None:
    kept(root)
    path = root / ".condaprune" / place
    if how == "mode":
        path.chmod(path.stat().st_mode | 0o020)
    elif os.geteuid():
        pytest.skip("only root gives files away")
    else:
        os.chown(path, int(NOBODY), int(NOBODY))
    refused(root)


def test_a_journal_of_another_environment_is_not_ours(root: Path, tmp_path: Path) -> None:
    kept(root)
    (tmp_path / "other").mkdir()
    other = build(tmp_path / "other")
    shutil.copytree(root / ".condaprune", other / ".condaprune", symlinks=True)
    refused(other)
    undo(str(root))


def test_a_copy_of_the_environment_is_not_ours_elsewhere(root: Path, tmp_path: Path) -> None:
    kept(root)
    subprocess.run(["cp", "-a", root, tmp_path / "copy"], check=True)
    refused(tmp_path / "copy")


def test_a_copy_at_the_same_path_is_ours(root: Path, tmp_path: Path) -> None:
    """As in an image that was committed, with the home of the user in it."""
    kept(root)
    subprocess.run(["cp", "-a", root, tmp_path / "copy"], check=True)
    shutil.rmtree(root)
    (tmp_path / "copy").rename(root)
    assert "as it was" in undo(str(root))


def test_an_older_journal_is_not_ours_after_its_run(root: Path, tmp_path: Path) -> None:
    kept(root)
    shutil.copytree(root / ".condaprune", tmp_path / "old", symlinks=True)
    undo(str(root))
    shutil.copytree(tmp_path / "old", root / ".condaprune", symlinks=True)
    refused(root)
    shutil.rmtree(root / ".condaprune")
    prune(root, "undoable", Counting())
    shutil.rmtree(root / ".condaprune")
    shutil.copytree(tmp_path / "old", root / ".condaprune", symlinks=True)
    later = (root / ".condaprune/journal.kept").read_bytes()
    assert later  # of the run before, whose stamp may be the same only by chance
    refused(root)


@pytest.mark.parametrize("phase", [Phase.APPLY, Phase.UNDO, Phase.DROP])
def test_an_older_journal_in_another_phase_is_not_ours(
    phase: Phase, root: Path, tmp_path: Path
) -> None:
    kept(root)
    shutil.copytree(root / ".condaprune", tmp_path / "old", symlinks=True)
    undo(str(root), forget=True)
    after = snapshot(root)
    shutil.copytree(tmp_path / "old", root / ".condaprune", symlinks=True)
    os.rename(
        root / ".condaprune/journal.kept", os.fsencode(root / ".condaprune") + b"/" + phase.file
    )
    for call in (recover, undo):
        with pytest.raises(ForeignJournal):
            call(str(root))
    shutil.rmtree(root / ".condaprune")
    assert {p: t for p, t in snapshot(root).items() if p != "."} == {
        p: t for p, t in after.items() if p != "."
    }


def test_without_a_private_place_a_run_works_and_its_journal_is_not_ours(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "other").mkdir()
    other = build(tmp_path / "other")
    prune(other, "plain", Counting())
    assert not (other / "include").exists()
    from condaprune.app.carry_out import carry_out
    from condaprune.sinks.inplace.sink import InPlaceSink
    from condaprune.sources.prefix import PrefixSource
    from tests.sinks.inplace.prefixes import make_plan

    carried = carry_out(
        make_plan(root), PrefixSource(str(root)), InPlaceSink(InPlaceOptions(undoable=True))
    )
    assert any("--trust-journal" in note for note in carried.outcome.notes)
    refused(root)


def test_a_private_file_that_others_may_write_is_none(root: Path) -> None:
    kept(root)
    (note,) = notes()
    path = os.path.join(private_folder(), note)
    os.chmod(path, 0o666)
    refused(root)
    os.chmod(path, 0o600)
    os.chmod(private_folder(), 0o777)
    refused(root)
    os.chmod(private_folder(), 0o700)
    undo(str(root))


# -- two users

_AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="two users take root and setpriv"
)


def as_nobody(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """condaprune as another user."""
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    command += [sys.executable, "-m", "condaprune", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(_HERE)}
    return subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of another user, with a home and a prefix in it."""
    base = Path(os.path.realpath(f"/tmp/condaprune-two-users-{os.getpid()}-{os.urandom(4).hex()}"))
    base.mkdir()
    (base / "home").mkdir()
    build(base)
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", base], check=True)
    probe = subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable]
        + ["-c", "import click"],
        cwd="/",
        capture_output=True,
        check=False,
    )
    if probe.returncode:
        shutil.rmtree(base)
        pytest.skip("another user cannot run this Python")
    yield base  # type: ignore[misc]
    shutil.rmtree(base)


@_AS_ROOT
def test_a_run_of_another_user_is_not_ended_by_root(theirs: Path) -> None:
    env, home = theirs / "env", theirs / "home"
    done = as_nobody(str(env), "--isolated", "--drop", "include/**", "--undoable", home=home)
    assert done.returncode == 0, done.stderr
    assert (home / ".local/state/condaprune").stat().st_mode & 0o777 == 0o700
    refused(env)
    undone = as_nobody("undo", str(env), home=home)
    assert undone.returncode == 0, undone.stderr
    assert (env / "include/zlib.h").exists()
    assert not (home / ".local").exists()


@_AS_ROOT
def test_a_run_of_root_is_not_ended_by_another_user(theirs: Path) -> None:
    env, home = theirs / "env", theirs / "home"
    prune(env, "undoable", Counting())
    before = snapshot(env)
    done = as_nobody(str(env), "--isolated", home=home)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert as_nobody("undo", str(env), home=home).returncode == 2
    assert snapshot(env) == before
    undo(str(env))


@_AS_ROOT
def test_the_notes_of_another_user_are_not_ours(
    theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root with the home of somebody who has made the note himself (sudo keeps HOME)."""
    env, home = theirs / "env", theirs / "home"
    done = as_nobody(str(env), "--isolated", "--drop", "include/**", "--undoable", home=home)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".local/state"))
    os.chown(env / ".condaprune", 0, 0)
    os.chown(env / ".condaprune/journal.kept", 0, 0)
    refused(env)


@_AS_ROOT
def test_a_trusted_journal_gives_nothing_to_root_that_the_user_had_not(theirs: Path) -> None:
    env = theirs / "env"
    done = as_nobody(
        str(env), "--isolated", "--drop", "include/**", "--undoable", home=theirs / "home"
    )
    assert done.returncode == 0, done.stderr
    assert "as it was" in undo(str(env), accept="any")
    assert (env / "include/zlib.h").stat().st_uid == int(NOBODY)


def test_a_look_takes_no_lock_and_changes_nothing(root: Path) -> None:
    kept(root)
    before = snapshot(root)
    present, leftover = peek(str(root), "env")
    assert present
    assert leftover is not None
    assert (leftover.ours, leftover.phase) == (True, Phase.KEPT)
    assert snapshot(root) == before


def test_a_run_can_be_undone_only_once(root: Path) -> None:
    kept(root)
    undo(str(root))
    with pytest.raises(CannotUndo):
        undo(str(root))
