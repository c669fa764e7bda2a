"""The atime recorder: a canary decides, and it refuses where access times tell nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.atime import AtimeRecorder
from condaprune.live.trace.session import record
from condaprune.proc import Mount, mount_of

from .conftest import READ, opened

_EXT4 = Mount("/", "ext4", ("rw", "relatime"))


def _times_move(folder: Path) -> bool:
    return "noatime" not in mount_of(os.path.realpath(folder)).options


@pytest.fixture
def moving(prefix: Path) -> Path:
    if not _times_move(prefix) or mount_of(os.path.realpath(prefix)).kind == "overlay":
        pytest.skip("access times do not move on this file system")
    return prefix


def test_what_was_read_is_seen_and_times_are_put_back(
    moving: Path, python: Callable[..., list[str]]
) -> None:
    files = [p for p in moving.rglob("*") if p.is_file() and not p.is_symlink()]
    before = {path: (os.lstat(path).st_mtime_ns, os.lstat(path).st_atime_ns) for path in files}
    read = moving / "data" / "one.txt"
    empty = moving / "lib/python3.11/lib-dynload/_ssl.so"
    command = python(READ, read, empty, moving / "alias" / "two.txt")
    trace = record(command, os.fspath(moving), ["atime"])
    expected = {"data/one.txt", "data/two.txt", "lib/python3.11/lib-dynload/_ssl.so"}
    assert opened(trace) == expected
    assert opened(trace, "readlink") == {"alias"}
    assert trace.runs[0].canary == "passed"
    after = {path: (os.lstat(path).st_mtime_ns, os.lstat(path).st_atime_ns) for path in files}
    touched = {moving / path for path in expected}
    assert {p: t for p, t in after.items() if p not in touched} == {
        p: t for p, t in before.items() if p not in touched
    }
    assert all(after[path][0] == before[path][0] for path in touched)


def test_what_was_looked_at_only_is_not_seen(
    moving: Path, python: Callable[..., list[str]]
) -> None:
    code = "import os, sys; os.stat(sys.argv[1]); open(sys.argv[1]).close()"
    trace = record(python(code, moving / "data" / "one.txt"), os.fspath(moving), ["atime"])
    assert opened(trace) == set()


def test_changes_of_the_prefix_are_told(moving: Path) -> None:
    recorder = AtimeRecorder(os.path.realpath(moving))
    recorder.start()
    (moving / "made").write_bytes(b"")
    os.unlink(moving / "data" / "two.txt")
    recording = recorder.stop()
    assert recording.changed is not None
    assert {"made", "data/two.txt"} == {*recording.changed}


def test_a_noatime_mount_is_refused(prefix: Path) -> None:
    mount = Mount("/mnt", "ext4", ("rw", "noatime"))
    with pytest.raises(TraceError, match="/mnt is mounted noatime"):
        AtimeRecorder(os.fspath(prefix), mount=mount).check()


def test_lower_files_of_an_overlay_are_refused(prefix: Path, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="lower layer of an overlay"):
        AtimeRecorder(os.fspath(prefix), mount=Mount("/", "overlay", ("rw", "relatime"))).check()
    upper = tmp_path / "upper"
    shutil.copytree(prefix, upper, symlinks=True)
    mount = Mount(os.fspath(prefix), "overlay", ("rw", f"upperdir={upper}"))
    AtimeRecorder(os.fspath(prefix), mount=mount).check()


def test_files_with_hard_links_elsewhere_are_refused(prefix: Path, tmp_path: Path) -> None:
    os.link(prefix / "data" / "one.txt", prefix / "data" / "same.txt")
    AtimeRecorder(os.fspath(prefix), mount=_EXT4).check()
    os.link(prefix / "data" / "one.txt", tmp_path / "cache.txt")
    with pytest.raises(TraceError, match="1 files have hard links outside the prefix"):
        AtimeRecorder(os.fspath(prefix), mount=_EXT4).check()


def test_a_canary_whose_time_does_not_move_ends_it(
    moving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.lstat(moving / "data" / "one.txt").st_atime_ns
    recorder = AtimeRecorder(os.fspath(moving), mount=_EXT4)
    real = os.utime
    monkeypatch.setattr("builtins.open", lambda *_a, **_k: open_nothing())
    with pytest.raises(TraceError, match="self-test failed: access times did not move"):
        recorder.start()
    monkeypatch.undo()
    assert os.utime is real
    assert os.lstat(moving / "data" / "one.txt").st_atime_ns == before


def open_nothing() -> object:
    import io

    return io.BytesIO(b"x")


def test_a_prefix_without_files_has_no_canary(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TraceError, match="no two readable files"):
        AtimeRecorder(os.fspath(tmp_path / "empty"), mount=_EXT4).start()


def test_somebody_elses_files_are_refused(moving: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", denied)
    with pytest.raises(TraceError, match="cannot be set: Operation not permitted"):
        AtimeRecorder(os.fspath(moving), mount=_EXT4).start()
