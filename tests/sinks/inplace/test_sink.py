"""Runs in place: what they leave alone, what stops them, and what they say."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from condaprune.app import carry_out as composition
from condaprune.errors import SinkError, VerificationFailed
from condaprune.live.heal.verifier import Verifier
from condaprune.live.trials import CommandTrial
from condaprune.model import Outcome, Plan
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.run import CannotUndo, recover, undo
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sinks.inplace.state import State
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.prefixes import SITE, build, difference, inodes, make_plan, snapshot


def carry_out(
    root: Path, plan: Plan | None = None, command: str = "", **options: object
) -> Outcome:
    """A run on the prefix, verified by a command."""
    sink = InPlaceSink(InPlaceOptions(verified=bool(command), **options))  # type: ignore[arg-type]
    carried = composition.carry_out(
        plan or make_plan(root),
        PrefixSource(str(root)),
        sink,
        verifier=Verifier([CommandTrial(command)]) if command else None,
    )
    return carried.outcome


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small prefix."""
    return build(tmp_path)


def test_files_shared_with_a_package_cache_do_not_change(root: Path) -> None:
    cache = root.parent / "cache"
    before = {
        p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_mode) for p in cache.iterdir()
    }
    carry_out(root)
    after = {
        p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_mode) for p in cache.iterdir()
    }
    assert before == after


def test_the_outcome_is_measured(root: Path) -> None:
    outcome = carry_out(root)
    left = {p.stat().st_ino: p.stat().st_size for p in root.rglob("*") if p.is_file()}
    assert outcome.bytes_after == sum(left.values())


def test_a_second_run_with_nothing_to_do_changes_nothing(root: Path) -> None:
    carry_out(root)
    after = snapshot(root)
    plan = replace(make_plan(root), decisions={})
    outcome = carry_out(root, plan)
    assert outcome.bytes_before == outcome.bytes_after
    assert snapshot(root) == after


def test_a_folder_swapped_for_a_link_leads_nowhere(root: Path, tmp_path: Path) -> None:
    plan = make_plan(root)
    canary = tmp_path / "canary"
    shutil.copytree(root / SITE / "pkg/tests", canary)
    told = snapshot(canary)
    (root / SITE / "pkg/tests").rename(tmp_path / "elsewhere")
    (root / SITE / "pkg/tests").symlink_to(canary)
    carry_out(root, plan)
    assert snapshot(canary) == told


class Swapping(Filesystem):
    """Swaps a folder for a link to the canary at the first removal."""

    def __init__(self, folder: Path, canary: Path) -> None:
        self._folder, self._canary = folder, canary

    def unlink(self, name: bytes, folder: int) -> None:
        if self._folder.is_dir() and not self._folder.is_symlink():
            self._folder.rename(self._folder.with_name("elsewhere"))
            self._folder.symlink_to(self._canary)
        super().unlink(name, folder)


def test_a_folder_swapped_during_the_run_leads_nowhere(root: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    shutil.copytree(root / SITE / "pkg/tests", canary)
    told = snapshot(canary)
    outcome = carry_out(root, filesystem=Swapping(root / SITE / "pkg/tests", canary))
    assert snapshot(canary) == told
    assert "changed since the plan was made" in " ".join(outcome.notes)


def test_a_file_that_changed_since_the_plan_is_kept_and_reported(root: Path) -> None:
    plan = make_plan(root)
    (root / "include/zlib.h").unlink()
    (root / "include/zlib.h").write_text("my own")
    outcome = carry_out(root, plan)
    assert (root / "include/zlib.h").read_text() == "my own"
    assert any("include/zlib.h" in note for note in outcome.notes)


def test_a_list_that_changed_since_the_plan_stops_the_run(root: Path) -> None:
    plan = make_plan(root)
    (root / f"{SITE}/pkg-1.0.dist-info/RECORD").write_text("changed\n")
    before = snapshot(root)
    with pytest.raises(SinkError, match="nothing was touched"):
        carry_out(root, plan)
    assert snapshot(root) == before


def test_a_vanished_file_is_what_was_asked_for(root: Path) -> None:
    plan = make_plan(root)
    (root / "lib/libdemo.a").unlink()
    carry_out(root, plan)
    assert not (root / "lib/libdemo.a").exists()


def test_two_runs_do_not_meet(root: Path) -> None:
    plan, before = make_plan(root), snapshot(root)
    with State(Filesystem(), str(root)), pytest.raises(SinkError, match="another run"):
        carry_out(root, plan)
    assert snapshot(root) == before


def test_a_running_process_is_reported(root: Path) -> None:
    shutil.copy("/bin/sleep", root / "bin/sleep")
    with subprocess.Popen([root / "bin/sleep", "60"]) as process:
        time.sleep(0.2)
        outcome = carry_out(root)
        process.kill()
    assert any(f"{process.pid}" in note for note in outcome.notes)


@pytest.mark.parametrize("move", [False, True], ids=["unlinking", "setting aside"])
def test_an_immutable_file_stops_the_run_before_it_begins(root: Path, move: bool) -> None:
    path, before = root / "lib/libdemo.a", snapshot(root)
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", path], check=False).returncode:
        pytest.skip("files cannot be made immutable here")
    try:
        with pytest.raises(SinkError, match="immutable"):
            carry_out(root, undoable=move)
        assert snapshot(root) == before
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


class Failing(Filesystem):
    """Will not let go of one name."""

    def unlink(self, name: bytes, folder: int) -> None:
        if name == b"libdemo.a":
            raise PermissionError(1, "Operation not permitted")
        super().unlink(name, folder)

    def rename(self, name: bytes, folder: int, new: bytes, to: int) -> None:
        if name == b"libdemo.a":
            raise PermissionError(1, "Operation not permitted")
        super().rename(name, folder, new, to)


def test_a_file_that_will_not_go_stays_and_all_else_is_done(root: Path) -> None:
    with pytest.raises(SinkError, match=r"libdemo\.a: cannot be removed.*all else is done"):
        carry_out(root, filesystem=Failing())
    assert (root / "lib/libdemo.a").exists()
    assert not (root / "include").exists()
    assert not (root / ".condaprune").exists()


def test_a_file_that_cannot_be_set_aside_undoes_the_run(root: Path) -> None:
    before = snapshot(root)
    with pytest.raises(SinkError, match="nothing was changed"):
        carry_out(root, filesystem=Failing(), undoable=True)
    assert snapshot(root) == before


class Across(Filesystem):
    """Renames nothing out of its folder, as across layers of an overlay."""

    def rename(self, name: bytes, folder: int, new: bytes, to: int) -> None:
        if new.isdigit() and folder != to:
            raise OSError(18, "Invalid cross-device link")
        super().rename(name, folder, new, to)


def test_what_cannot_be_renamed_is_copied_and_comes_back(root: Path) -> None:
    before = snapshot(root)
    outcome = carry_out(root, filesystem=Across(), undoable=True)
    assert any("copied" in note for note in outcome.notes)
    undo(str(root))
    after = snapshot(root)
    # A copy is no hard link to the others any more: all else is as it was.
    assert [path for path in before if before[path][:5] != after[path][:5]] == []
    assert [path for path in before if before[path][7] != after[path][7]] == []


def test_undo_restores_inodes_times_and_links(root: Path) -> None:
    before, numbers = snapshot(root), inodes(root)
    carry_out(root, undoable=True)
    assert not (root / "include").exists()
    undo(str(root))
    assert difference(before, snapshot(root)) == []
    assert inodes(root) == numbers


def test_undo_says_plainly_that_it_cannot(root: Path) -> None:
    carry_out(root)
    after = snapshot(root)
    with pytest.raises(CannotUndo) as caught:
        undo(str(root))
    assert caught.value.exit_code == 1
    assert snapshot(root) == after


def test_forgetting_makes_an_undoable_run_final(root: Path) -> None:
    carry_out(root, undoable=True)
    undo(str(root), forget=True)
    assert not (root / ".condaprune").exists()
    with pytest.raises(CannotUndo):
        undo(str(root))


def test_a_run_on_top_of_an_undoable_one_is_refused(root: Path) -> None:
    carry_out(root, undoable=True)
    plan = make_plan(root, more=("lib/libdemo.so.1",))
    with pytest.raises(SinkError, match="undo --forget"):
        carry_out(root, plan)


def test_a_failed_verification_undoes_the_run_and_names_what_it_looked_for(root: Path) -> None:
    before = snapshot(root)
    with pytest.raises(VerificationFailed) as caught:
        carry_out(root, command='cat "$CONDA_PREFIX/include/zlib.h"')
    assert caught.value.exit_code == 1
    assert "include/zlib.h (rule demo.rule)" in str(caught.value)
    assert "No such file or directory" in str(caught.value)
    assert difference(before, snapshot(root)) == []


def test_a_verification_sees_the_activated_environment(root: Path) -> None:
    folder = root / "etc/conda/activate.d"
    folder.mkdir(parents=True)
    (folder / "demo.sh").write_text("export DEMO=set\n")
    command = (
        'test "$DEMO" = set && test -d "$HOME" && '
        'case "$PATH" in "$CONDA_PREFIX/bin:"*) ;; *) exit 3 ;; esac'
    )
    carry_out(root, command=command)
    assert not (root / "include").exists()


def test_a_run_that_was_really_killed_is_finished_by_the_next_command(root: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from condaprune.sinks.inplace.filesystem import Filesystem\n"
        "from tests.sinks.inplace.test_sink import carry_out\n"
        "class Dying(Filesystem):\n"
        "    def rmdir(self, name, folder):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "carry_out(Path(sys.argv[1]), filesystem=Dying())\n"
    )
    here = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code, str(root)], cwd=here, check=False)
    assert done.returncode == -signal.SIGKILL
    from condaprune.cli import run

    with pytest.raises(CannotUndo, match="nothing was touched"):
        undo(str(root))
    assert run([str(root), "--isolated", "-q", "--profile", "safe"]) == 0
    assert not (root / ".condaprune").exists()
    assert not (root / "include").exists()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder to mount on, unmounted at the end; skipped where nothing may be mounted."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    trial = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if trial.returncode:
        pytest.skip("nothing may be mounted here")
    yield folder
    while subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0:
        pass


@pytest.mark.parametrize("move", [False, True], ids=["unlinking", "setting aside"])
def test_a_full_disk_stops_the_run_before_it_begins(mounted: Path, move: bool) -> None:
    root = build(mounted)
    plan, before = make_plan(root), snapshot(root)
    try:
        with open(mounted / "filler", "wb", buffering=0) as stream:
            while True:
                stream.write(b"\0" * 4096)
    except OSError:
        pass
    with pytest.raises(SinkError, match="nothing was touched"):
        carry_out(root, plan, undoable=move)
    assert difference(before, snapshot(root)) == []
    (mounted / "filler").unlink()
    carry_out(root, plan)
    assert not (root / "include").exists()


def test_a_read_only_mount_stops_the_run_before_it_begins(mounted: Path) -> None:
    root = build(mounted)
    plan, before = make_plan(root), snapshot(root)
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    with pytest.raises(SinkError, match="nothing was touched"):
        carry_out(root, plan)
    assert snapshot(root) == before


@pytest.mark.parametrize("move", [False, True], ids=["unlinking", "set aside and undone"])
def test_an_overlay_with_the_environment_in_the_lower_layer(mounted: Path, move: bool) -> None:
    for name in ("lower", "upper", "work", "merged"):
        (mounted / name).mkdir()
    lower = build(mounted / "lower")
    told = snapshot(lower)
    merged = mounted / "merged"
    layers = f"lowerdir={mounted}/lower,upperdir={mounted}/upper,workdir={mounted}/work"
    made = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", layers, merged],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no overlay file system here")
    try:
        root = merged / "env"
        before = snapshot(root)
        outcome = carry_out(root, undoable=move)
        assert not (root / "include").exists()
        assert sum("no smaller" in note for note in outcome.notes) == 1
        if move:
            assert any("layer" in note for note in outcome.notes)
            undo(str(root))
            after = snapshot(root)
            assert [path for path in before if before[path][:5] != after[path][:5]] == []
        else:
            carried = set(snapshot(root))
            plain = build(mounted / "work2")
            carry_out(plain)
            assert carried == set(snapshot(plain))
            recover(str(root))
        assert snapshot(lower) == told
    finally:
        subprocess.run(["umount", merged], check=True)


def test_paths_are_relative_to_the_real_prefix(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    carry_out(root, make_plan(Path(os.fspath(link))))
    assert not (root / "include").exists()
