"""Files that are no longer those of the plan: a typed error, never a wrong or broken output."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from condaprune.edit import Edit, Patch
from condaprune.errors import CondapruneError, SinkError
from condaprune.model import Plan
from condaprune.sinks.attributes import CAPABILITY
from condaprune.sinks.outputs import members
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.prefix import PrefixSource
from tests.sinks.outputs.helpers import Node, build, pack, plan_for
from tests.sinks.outputs.test_attributes import CAPABILITIES

FORMATS = ["o.tar", "o.tar.gz", "o.zip", "o.oci.tar", "out"]
SECRET = b"not of this environment"
SIZES = {"small": len(SECRET), "large": 3 * members.PIECE}


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """Nothing waits for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=SIZES)
def victim(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of an environment, small or large."""
    tree = {"d": Node(), "d/file": Node(data=b"a" * SIZES[request.param]), "z": Node(data=b"end")}
    return build(tmp_path / "env", tree, time=1_700_000_000) / "lib/d/file"


def like(path: Path, other: Path) -> None:
    """Make *other* with another content, of the size and time of *path*."""
    info = path.stat()
    other.write_bytes(SECRET.ljust(info.st_size, b"!")[: info.st_size])
    os.utime(other, ns=(info.st_atime_ns, info.st_mtime_ns))


def exchanged(path: Path) -> None:
    like(path, path.with_name("new"))
    path.with_name("new").rename(path)


def linked(path: Path) -> None:
    like(path, path.parents[3] / "outside")
    path.unlink()
    path.symlink_to(path.parents[3] / "outside")


def hard_linked(path: Path) -> None:
    like(path, path.parents[3] / "outside")
    path.unlink()
    os.link(path.parents[3] / "outside", path)


def below_a_link(path: Path) -> None:
    other = path.parents[3] / "other"
    other.mkdir()
    like(path, other / path.name)
    path.parent.rename(path.parents[3] / "was")
    path.parent.symlink_to(other)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def shorter(path: Path) -> None:
    os.truncate(path, 3)


def longer(path: Path) -> None:
    with open(path, "ab") as stream:
        stream.write(b"more")


def written(path: Path) -> None:
    with open(path, "r+b") as stream:
        stream.write(b"other")


def missing(path: Path) -> None:
    path.unlink()


CHANGES: list[Callable[[Path], None]] = [
    exchanged, linked, hard_linked, below_a_link, pipe, folder, shorter, longer, written, missing,
]  # fmt: skip


def refuses(env: Path, output: Path, plan: Plan) -> None:
    before = set(os.listdir(output.parent))
    with pytest.raises(SinkError):
        pack(PrefixSource(str(env)), output, plan)
    assert set(os.listdir(output.parent)) == before, "nothing is left of the output"


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_before_it_is_read(
    victim: Path, tmp_path: Path, output: str, change: Callable[[Path], None]
) -> None:
    env = victim.parents[2]
    plan = plan_for(PrefixSource(str(env)))
    change(victim)
    refuses(env, tmp_path / output, plan)


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("change", [shorter, longer, written], ids=lambda c: c.__name__)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_changes_while_it_is_read(
    tmp_path: Path,
    output: str,
    change: Callable[[Path], None],
    at: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = {"file": Node(data=b"\x7fELF" + bytes(SIZES["large"])), "z": Node(data=b"end")}
    env = build(tmp_path / "env", tree, time=1_700_000_000)
    plan = plan_for(PrefixSource(str(env)))
    readv, calls = os.readv, 0

    def reading(*args: Any) -> int:
        nonlocal calls
        if calls == at:
            change(env / "lib/file")
        calls += 1
        return readv(*args)

    monkeypatch.setattr(members.os, "readv", reading)
    monkeypatch.setattr("condaprune.sinks.outputs.folder._clone", lambda *_: False)
    refuses(env, tmp_path / output, plan)
    assert calls > at


def test_what_changes_while_it_is_cloned(
    victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clone(target: int, source: int) -> bool:
        os.write(target, os.pread(source, 1 << 30, 0))
        written(victim)
        return True

    env = victim.parents[2]
    monkeypatch.setattr("condaprune.sinks.outputs.folder._clone", clone)
    refuses(env, tmp_path / "out", plan_for(PrefixSource(str(env))))


def test_a_file_whose_capabilities_go_while_it_is_read(tmp_path: Path) -> None:
    """Writing to it takes them off; times can be set back."""
    env = build(tmp_path / "env", {"able": Node(data=bytes(SIZES["large"]), mode=0o755)})
    able = env / "lib/able"
    try:
        os.setxattr(able, CAPABILITY, CAPABILITIES)
    except OSError:
        pytest.skip("capabilities take root")
    body = members.FileBody(
        os.fsencode(able), PrefixSource(str(env)).inventory().entries["lib/able"]
    )
    assert dict(body.attributes()) == {CAPABILITY: CAPABILITIES}
    pieces = iter(body)
    next(pieces)
    time = able.stat().st_mtime_ns
    written(able)
    os.utime(able, ns=(time, time))
    if CAPABILITY in os.listxattr(able):  # root's own writing does not
        os.removexattr(able, CAPABILITY)
    with pytest.raises(SinkError, match="changed"):
        list(pieces)
    body.close()


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("from_archive", [False, True], ids=["prefix", "archive"])
def test_a_patch_of_other_bytes_is_refused(tmp_path: Path, output: str, from_archive: bool) -> None:
    tree = {"prog": Node(data=b"\x7fELF" + b"program" * 900, mode=0o755)}
    env = build(tmp_path / "env", tree)
    source: Any = PrefixSource(str(env))
    if from_archive:
        pack(env, tmp_path / "first.tar", arcroot="")
        source = ArchiveSource(str(tmp_path / "first.tar"))
    patch, digest = (
        Patch(b"\x7fELF", 100, b"tail"),
        hashlib.sha256(tree["prog"].data or b"").digest(),
    )
    good = Edit("lib/prog", b"", 0o755, "test", True, patch, digest)
    bad = Edit("lib/prog", b"", 0o755, "test", True, patch, bytes(32))
    pack(source, tmp_path / output, plan_for(source, edits=(good,)))
    kept = tmp_path / output
    shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
    with pytest.raises(CondapruneError, match="changed"):
        pack(source, tmp_path / output, plan_for(source, edits=(bad,)))
    assert not (tmp_path / output).exists()
