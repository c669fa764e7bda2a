"""Files of one command are different ones, and open before its work begins."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.trees import listing, make_prefix


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "condaprune.toml").write_text('[budget.environment]\nmax = "1 GB"\n')
    (tmp_path / "same.json").touch()
    (tmp_path / "link.json").symlink_to("same.json")
    os.link(tmp_path / "same.json", tmp_path / "hard.json")
    (tmp_path / "folder").symlink_to(".")
    return make_prefix(tmp_path / "env", {"lib/liba.a": b"!<arch>"}, packages={"a": []})


@pytest.mark.parametrize("second", ["same.json", "./same.json", "link.json", "hard.json",
                                    "folder/same.json"])  # fmt: skip
@pytest.mark.parametrize(
    "words",
    [
        "env --manifest same.json --sbom {}",
        "env --force --archive-format tar -o same.json --manifest {}",
        "env --force --archive-format tar -o {} --sbom same.json",
        "audit env --save same.json -o json={}",
        "audit env -o csv=same.json -o json={}",
        "diff env env -o csv=same.json -o json={}",
        "check env --save same.json -o json={}",
        "check env --audit json=same.json -o json={}",
        "check env --audit json=same.json --audit csv={}",
        "check env --audit json=same.json --save {}",
    ],
)
def test_one_file_by_two_names_is_refused(env: Path, words: str, second: str) -> None:
    before = listing(env.parent)
    ran = condaprune(*words.format(second).split())
    assert ran.status == 2
    assert "names the same file" in ran.err
    assert listing(env.parent) == before


@pytest.mark.parametrize(
    "words",
    [
        "env --manifest new.json --sbom ./new.json",
        "env -o new.tar --manifest folder/new.tar",
        "audit env --save new.json -o json=folder/new.json",
    ],
)
def test_one_new_file_by_two_names_is_refused(env: Path, words: str) -> None:
    before = listing(env.parent)
    assert "names the same file" in condaprune(*words.split()).err
    assert listing(env.parent) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_two_records_may_go_where_nobody_reads(env: Path) -> None:
    os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    ran = condaprune(env, "--dry-run", "-q", "--manifest", "null", "--sbom", "null")
    assert (ran.status, ran.err) == (0, "")
    assert stat.S_ISCHR(os.lstat("null").st_mode)


def test_an_archive_in_the_standard_output_is_not_mixed_with_a_record(env: Path) -> None:
    words = [sys.executable, "-m", "condaprune", "env", "--archive-format", "tar", "-o"]
    for output, manifest in (("-", "/dev/stdout"), ("/dev/stdout", "/dev/fd/1")):
        ran = subprocess.run([*words, output, "--manifest", manifest], capture_output=True)
        assert ran.returncode == 2
        assert ran.stdout == b""
        assert b"names the same file" in ran.stderr


def test_a_record_may_lie_in_the_folder_that_is_replaced(env: Path) -> None:
    assert condaprune(env, "-q", "-o", "slim/").status == 0
    again = condaprune(env, "-q", "--force", "-o", "slim/", "--manifest", "slim/manifest.json")
    assert again.status == 0, again.err
    assert json.loads(Path("slim/manifest.json").read_text())["removed"]


def test_a_run_in_place_says_that_it_is_done_where_its_record_fails(env: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = condaprune(env, "-q", "--manifest", f"/dev/fd/{writer}")
    os.close(writer)
    assert ran.status == 2
    assert "Broken pipe" in ran.err
    assert f"All else is done: {env} is pruned" in ran.err
    assert not (env / "conda-meta/a-1.0-0.json").exists()


def test_two_fifos_and_an_archive_arrive_whole(env: Path, tmp_path: Path) -> None:
    script = (
        '"$0" -m condaprune env -q --archive-format tar -o >(cat > a; touch a.end)'
        " --manifest >(cat > b; touch b.end) --sbom >(cat > c; touch c.end);"
        " until [ -e a.end -a -e b.end -a -e c.end ]; do sleep 0.05; done"
    )
    subprocess.run(["bash", "-c", script, sys.executable], check=True, timeout=60)
    with tarfile.open("a") as archive:
        assert archive.getnames()
    assert json.loads(Path("b").read_text())["removed"]
    assert json.loads(Path("c").read_text())["components"]


@pytest.mark.parametrize("option", ["--manifest", "--sbom"])
@pytest.mark.parametrize("place", ["no/folder/x.json", "env", "env/", "condaprune.toml/x"])
def test_a_place_that_cannot_be_is_found_before_anything_goes(
    env: Path, option: str, place: str
) -> None:
    before = listing(env)
    assert condaprune(env, option, place).status == 2
    assert listing(env) == before


def test_a_trace_is_added_to_a_file_alone(env: Path) -> None:
    os.mkfifo("fifo")
    ran = condaprune("trace", "--prefix", env, "--append", "-o", "fifo", "--", "touch", "marker")
    assert ran.status == 2
    assert "no trace to add to" in ran.err
    assert not Path("marker").exists()


@pytest.mark.parametrize("output", ["env/x.trace", "folder/env/lib/x.trace", "inside.trace"])
def test_a_trace_does_not_go_into_the_environment(env: Path, output: str) -> None:
    Path("inside.trace").symlink_to("env/lib/liba.a")
    ran = condaprune("trace", "--prefix", env, "-o", output, "--", "touch", "marker")
    assert ran.status == 2
    assert "into the environment" in ran.err
    assert not Path("marker").exists()
