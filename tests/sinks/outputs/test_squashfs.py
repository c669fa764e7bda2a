"""Images of a file system, made by the real mksquashfs and read by unsquashfs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from condaprune.errors import SinkError

from .helpers import Node, build, on_disk, pack, without_added

pytestmark = pytest.mark.skipif(
    not (shutil.which("mksquashfs") and shutil.which("unsquashfs")),
    reason="needs squashfs-tools: apt install it",
)
TREE = {
    "empty": Node(),
    "sub": Node(),
    "sub/deep": Node(),
    "sub/deep/x": Node(data=b"x" * 70_000),
    "a": Node(data=b"a" * 3000),
    "b": Node(same_as="a"),
    "link": Node(target="sub/deep/x"),
    "dangling": Node(target="nowhere"),
    "program": Node(data=b"#!/bin/sh\n", mode=0o755),
    "caf\u00e9": Node(data=b"1"),
    "odd \udcff name": Node(data=b"2"),
    "no bytes": Node(data=b""),
}


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return build(tmp_path / "env", TREE)


def unpacked(image: Path) -> Path:
    """The image as a folder."""
    out = image.with_suffix(".out")
    subprocess.run(
        ["unsquashfs", "-quiet", "-no-progress", "-d", out, image],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return out


def test_an_image_holds_the_tree(env: Path, tmp_path: Path) -> None:
    outcome = pack(env, tmp_path / "o.squashfs")
    out = unpacked(tmp_path / "o.squashfs")
    assert without_added(on_disk(os.fsencode(out))) == on_disk(os.fsencode(env))
    assert outcome.output_size == (tmp_path / "o.squashfs").stat().st_size
    assert "mksquashfs" in outcome.compressor


def test_a_tar_becomes_the_image_that_its_prefix_becomes(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.tar", arcroot="root")
    pack(tmp_path / "o.tar", tmp_path / "o.squashfs", arcroot="")
    out = unpacked(tmp_path / "o.squashfs")
    assert without_added(on_disk(os.fsencode(out))) == on_disk(os.fsencode(env))


@pytest.mark.parametrize("arcroot", ["opt/env", ""], ids=["a folder around it", "none"])
def test_arcroot(env: Path, tmp_path: Path, arcroot: str) -> None:
    pack(env, tmp_path / "o.squashfs", arcroot=arcroot)
    out = unpacked(tmp_path / "o.squashfs")
    inside = on_disk(os.fsencode(out / arcroot))
    assert without_added(inside) == on_disk(os.fsencode(env))
    assert {path.name for path in out.iterdir()} == ({"opt"} if arcroot else set(os.listdir(out)))
    assert (out / arcroot / "conda-meta" / "history").exists()


def test_owner_and_modes(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.squashfs", owner="1000:1001")
    told = subprocess.run(
        ["unsquashfs", "-lln", tmp_path / "o.squashfs"], check=True, capture_output=True
    ).stdout.splitlines()
    rows = [row.split() for row in told if row[:1] in (b"-", b"d", b"l")]
    inner = [row for row in rows if not row[-1].endswith(b"squashfs-root")]
    assert inner
    assert {row[1] for row in inner} == {b"1000/1001"}
    modes = {row[0] for row in inner}
    assert modes == {b"-rw-r--r--", b"-rwxr-xr-x", b"drwxr-xr-x", b"lrwxrwxrwx"}


def test_the_same_bytes_for_any_threads_place_and_time(tmp_path: Path) -> None:
    one = build(tmp_path / "one", TREE, time=1_700_000_000)
    two = build(tmp_path / "a-longer-path", TREE, backwards=True, time=1_750_000_000)
    images = []
    for number, (env, threads) in enumerate([(one, 1), (two, 2), (one, 4)]):
        pack(env, tmp_path / f"{number}.squashfs", threads=threads)
        images.append((tmp_path / f"{number}.squashfs").read_bytes())
    assert images[0] == images[1] == images[2]


def test_source_date_epoch(env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    pack(env, tmp_path / "o.squashfs")
    for folder, folders, files in os.walk(unpacked(tmp_path / "o.squashfs")):
        for name in folders + files:
            assert os.lstat(os.path.join(folder, name)).st_mtime <= 1_600_000_000


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("cat > /dev/null; echo 'no space left' >&2; exit 1", id="it fails at the end"),
        pytest.param("echo 'no space left' >&2; exit 1", id="it does not read"),
    ],
)
def test_a_failing_mksquashfs_leaves_nothing(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (env / "lib" / "large").write_bytes(os.urandom(3_000_000))
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "mksquashfs"
    script.write_text(
        f'#!/bin/sh\n[ "$1" != -version ] || {{ echo version 4.6; exit; }}\n{program}\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    with pytest.raises(SinkError, match="no space left"):
        pack(env, tmp_path / "o.squashfs")
    assert sorted(os.listdir(tmp_path)) == ["env", "tools"]
