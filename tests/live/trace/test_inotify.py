"""The inotify recorder: what it sees, what it must say when it cannot see."""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import TraceError
from condaprune.live.trace.recorders import inotify
from condaprune.live.trace.recorders.base import Recording
from condaprune.live.trace.recorders.inotify import InotifyRecorder, events
from condaprune.paths import from_bytes

from .conftest import READ

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def recorded(prefix: Path, act: Callable[[], object]) -> Recording:
    recorder = InotifyRecorder(os.fspath(prefix))
    recorder.check()
    recorder.start()
    try:
        act()
    finally:
        recording = recorder.stop()
    return recording


def kinds(recording: Recording) -> dict[str, set[str]]:
    return {path: set(entry.kinds) for path, entry in recording.entries.items()}


def test_a_file_that_is_opened_is_seen_whatever_its_name(prefix: Path) -> None:
    name = os.fsencode(prefix) + b"/data/\xff\x80.txt"
    line = prefix / "data" / "new\nline.txt"
    recording = recorded(prefix, lambda: (open(name, "rb").close(), line.read_bytes()))
    assert kinds(recording) == {
        from_bytes(b"data/\xff\x80.txt"): {"open"},
        "data/new\nline.txt": {"open"},
    }
    assert not recording.overflow
    assert recording.changed == ()


def test_files_that_are_looked_at_only_are_not_seen(prefix: Path) -> None:
    def look() -> None:
        os.stat(prefix / "data" / "one.txt")
        os.readlink(prefix / "alias")
        assert not (prefix / "missing").exists()

    assert recorded(prefix, look).entries == {}


def test_a_link_shows_as_the_file_it_leads_to(prefix: Path) -> None:
    recording = recorded(prefix, lambda: (prefix / "alias" / "link.txt").read_bytes())
    assert kinds(recording) == {"data/one.txt": {"open"}}


def test_a_listed_folder_is_listed_once(prefix: Path) -> None:
    recording = recorded(prefix, lambda: os.listdir(prefix / "data"))
    assert kinds(recording) == {"data": {"list"}}
    assert recording.entries["data"].count == 1


def test_opens_are_counted(prefix: Path) -> None:
    def read() -> None:
        for _ in range(3):
            (prefix / "data" / "one.txt").read_bytes()
            (prefix / "data" / "two.txt").read_bytes()

    assert recorded(prefix, read).entries["data/one.txt"].count == 3


def test_changes_are_told_and_new_folders_are_watched(prefix: Path) -> None:
    def change() -> None:
        (prefix / "made" / "deep").mkdir(parents=True)
        (prefix / "made" / "deep" / "early.txt").write_bytes(b"")
        os.unlink(prefix / "data" / "two.txt")
        os.rename(prefix / "data" / "deep", prefix / "moved")
        # The drain adopts new folders as it comes to their event.
        deadline = 200
        while deadline and "made/deep/late.txt" not in recorder._changed:
            (prefix / "made" / "deep" / "late.txt").write_bytes(b"")
            deadline -= 1
        (prefix / "moved" / "three.txt").read_bytes()

    recorder = InotifyRecorder(os.fspath(prefix))
    recorder.start()
    change()
    recording = recorder.stop()
    assert {"made", "made/deep/late.txt", "data/two.txt", "data/deep", "moved"} <= {
        *recording.changed
    }
    assert not (prefix / "data" / "two.txt").exists()


def test_a_process_of_any_kind_is_seen(prefix: Path, python: Callable[..., list[str]]) -> None:
    import subprocess

    command = ["/bin/sh", "-c", 'cat "$1" > /dev/null', "sh", str(prefix / "data" / "two.txt")]

    def run() -> None:
        subprocess.run(command, check=True)
        subprocess.run(python(READ, prefix / "data" / "one.txt"), check=True)

    assert set(recorded(prefix, run).entries) == {"data/one.txt", "data/two.txt"}


def _event(number: int, mask: int, name: bytes = b"") -> bytes:
    padded = name + b"\0" * (-len(name) % 16 or 16 * bool(name))
    return struct.pack("iIII", number, mask, 0, len(padded)) + padded


def test_events_are_read_off_a_buffer() -> None:
    data = _event(1, inotify.IN_OPEN, b"a") + _event(2, inotify.IN_OPEN) + _event(3, 8, b"x" * 16)
    assert list(events(data)) == [(1, 0x20, "a"), (2, 0x20, ""), (3, 8, "x" * 16)]
    assert list(events(data[:10])) == []


def test_an_overflow_makes_the_recording_incomplete(prefix: Path) -> None:
    recorder = InotifyRecorder(os.fspath(prefix))
    recorder.start()
    recorder.feed(_event(-1, inotify.IN_Q_OVERFLOW))
    assert recorder.stop().overflow


def test_events_of_unknown_and_gone_watches_are_left_out(prefix: Path) -> None:
    recorder = InotifyRecorder(os.fspath(prefix))
    recorder._watches = {1: "data"}
    recorder.feed(_event(9, inotify.IN_OPEN, b"a") + _event(1, inotify.IN_IGNORED))
    recorder.feed(_event(1, inotify.IN_OPEN, b"b"))
    assert recorder._tally.entries() == {}


class _Libc:
    """A C library whose inotify has reached a limit."""

    def __init__(self, init: int = 99, watch: int = -1, code: int = errno.ENOSPC) -> None:
        self.init = init
        self.watch = watch
        self.code = code

    def inotify_init1(self, _flags: int) -> int:
        ctypes.set_errno(self.code)
        return self.init if self.init < 0 else os.open(os.devnull, os.O_RDONLY)

    def inotify_add_watch(self, _handle: int, _folder: bytes, _mask: int) -> int:
        ctypes.set_errno(self.code)
        return self.watch


@pytest.mark.parametrize(
    ("libc", "match"),
    [
        (_Libc(init=-1, code=errno.EMFILE), r"limit fs\.inotify\.max_user_instances is reached"),
        (
            _Libc(),
            r"limit fs\.inotify\.max_user_watches is reached.*sysctl fs\.inotify\.max_user_w",
        ),
        (_Libc(code=errno.EACCES), "cannot watch the prefix: Permission denied"),
    ],
    ids=["instances", "watches", "no permission"],
)
def test_a_limit_of_the_kernel_names_its_remedy(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, libc: _Libc, match: str
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_a, **_k: libc)
    with pytest.raises(TraceError, match=match):
        InotifyRecorder(os.fspath(prefix)).start()


def test_a_limit_that_is_reached_while_draining_ends_in_an_error(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = InotifyRecorder(os.fspath(prefix))
    recorder.start()
    monkeypatch.setattr(recorder, "_libc", _Libc())
    (prefix / "made").mkdir()
    with pytest.raises(TraceError, match="max_user_watches"):
        recorder.stop()


def test_a_folder_that_cannot_be_watched_is_noted(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ctypes.CDLL(None, use_errno=True)

    class Libc:
        inotify_init1 = staticmethod(real.inotify_init1)

        @staticmethod
        def inotify_add_watch(handle: int, folder: bytes, mask: int) -> int:
            if folder.endswith((b"/deep", b"/site-packages")):
                ctypes.set_errno(errno.EACCES if folder.endswith(b"/deep") else errno.ENOENT)
                return -1
            return int(real.inotify_add_watch(handle, folder, mask))

    monkeypatch.setattr(ctypes, "CDLL", lambda *_a, **_k: Libc)
    recording = recorded(prefix, lambda: None)
    assert any("1 folders could not be watched, such as data/deep" in n for n in recording.notes)


def test_a_system_without_inotify_is_named(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_a, **_k: object())
    with pytest.raises(TraceError, match="no inotify"):
        InotifyRecorder(os.fspath(prefix)).check()
