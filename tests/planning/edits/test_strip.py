"""``--strip``: which files it takes, what the lists say then, and that environments still run."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from condaprune import api
from condaprune.planning.account import STRIPPED, make_account
from condaprune.request.request import Request
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Body, Member
from lab.envs.fixtures import Packer, Unpack
from lab.envs.model import BuiltEnvironment
from tests.cli.runner import condaprune
from tests.formats.test_elfstrip import make, stripped
from tests.trees import SITE, distribution, make_prefix

LIBRARY = make()
IMPORTS = (
    "import ctypes, decimal, hashlib, sqlite3, ssl, zlib, click; print(decimal.Decimal(1) / 3)"
)


def plan(root: Path, files: dict[str, bytes], owned: list[str]) -> api.Plan:
    make_prefix(root, files, packages={"pkg": owned})  # type: ignore[arg-type]
    return api.plan(str(root), Request(strip=True))


def test_a_file_too_large_to_be_read_whole_is_left_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "env"
    make_prefix(root, {"lib/libbig.so": LIBRARY}, packages={"pkg": ["lib/libbig.so"]})
    os.truncate(root / "lib/libbig.so", 5 << 30)
    assert not patched(api.plan(str(root), Request(strip=True)))


def patched(made: api.Plan) -> list[str]:
    return [edit.path for edit in made.edits if edit.patch is not None]


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        pytest.param({"lib/liba.so.1": LIBRARY}, ["lib/liba.so.1"], id="a library"),
        pytest.param({"share/notes.txt": LIBRARY}, [], id="not what is no program by its name"),
        pytest.param(
            {"lib/ossl-modules/fips.so": LIBRARY}, [], id="not a module that checks itself"
        ),
        pytest.param(
            {"lib/libsoftokn3.so": LIBRARY, "lib/libsoftokn3.chk": b"sum"}, [],
            id="not a library with its checksum beside it",
        ),
        pytest.param(
            {"lib/libgnutls.so.30": LIBRARY, "lib/.libgnutls.so.30.hmac": b"sum"}, [],
            id="not a library with a keyed checksum beside it",
        ),
    ],
)  # fmt: skip
def test_what_is_stripped(files: dict[str, bytes], taken: list[str], tmp_path: Path) -> None:
    assert patched(plan(tmp_path / "env", files, list(files))) == taken


def test_a_users_own_library_is_left_alone(tmp_path: Path) -> None:
    assert patched(plan(tmp_path / "env", {"lib/mine.so": LIBRARY}, [])) == []


def test_a_library_with_two_names_is_left_alone(tmp_path: Path) -> None:
    root = make_prefix(
        tmp_path / "env", {"lib/a.so": LIBRARY}, packages={"pkg": ["lib/a.so", "lib/b.so"]}
    )
    os.link(root / "lib/a.so", root / "lib/b.so")
    assert patched(api.plan(str(root), Request(strip=True))) == []


def test_nothing_is_stripped_unasked(tmp_path: Path) -> None:
    root = make_prefix(tmp_path / "env", {"lib/a.so": LIBRARY}, packages={"pkg": ["lib/a.so"]})
    assert patched(api.plan(str(root), Request(profile="minimal"))) == []


def test_record_has_the_new_hash_and_size(tmp_path: Path) -> None:
    files = distribution("demo", {"demo/_c.so": LIBRARY, "demo/__init__.py": b""})
    root = make_prefix(tmp_path / "env", files)
    record = root / SITE / "demo-1.0.dist-info/RECORD"
    untouched = [row for row in _rows(record) if row[0] != "demo/_c.so"]
    ran = condaprune(root, "--strip", "--quiet", "--isolated")
    assert ran.status == 0, ran.err
    new = stripped(LIBRARY)
    assert new is not None
    assert (root / SITE / "demo/_c.so").read_bytes() == new
    digest = urlsafe_b64encode(hashlib.sha256(new).digest()).rstrip(b"=").decode()
    rows = _rows(record)
    assert ["demo/_c.so", f"sha256={digest}", str(len(new))] in rows
    assert [row for row in rows if row[0] != "demo/_c.so"] == untouched


def test_the_report_has_a_row_that_adds_up(tmp_path: Path) -> None:
    account = make_account(plan(tmp_path / "env", {"lib/a.so": LIBRARY}, ["lib/a.so"]))
    row = next(row for row in account.rules if row.name == STRIPPED)
    new = stripped(LIBRARY)
    assert new is not None
    assert (row.files, row.bytes) == (1, len(LIBRARY) - len(new))
    rows = (*account.rules, account.rewritten)
    assert sum(r.bytes for r in rows) == account.bytes_before - account.bytes_after


def test_in_place_a_real_environment_runs_and_comes_back(
    fresh_tiny: BuiltEnvironment, tiny_env: BuiltEnvironment
) -> None:
    prefix = fresh_tiny.prefix
    before = fresh_tiny.run("python", "-c", IMPORTS).stdout
    ran = condaprune(prefix, "--strip", "--undoable")
    assert ran.status == 0, ran.err
    assert STRIPPED in ran.out
    library = next(prefix.glob("lib/libpython3*.so.1.0"))
    whole = tiny_env.prefix / library.relative_to(prefix)
    assert library.stat().st_size < whole.stat().st_size
    assert fresh_tiny.run("python", "-c", IMPORTS).stdout == before
    assert api.plan(str(prefix), Request(strip=True)).edits == ()
    assert condaprune("undo", prefix).status == 0
    assert library.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("again", [False, True], ids=["from-a-prefix", "from-an-archive"])
@pytest.mark.parametrize("dest", [False, True], ids=["conda-unpack", "dest-prefix"])
def test_archives(
    tiny_env: BuiltEnvironment,
    packed_tiny: Packer,
    unpack: Unpack,
    tmp_path: Path,
    again: bool,
    dest: bool,
) -> None:
    source = packed_tiny("tar.gz").archive if again else tiny_env.prefix
    slim = tmp_path / "slim.tar"
    place = tmp_path / "placed"
    options = ["--dest-prefix", place] if dest else []
    ran = condaprune(source, "-o", slim, "--strip", "--quiet", *options)
    assert ran.status == 0, ran.err
    if dest:
        place.mkdir()
        subprocess.run(["tar", "-C", place, "-xf", slim], check=True)
        prefix = place
    else:
        prefix = unpack(slim, conda_unpack=True)
    library = next(prefix.glob("lib/libpython3*.so.1.0"))
    whole = next(tiny_env.prefix.glob("lib/libpython3*.so.1.0"))
    assert library.stat().st_size < whole.stat().st_size
    command = [str(prefix / "bin" / "python"), "-B", "-c", IMPORTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == tiny_env.run("python", "-c", IMPORTS).stdout


def test_an_archive_is_passed_through_once_more(
    packed_tiny: Packer, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    through = ArchiveSource._members

    def members(self: ArchiveSource) -> Iterator[tuple[Member, Body]]:
        passes.append(1)
        return through(self)

    monkeypatch.setattr(ArchiveSource, "_members", members)
    source = ArchiveSource(os.fspath(packed_tiny("tar.gz").archive))
    api.plan(source)
    planned = len(passes)
    assert len(patched(api.plan(source, Request(strip=True)))) > 20
    assert len(passes) == planned + 1


def _rows(record: Path) -> list[list[str]]:
    with record.open(newline="") as stream:
        return list(csv.reader(stream))
