"""The folder around an output belongs to somebody else, who exchanges what is being written."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from condaprune.errors import SinkError
from condaprune.sinks.outputs import held, oci, places
from condaprune.sinks.outputs.places import new_folder
from condaprune.targets import Target, open_folder
from tests.trees import make_prefix

from .helpers import pack

Opened = Callable[[bytes, int], AbstractContextManager[int]]


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_prefix(tmp_path / "env", {"lib/a.txt": b"a" * 3000, "evil": b"* * * * * root id"})


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    (tmp_path / "victim").mkdir(mode=0o700)
    (tmp_path / "victim" / "secret").write_bytes(b"secret")
    (tmp_path / "victim" / "secret").chmod(0o600)
    return tmp_path / "victim"


def facts(victim: Path) -> dict[str, tuple[int, bytes]]:
    paths = [victim, *victim.rglob("*")]
    return {str(p): (p.stat().st_mode, p.read_bytes() if p.is_file() else b"") for p in paths}


def exchanging(victim: Path) -> Opened:
    @contextmanager
    def made_folder(name: bytes, around: int) -> Iterator[int]:
        with held.made_folder(name, around) as handle:
            os.rename(name, b"stolen", src_dir_fd=around, dst_dir_fd=around)
            os.symlink(os.fsencode(victim), name, dir_fd=around)
            yield handle

    return made_folder


@pytest.mark.parametrize("name", ["out/", "out.oci", "out.oci.tar"])
def test_what_is_written_goes_by_the_handle(
    env: Path, victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = facts(victim)
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(places, "made_folder", exchanging(victim))
    monkeypatch.setattr(oci, "made_folder", exchanging(victim))
    output = f"{tmp_path}/theirs/{name}"
    if name.endswith(".tar"):
        pack(env, output)
        assert (tmp_path / "theirs" / name).stat().st_size > 3000
    else:
        with pytest.raises(SinkError, match="something took its place"):
            pack(env, output)
        assert not os.path.lexists(output.rstrip("/"))
    assert facts(victim) == before


@pytest.mark.parametrize("target", ["", "secret"])
def test_permissions_are_given_to_what_was_written(
    victim: Path, tmp_path: Path, target: str
) -> None:
    before = facts(victim)
    with (
        contextlib.suppress(SinkError),
        new_folder(str(tmp_path / "out")) as place,
    ):
        os.rename(place.path, tmp_path / "stolen")
        os.symlink(victim / target, place.path)
    assert not os.path.lexists(tmp_path / "out")
    assert facts(victim) == before


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_folder_of_somebody_else_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """It was put there before ours could be opened."""

    (tmp_path / "other").mkdir()
    (tmp_path / "other").chmod(mode)
    (tmp_path / "other" / "file").touch()

    def mkdir(name: bytes, _mode: int, *, dir_fd: int) -> None:
        os.rename(tmp_path / "other", os.fsencode(tmp_path) + b"/" + name)

    with open_folder(os.fsencode(tmp_path)) as around:
        monkeypatch.setattr(held.os, "mkdir", mkdir)
        with pytest.raises(OSError, match="took its place"), held.made_folder(b"new", around):
            pass


def test_a_new_folder_is_ours_alone(tmp_path: Path) -> None:
    with open_folder(os.fsencode(tmp_path)) as around, held.made_folder(b"new", around) as handle:
        assert stat.S_IMODE(os.fstat(handle).st_mode) == 0o700
        held.check_held(b"new", around, handle)
        with held.new_file_in(handle, "a") as file:
            file.write(b"123")
        os.link("a", "b", src_dir_fd=handle, dst_dir_fd=handle)
        os.mkdir("sub", dir_fd=handle)
        os.symlink("12", "sub/c", dir_fd=handle)
        assert held.size_of(handle) == 5
        with pytest.raises(FileExistsError):
            held.new_file_in(handle, "a")


@pytest.mark.skipif(not shutil.which("mksquashfs"), reason="no squashfs-tools here")
def test_mksquashfs_writes_into_the_open_file(
    env: Path, victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = facts(victim)
    original = Target.replacing

    @contextmanager
    def replacing(target: Target, mode: int | None = None) -> Iterator[tuple[int, str]]:
        with original(target, mode) as (handle, part):
            os.unlink(part)
            os.symlink(victim / "secret", part)
            yield handle, part

    monkeypatch.setattr(Target, "replacing", replacing)
    pack(env, tmp_path / "o.squashfs")
    assert facts(victim) == before
