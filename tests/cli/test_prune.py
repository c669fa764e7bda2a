"""``condaprune prune`` at the terminal: reports, refusals, nothing touched when refused."""

import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.trees import SITE, Link, distribution, listing, make_prefix, make_tree


@pytest.fixture
def env(tmp_path: Path) -> Path:
    files = distribution("demo", {"demo/__init__.py": b"x = 1\n", "demo/tests/test_a.py": b""})
    files |= {
        f"{SITE}/demo/__pycache__/__init__.cpython-311.pyc": b"12345",
        "lib/libdemo.a": b"!<arch>",
        "include/demo.h": b"int x;",
    }
    owned = ["lib/libdemo.a", "include/demo.h"]
    return make_prefix(tmp_path / "env", files, packages={"libdemo": owned})


def test_a_dry_run_shows_the_plan_and_touches_nothing(env: Path) -> None:
    before = listing(env)
    ran = condaprune(env, "--dry-run")
    assert ran.status == 0
    assert "would be pruned with profile runtime" in ran.out
    assert listing(env) == before


def test_in_place_removes_and_reports_what_it_measured(env: Path) -> None:
    ran = condaprune("prune", env, "--format", "json")
    assert ran.status == 0, ran.err
    report = json.loads(ran.out)
    assert not (env / "lib/libdemo.a").exists()
    assert (env / SITE / "demo/__init__.py").exists()
    rows = sum(row["bytes"] for row in report["rules"]) + report["rewritten"]["bytes"]
    assert rows == report["saved"]["bytes"] == report["before"]["bytes"] - report["after"]["bytes"]
    measured = sum(os.lstat(env / p).st_size for p, e in listing(env).items() if e[0] != "folder")
    assert measured == report["after"]["bytes"]


def test_a_second_run_changes_nothing(env: Path) -> None:
    assert condaprune(env).status == 0
    once = listing(env)
    assert condaprune(env).status == 0
    assert listing(env) == once


def test_what_an_archive_cannot_hold_is_said(env: Path, tmp_path: Path) -> None:
    os.mkfifo(env / "pipe")
    (env / "lib/odd.bin").write_bytes(b"\0" + os.fsencode(env) + b"\0")
    ran = condaprune(env, "-o", tmp_path / "slim.tar")
    assert ran.status == 0
    assert "note: pipe is a socket, pipe, device or mount point and was left out" in ran.err
    assert "cannot be rewritten for another place: lib/odd.bin" in ran.err
    assert not condaprune(env, "-o", tmp_path / "quiet.tar", "--quiet").err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--env", "PYTHONDONTWRITEBYTECODE=1"), True),
        (("--env", "PYTHONDONTWRITEBYTECODE=1", "--bytecode", "keep"), False),
        (("--env", "PYTHONDONTWRITEBYTECODE="), False),
        ((), False),
    ],
)
def test_an_image_that_compiles_at_every_start_says_so(
    env: Path, tmp_path: Path, options: tuple[str, ...], said: bool
) -> None:
    ran = condaprune(env, "-o", tmp_path / "image.oci", "--dest-prefix", "/env", *options)
    assert ran.status == 0, ran.err
    assert ("every start compiles" in ran.err) is said


def test_stdout_holds_only_the_report(env: Path) -> None:
    ran = condaprune(env, "--dry-run", "--format", "json")
    json.loads(ran.out)
    assert "scan" in ran.err


def test_quiet_prints_nothing(env: Path) -> None:
    ran = condaprune(env, "--dry-run", "-q")
    assert (ran.out, ran.err) == ("", "")


def test_verbose_lists_what_goes(env: Path) -> None:
    assert "removed lib/libdemo.a" in condaprune(env, "--dry-run", "-vv").out


def test_the_manifest_names_every_removed_path_and_its_rule(env: Path, tmp_path: Path) -> None:
    target = tmp_path / "manifest.json"
    assert condaprune(env, "--manifest", target).status == 0
    removed = {row["path"]: row["rule"] for row in json.loads(target.read_text())["removed"]}
    assert removed["lib/libdemo.a"]
    assert all(not os.path.lexists(env / path) for path in removed)


def test_the_bill_of_materials_is_written_elsewhere_too(env: Path, tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    assert condaprune(env, "--dry-run", "--sbom", target).status == 0
    assert {c["name"] for c in json.loads(target.read_text())["components"]} == {"demo", "libdemo"}


def test_keep_and_ignore_hold_things_back(env: Path) -> None:
    assert condaprune(env, "--keep", "*.a", "--ignore", "bytecode").status == 0
    assert (env / "lib/libdemo.a").exists()
    assert (env / SITE / "demo/__pycache__/__init__.cpython-311.pyc").exists()


def test_the_configuration_beside_the_working_folder_is_used(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "condaprune.toml").write_text('keep = ["*.a"]\n')
    monkeypatch.chdir(tmp_path)
    assert "lib/libdemo.a" not in condaprune(env, "--dry-run", "-vv").out
    assert "lib/libdemo.a" in condaprune(env, "--dry-run", "-vv", "--isolated").out


def refused(*arguments: object) -> str:
    ran = condaprune(*arguments)
    assert ran.status == 2, ran.out
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) <= 6, ran.err
    return ran.err


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    assert "no such file or folder" in refused(tmp_path / "gone")


def test_a_folder_that_is_no_prefix_is_refused(tmp_path: Path) -> None:
    make_tree(tmp_path, {"__pycache__/a.pyc": b""})
    assert "conda-meta" in refused(tmp_path)
    assert (tmp_path / "__pycache__/a.pyc").exists()


def test_the_root_and_the_home_folder_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "never pruned" in refused("/")
    assert "never pruned" in refused(os.path.expanduser("~"))


def test_condaprunes_own_environment_is_refused(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(env))
    assert "--allow-self" in refused(env)
    assert (env / "lib/libdemo.a").exists()


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    refused(tmp_path / "x.tar.gz", "-o", tmp_path / "y.tar.gz")
    assert not (tmp_path / "y.tar.gz").exists()


def test_an_archive_needs_an_output(env: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "env.tar", "w") as tar:
        tar.add(env, ".")
    assert "-o" in refused(tmp_path / "env.tar")


def test_an_output_that_exists_is_refused_without_force(env: Path, tmp_path: Path) -> None:
    (tmp_path / "out.tar").write_bytes(b"mine")
    assert "--force" in refused(env, "-o", tmp_path / "out.tar")
    assert (tmp_path / "out.tar").read_bytes() == b"mine"
    assert condaprune(env, "-o", tmp_path / "out.tar", "--force").status == 0


def test_an_output_inside_the_prefix_is_refused(env: Path) -> None:
    refused(env, "-o", env / "out.tar")


def test_an_unknown_profile_is_answered_with_the_nearest(env: Path) -> None:
    assert "Did you mean 'minimal'?" in refused(env, "--profile", "minimol")


def test_an_unknown_rule_or_guard_is_refused(env: Path) -> None:
    assert "rule" in refused(env, "--ignore", "no-such-rule")
    assert "imports" in refused(env, "--no-guard", "import")


def test_an_unknown_output_format_is_refused(env: Path, tmp_path: Path) -> None:
    assert ".tar.zst" in refused(env, "-o", tmp_path / "out.tar.zstd")


def test_a_manifest_that_cannot_be_written_is_refused_before_anything_is_touched(
    env: Path, tmp_path: Path
) -> None:
    before = listing(env)
    refused(env, "--manifest", tmp_path / "no" / "folder" / "m.json")
    assert listing(env) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_prefix_is_refused(env: Path) -> None:
    os.chmod(env / "lib", 0o555)
    assert "read-only" in refused(env)
    os.chmod(env / "lib", 0o755)


def test_links_out_of_the_prefix_are_not_followed(env: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, {"outside/__pycache__/a.pyc": b"x"})
    make_tree(env, {"lib/out": Link("../../outside")})
    assert condaprune(env).status == 0
    assert (tmp_path / "outside/__pycache__/a.pyc").exists()


def test_a_dry_run_after_an_undoable_run_sees_nothing_pending(env: Path) -> None:
    assert condaprune(env, "--undoable").status == 0
    assert "interrupted" not in condaprune(env, "--dry-run").err


def test_a_dry_run_says_that_a_run_was_interrupted(env: Path) -> None:
    (env / ".condaprune").mkdir()
    assert "an interrupted run" in condaprune(env, "--dry-run").err
    assert (env / ".condaprune").exists()
