"""Outputs are refused before the work, appear whole, and hold what the plan says."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.edit import Edit
from condaprune.errors import CondapruneError, SinkError, UsageProblem
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.prefix import PrefixSource
from tests.sources.archives import header, member, tar
from tests.trees import Link, listing, make_prefix

from .helpers import ADDED, Node, build, on_disk, open_sink, pack, plan_for, without_added

FORMATS = ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip"]


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_prefix(
        tmp_path / "env",
        {"lib/a.txt": b"a" * 3000, "lib/link": Link("a.txt"), "share/empty/": b"", "lib/b": b"b"},
    )


@pytest.mark.parametrize("form", FORMATS)
def test_what_goes_is_not_there_and_what_stays_is(env: Path, tmp_path: Path, form: str) -> None:
    source = PrefixSource(str(env))
    edit = Edit("conda-meta/history", b"new", 0o644, "test", replaces=True)
    outcome = pack(source, tmp_path / f"o.{form}", plan_for(source, ["lib/b"], (edit,)))
    out = ArchiveSource(str(tmp_path / f"o.{form}"))
    before = {p for p, e in source.inventory().entries.items()}
    assert set(out.inventory().entries) == (before | ADDED) - {"lib/b"}
    assert out.read("conda-meta/history") == b"new"
    assert out.read("lib/a.txt") == b"a" * 3000
    assert outcome.output_size == (tmp_path / f"o.{form}").stat().st_size
    assert set(outcome.added) == ADDED


@pytest.mark.parametrize(
    ("output", "match"),
    [
        pytest.param("there.tar", "exists", id="an output that exists"),
        pytest.param("env/o.tar", "inside the environment", id="an output inside the prefix"),
        pytest.param("env", "the environment itself", id="the prefix itself"),
        pytest.param("none/o.tar", "does not exist", id="a folder that is missing"),
    ],
)
def test_outputs_that_are_refused(env: Path, tmp_path: Path, output: str, match: str) -> None:
    (tmp_path / "there.tar").write_bytes(b"old")
    before = listing(tmp_path)
    with pytest.raises(SinkError, match=match):
        open_sink(str(tmp_path / output), prefix=str(env))
    with pytest.raises(SinkError):
        pack(env, tmp_path / output)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("output", "options", "match"),
    [
        pytest.param("o.tar.zs", {}, r"tar\.zst", id="an extension that is near one"),
        pytest.param("o.tar", {"format": "tar.zts"}, "tar.zst", id="a format that is near one"),
        pytest.param("-", {}, "no extension", id="stdout without a format"),
        pytest.param("-", {"format": "zip"}, "standard output", id="stdout for a zip"),
        pytest.param("o.tar.gz", {"level": 12}, "from 0 to 9", id="a level there is not"),
        pytest.param("o.tar", {"owner": "me"}, "1000:1000", id="an owner by name"),
        pytest.param("o.tar", {"mode": "rwx"}, "0555", id="a mode in letters"),
        pytest.param("o.tar", {"arcroot": "../x"}, "relative", id="an arcroot that climbs"),
        pytest.param("o.tar", {"dest_prefix": "opt"}, "absolute", id="a relative destination"),
        pytest.param("o.oci", {"layers": 0}, "--layers", id="no layers"),
        pytest.param("o.oci", {"env": ["X"]}, "NAME=VALUE", id="a variable without a value"),
    ],
)
def test_values_that_are_refused(output: str, options: dict[str, object], match: str) -> None:
    with pytest.raises(UsageProblem, match=match):
        open_sink(output, **options)


def test_a_bad_source_date_epoch_is_refused(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageProblem, match="yesterday"):
        pack(env, tmp_path / "o.tar")
    assert os.listdir(tmp_path) == ["env"]


def test_force_overwrites(env: Path, tmp_path: Path) -> None:
    (tmp_path / "o.tar").write_bytes(b"old")
    pack(env, tmp_path / "o.tar", force=True)
    assert tarfile.is_tarfile(tmp_path / "o.tar")


def test_an_archive_may_replace_itself(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.tar")
    source = ArchiveSource(str(tmp_path / "o.tar"))
    pack(source, tmp_path / "o.tar", plan_for(source, ["lib/b"]), force=True)
    assert "lib/b" not in ArchiveSource(str(tmp_path / "o.tar")).inventory().entries


@pytest.mark.parametrize("form", [*FORMATS, "folder"])
def test_a_failure_on_the_way_leaves_nothing(env: Path, tmp_path: Path, form: str) -> None:
    source = PrefixSource(str(env))
    plan = plan_for(source)
    (env / "lib" / "a.txt").write_bytes(b"shorter")
    name = "o" if form == "folder" else f"o.{form}"
    with pytest.raises(CondapruneError, match="changed"):
        pack(source, tmp_path / name, plan)
    assert os.listdir(tmp_path) == ["env"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_signal_on_the_way_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    env = make_prefix(tmp_path / "env", {"lib/x": b"x" * 100})
    script = f"""
import sys, time
from condaprune.model import no_progress
from condaprune.app.carry_out import carry_out
from tests.sinks.outputs.helpers import open_sink, plan_for
from condaprune.sources.prefix import PrefixSource
source = PrefixSource({str(env)!r})
def slow(phase, done, total):
    print("writing", flush=True)
    time.sleep(30)
carry_out(plan_for(source), source, open_sink({str(tmp_path / "o.tar.zst")!r}), progress=slow)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    assert len(os.listdir(tmp_path)) == 2, "the archive lies under a temporary name"
    process.send_signal(number)
    process.stdout.close()
    assert process.wait(20) != 0
    assert os.listdir(tmp_path) == ["env"]


def test_a_folder_shares_nothing_with_the_prefix(env: Path, tmp_path: Path) -> None:
    os.link(env / "lib" / "b", env / "lib" / "b2")
    pack(env, tmp_path / "out")
    inodes = {os.lstat(os.path.join(r, f)).st_ino for r, _, fs in os.walk(env) for f in fs}
    for root, _, files in os.walk(tmp_path / "out"):
        for name in files:
            assert os.lstat(os.path.join(root, name)).st_ino not in inodes
    assert (tmp_path / "out/lib/b").samefile(tmp_path / "out/lib/b2")


def test_a_folder_of_someone_else_is_not_replaced(env: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_bytes(b"1")
    with pytest.raises(SinkError, match="did not make"):
        pack(env, tmp_path / "out", force=True)
    assert os.listdir(tmp_path / "out") == ["precious"]


def test_the_second_hard_link_gets_the_content_when_the_first_goes(tmp_path: Path) -> None:
    path = tmp_path / "in.tar"
    path.write_bytes(
        tar(
            member(b"lib/a", b"content"),
            header(b"lib/b", b"1", 0, b"lib/a"),
            header(b"lib/c", b"1", 0, b"lib/a"),
        )
    )
    source = ArchiveSource(str(path))
    pack(source, tmp_path / "o.tar", plan_for(source, ["lib/a"]))
    with tarfile.open(tmp_path / "o.tar") as out:
        assert [m.name for m in out] == ["conda-meta/history", "lib/b", "lib/c"]
        assert out.getmember("lib/c").linkname == "lib/b"
        content = out.extractfile("lib/c")
        assert content is not None
        assert content.read() == b"content"


def test_kept_timestamp_bytecode_still_matches_its_source(tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {"lib/m.py": b"x = 1\n", "lib/n.py": b"x = 1\n"})
    import py_compile

    py_compile.compile(
        str(env / "lib" / "m.py"), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP
    )
    pack(env, tmp_path / "o.tar")
    with tarfile.open(tmp_path / "o.tar") as out:
        assert out.getmember("lib/m.py").mtime == int((env / "lib" / "m.py").stat().st_mtime)
        assert out.getmember("lib/n.py").mtime == 315_532_800


def test_owner_mode_and_arcroot(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.tar", owner="1000:1001", mode="0555", arcroot="app")
    with tarfile.open(tmp_path / "o.tar") as out:
        for found in out:
            assert found.name.startswith("app/")
            assert (found.uid, found.gid) == (1000, 1001)
            assert found.mode in (0o444, 0o555) or found.issym()


def test_source_date_epoch_cuts_times(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(env / "lib" / "b", (1_000, 1_000))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    pack(env, tmp_path / "o.tar")
    with tarfile.open(tmp_path / "o.tar") as out:
        assert {m.mtime for m in out} == {1_000, 1_600_000_000}


@pytest.mark.parametrize("level", [None, 6], ids=["the usual level", "a level of zlib's"])
def test_gzip_has_no_time_and_no_name(env: Path, tmp_path: Path, level: int | None) -> None:
    pack(env, tmp_path / "o.tar.gz", level=level)
    data = (tmp_path / "o.tar.gz").read_bytes()
    assert data[:8] == bytes.fromhex("1f8b080000000000")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as out:
        assert len(out.getmembers()) > 5


def test_without_isal_gzip_still_works(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    outcome = pack(env, tmp_path / "o.tar.gz")
    assert "zlib" in outcome.compressor
    assert ArchiveSource(str(tmp_path / "o.tar.gz")).read("lib/b") == b"b"


@pytest.mark.parametrize("links", [False, True], ids=["links as copies", "links as links"])
def test_zip_and_links(env: Path, tmp_path: Path, links: bool) -> None:
    os.symlink("lib", env / "lib64")
    os.symlink("../lib64/link", env / "share" / "far")
    pack(env, tmp_path / "o.zip", zip_symlinks=links)
    with zipfile.ZipFile(tmp_path / "o.zip") as out:
        assert out.testzip() is None
        names = out.namelist()
        assert len(names) == len(set(names))
        if links:
            assert out.read("lib64") == b"lib"
        else:
            for name in ("lib/link", "lib64/a.txt", "lib64/link", "share/far"):
                assert out.read(name) == b"a" * 3000


@pytest.mark.parametrize("wide", [False, True], ids=["plain fields", "fields of 64 bits"])
def test_unzip_unpacks_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    if shutil.which("unzip") is None:
        pytest.skip("needs unzip: apt install it")
    if wide:
        monkeypatch.setattr("condaprune.sinks.outputs.ziparchive._WIDE", 100)
    tree = {
        "caf\u00e9": Node(data=b"2" * 3000),
        "again": Node(same_as="caf\u00e9"),
        "no bytes": Node(data=b""),
        "program": Node(data=b"#!/bin/sh\n", mode=0o755),
        "link": Node(target="program"),
    }
    env = build(tmp_path / "env", tree)
    pack(env, tmp_path / "o.zip", zip_symlinks=True)
    subprocess.run(
        ["unzip", "-q", "-d", tmp_path / "out", tmp_path / "o.zip"],
        check=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    out = without_added(on_disk(os.fsencode(tmp_path / "out")))
    before = on_disk(os.fsencode(env))
    assert {k: v[:3] for k, v in out.items()} == {k: v[:3] for k, v in before.items()}
    (env / "lib" / "odd \udcff name").write_bytes(b"1")
    pack(env, tmp_path / "o.zip", force=True)
    source = ArchiveSource(str(tmp_path / "o.zip"))
    for name in ("lib/again", "lib/caf\u00e9"):
        assert source.read(name) == b"2" * 3000
    assert source.read("lib/odd \udcff name") == b"1"


def test_links_into_each_other_cannot_be_copied(env: Path, tmp_path: Path) -> None:
    os.symlink("../share", env / "lib" / "there")
    os.symlink("../lib", env / "share" / "back")
    with pytest.raises(SinkError, match="around the link"):
        pack(env, tmp_path / "o.zip")


def test_a_dangling_link_in_a_zip_is_named(env: Path, tmp_path: Path) -> None:
    os.symlink("nothing", env / "lib" / "bad")
    with pytest.raises(SinkError, match="lib/bad"):
        pack(env, tmp_path / "o.zip")
    pack(env, tmp_path / "o.zip", zip_symlinks=True)


def test_standard_output_gets_the_archive(env: Path) -> None:
    script = (
        "from tests.sinks.outputs.helpers import *\n"
        f"source = PrefixSource({str(env)!r})\n"
        "carry_out(plan_for(source), source, open_sink('-', format='tar.zst'))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=True,
    )
    assert run.stdout[:4] == b"\x28\xb5\x2f\xfd"


def test_help_of_a_missing_mksquashfs(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SinkError, match="squashfs-tools"):
        pack(env, tmp_path / "o.squashfs")
    assert os.listdir(tmp_path) == ["env"]


def test_progress_is_told(env: Path, tmp_path: Path) -> None:
    source = PrefixSource(str(env))
    told: list[tuple[str, int, int]] = []
    sink = open_sink(str(tmp_path / "o.tar"))
    carry_out(plan_for(source), source, sink, progress=lambda *row: told.append(row))
    assert told[-1][1] == told[-1][2] > 0
