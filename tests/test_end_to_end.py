"""The whole walk on real environments: in place, from the prefix, from a conda-pack archive.

The same paths survive on all three ways, and what is left runs at another place.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from lab.envs.fixtures import MakeEnvironment, Packer, Unpack
from lab.envs.model import BuiltEnvironment
from tests.cli.runner import condaprune

# What conda-pack adds to an archive of its own.
ADDED = {
    "bin/activate",
    "bin/activate.fish",
    "bin/conda-unpack",
    "bin/conda_unpack_progress.py",
    "bin/deactivate",
}
# What a run in place leaves for `condaprune status`.
STATUS = "conda-meta/condaprune"

IMPORTS = "import numpy, pandas, uvicorn, ssl, sqlite3"
METADATA = (
    "import importlib.metadata as m, json; print(json.dumps(["
    "sorted([d.name, d.version] for d in m.distributions()),"
    "sorted([e.group, e.name, e.value] for d in m.distributions() for e in d.entry_points)]))"
)


def survivors(prefix: Path) -> set[str]:
    """All files and links below *prefix*."""
    found = set()
    for folder, folders, files in os.walk(prefix):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found |= {os.path.relpath(os.path.join(folder, n), prefix) for n in files + links}
    return {path for path in found if not path.startswith(STATUS)}


def digests(root: Path) -> dict[str, str]:
    """The content of every file below *root*."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def run(prefix: Path, *arguments: str) -> str:
    """Run the environment's own Python without writing bytecode."""
    done = subprocess.run(
        [str(prefix / "bin/python"), "-B", *arguments],
        capture_output=True, text=True, env={"PATH": f"{prefix}/bin:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def metadata(prefix: Path) -> object:
    return json.loads(run(prefix, "-c", METADATA))


@pytest.fixture
def ways(
    make_environment: MakeEnvironment, packed_small: Packer, unpack: Unpack, tmp_path: Path
) -> tuple[Path, Path, Path]:
    """`small` pruned in place, from the prefix, and from its conda-pack archive."""
    env = make_environment("small")
    from_prefix, from_archive = tmp_path / "prefix.tar.zst", tmp_path / "archive.tar.zst"
    for arguments in (
        (env.prefix, "-o", from_prefix),
        (packed_small("tar.gz").archive, "-o", from_archive),
        (env.prefix,),
    ):
        ran = condaprune(*arguments, "--isolated")
        assert ran.status == 0, ran.err
    return env.prefix, unpack(from_prefix), unpack(from_archive)


def test_three_ways_leave_the_same_paths_and_a_small_that_works(
    ways: tuple[Path, Path, Path], small_env: BuiltEnvironment
) -> None:
    in_place, *unpacked = ways
    before = metadata(small_env.prefix)
    assert metadata(in_place) == before
    run(in_place, "-c", IMPORTS)
    for prefix in unpacked:
        assert survivors(prefix) - ADDED == survivors(in_place)
        run(prefix, str(prefix / "bin/conda-unpack"))
        run(prefix, "-c", IMPORTS)
        assert metadata(prefix) == before
        assert str(prefix) in subprocess.check_output([prefix / "bin/prefixdemo"], text=True)


def test_small_loses_half_its_bytes_and_the_rows_add_up(fresh_small: BuiltEnvironment) -> None:
    ran = condaprune(fresh_small.prefix, "--format", "json", "--isolated")
    assert ran.status == 0, ran.err
    report = json.loads(ran.out)
    rows = sum(row["bytes"] for row in report["rules"]) + report["rewritten"]["bytes"]
    assert rows == report["before"]["bytes"] - report["after"]["bytes"]
    # Python 3.10 brings less of what goes: its bytecode and static libpython are smaller.
    least = 0.45 if fresh_small.interpreter.short == "3.10" else 0.5
    assert report["saved"]["bytes"] >= least * report["before"]["bytes"]
    left = {
        (info.st_ino): info.st_size
        for folder, folders, files in os.walk(fresh_small.prefix)
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]
        for info in [os.lstat(os.path.join(folder, name))]
    }
    assert sum(left.values()) == report["after"]["bytes"]


def test_the_package_cache_and_a_neighbour_are_not_touched(
    make_environment: MakeEnvironment,
) -> None:
    env, neighbour = make_environment("tiny"), make_environment("tiny")
    before = digests(neighbour.prefix)
    linked = [p for p in neighbour.prefix.rglob("*.py") if p.stat().st_nlink > 2]
    assert linked, "the environments are not hard-linked, the test shows nothing"
    assert condaprune(env.prefix, "--isolated").status == 0
    assert digests(neighbour.prefix) == before


def test_the_prefix_is_not_touched_by_writing_an_archive(
    fresh_tiny: BuiltEnvironment, tmp_path: Path
) -> None:
    before = digests(fresh_tiny.prefix)
    assert condaprune(fresh_tiny.prefix, "-o", tmp_path / "x.tar").status == 0
    assert digests(fresh_tiny.prefix) == before


def test_a_folder_as_output_runs_after_conda_unpack(
    tiny_env: BuiltEnvironment, tmp_path: Path
) -> None:
    slim = tmp_path / "slim"
    ran = condaprune(tiny_env.prefix, "-o", slim, "--isolated")
    assert ran.status == 0, ran.err
    run(slim, str(slim / "bin/conda-unpack"))
    run(slim, "-c", "import click, ssl, sqlite3")
    assert str(slim) in subprocess.check_output([slim / "bin/prefixdemo"], text=True)


@pytest.mark.parametrize("form", ["tar.gz", "tar.zst", "zip"])
def test_archives_of_each_kind_go_in(
    packed_tiny: Packer, unpack: Unpack, tmp_path: Path, form: str
) -> None:
    slim = tmp_path / "slim.tar.gz"
    ran = condaprune(packed_tiny(form).archive, "-o", slim, "--isolated")
    assert ran.status == 0, ran.err
    prefix = unpack(slim, conda_unpack=True)
    run(prefix, "-c", "import click, ssl, sqlite3")


def test_dest_prefix_makes_an_archive_that_needs_no_conda_unpack(
    tiny_env: BuiltEnvironment, unpack: Unpack, tmp_path: Path
) -> None:
    where = tmp_path / "opt" / "env"
    slim = tmp_path / "slim.tar.gz"
    ran = condaprune(tiny_env.prefix, "-o", slim, "--dest-prefix", where, "--isolated")
    assert ran.status == 0, ran.err
    prefix = unpack(slim)
    assert not (prefix / "bin/conda-unpack").exists()
    where.parent.mkdir()
    prefix.rename(where)
    assert str(where) in subprocess.check_output([where / "bin/prefixdemo"], text=True)
    run(where, "-c", "import click, ssl, sqlite3")
