"""Random trees go into archives and come out the same, whatever the reader, threads or machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from condaprune.sources.archive import ArchiveSource

from .helpers import Node, build, in_tar, on_disk, pack, trees, without_added

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(trees())
def test_tarfile_reads_the_tree(tree: Mapping[str, Node]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = build(Path(folder, "env"), tree)
        pack(env, Path(folder, "o.tar"))
        data = Path(folder, "o.tar").read_bytes()
        assert without_added(in_tar(data)) == on_disk(os.fsencode(env))
        *names, last = in_tar(data)
        assert names == sorted(names), "members are sorted by the bytes of their paths"
        assert last == b"bin/conda-unpack", "which lists what was found in the others"


@FEW
@given(trees())
def test_gnu_tar_unpacks_the_tree(tree: Mapping[str, Node]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = build(Path(folder, "env"), tree)
        pack(env, Path(folder, "o.tar"))
        out = Path(folder, "out")
        out.mkdir()
        run = subprocess.run(
            ["tar", "-C", out, "-xpf", Path(folder, "o.tar")], capture_output=True, check=False
        )
        assert run.returncode == 0, run.stderr
        assert without_added(on_disk(os.fsencode(out))) == on_disk(os.fsencode(env))


@FEW
@given(trees())
def test_an_archive_with_nothing_removed_is_itself(tree: Mapping[str, Node]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = build(Path(folder, "env"), tree)
        first, second = Path(folder, "1.tar"), Path(folder, "2.tar")
        pack(env, first, arcroot="root")
        pack(first, second)
        assert first.read_bytes() == second.read_bytes()
        pack(first, Path(folder, "out"), arcroot="")
        assert without_added(on_disk(os.fsencode(Path(folder, "out")))) == on_disk(os.fsencode(env))


@FEW
@given(trees())
def test_two_checkouts_give_the_same_bytes(tree: Mapping[str, Node]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one = build(Path(folder, "one"), tree, time=1_700_000_000)
        two = build(Path(folder, "a-longer-path", "two"), tree, backwards=True, time=1_750_000_000)
        outputs = []
        for number, (env, threads) in enumerate([(one, 1), (two, 2), (one, 4)]):
            output = Path(folder, f"{number}.tar.zst")
            pack(env, output, threads=threads)
            outputs.append(output.read_bytes())
        assert outputs[0] == outputs[1] == outputs[2]


@FEW
@given(trees())
def test_our_reader_agrees_with_tarfile_on_tarfiles_own_archives(tree: Mapping[str, Node]) -> None:
    import tarfile

    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tempfile.TemporaryDirectory() as folder:
            env = build(Path(folder, "env"), tree)
            path = Path(folder, "o.tar")
            with tarfile.open(path, "w", format=form, encoding="utf-8") as tar:
                tar.add(env, arcname=".")
            source = ArchiveSource(str(path))
            files = [p for p, e in source.inventory().entries.items() if e.kind == "file"]
            contents = dict(source.read_many(files))
            groups: dict[int, bytes] = {}
            found: dict[bytes, tuple[object, ...]] = {}
            for path_, entry in source.inventory().entries.items():
                key = os.fsencode(path_)
                if entry.kind == "file":
                    mode = 0o755 if entry.mode & 0o100 else 0o644
                    group = groups.setdefault(entry.inode, key)
                    found[key] = ("file", contents[path_], mode, group)
                elif entry.kind == "link":
                    found[key] = ("link", os.fsencode(entry.target))
                else:
                    found[key] = ("folder",)
            assert found == on_disk(os.fsencode(env))


@pytest.mark.parametrize("form", ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip"])
@pytest.mark.parametrize("level", [None, 1, 6], ids=["the usual level", "level 1", "level 6"])
def test_bytes_do_not_depend_on_threads(tmp_path: Path, form: str, level: int | None) -> None:
    if form == "tar" and level is not None:
        pytest.skip("a plain tar has no level")
    # More than a block of each codec, and text as well as noise.
    noise = os.urandom(300_000)
    tree = {f"f{n}": Node(data=noise[n:] + b"text " * 40_000 * n) for n in range(12)}
    env = build(tmp_path / "env", tree)
    outputs = []
    for threads in (1, 2, 4):
        output = tmp_path / f"{threads}.{form}"
        pack(env, output, threads=threads, level=level)
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]
    pack(tmp_path / f"1.{form}", tmp_path / "out")
    assert without_added(on_disk(os.fsencode(tmp_path / "out"))) == on_disk(os.fsencode(env))
