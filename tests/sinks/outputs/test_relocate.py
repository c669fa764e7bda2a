"""What holds the prefix is packed so that conda-unpack, or nothing at all, makes it right."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import SinkError
from condaprune.formats.unpack_list import UNPACK, unpack_records
from condaprune.model import PrefixFile
from condaprune.sinks.outputs.placeholders import STAND_IN, packaged, with_stand_in
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.prefix import PrefixSource
from tests.guards.elves import make_fat, make_macho
from tests.trees import SITE, make_prefix

from .helpers import pack, plan_for

HOLD = "/build/" + "_placehold" * 24


def prefix_with_package(root: Path, start: bytes = b"\x7fELF\0") -> Path:
    """A prefix whose package has a text and a binary that hold the prefix, installed by hand."""
    text = f"root={HOLD}/share\npath=/usr/bin{HOLD[:3]}\n".encode()
    binary = start + HOLD.encode() + b"/lib\0\0tail\0" + b"\xff"
    script = f"#!{HOLD}/bin/python3.11\nprint('hi')\n".encode()
    here = os.fsencode(root)
    gap = len(HOLD) - len(here)
    assert gap >= 0
    installed = {
        "share/p.cfg": text.replace(HOLD.encode(), here),
        "lib/p.so": binary.replace(HOLD.encode() + b"/lib\0", here + b"/lib\0" + bytes(gap)),
        "bin/p": script.replace(HOLD.encode(), here),
    }
    originals = {"share/p.cfg": text, "lib/p.so": binary, "bin/p": script}
    rows = [
        {
            "_path": path,
            "path_type": "hardlink",
            "prefix_placeholder": HOLD,
            "file_mode": "binary" if path.endswith(".so") else "text",
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        for path, data in originals.items()
    ]
    record = {
        "name": "p",
        "version": "1",
        "build": "0",
        "files": list(originals),
        "paths_data": {"paths": rows, "paths_version": 1},
        "link": {"source": "/gone/p-1-0", "type": 1},
    }
    make_prefix(root, {**installed, "conda-meta/p-1-0.json": json.dumps(record).encode()})
    os.chmod(root / "bin" / "p", 0o755)
    return root


def contents(archive: Path) -> dict[str, bytes]:
    """The files of an archive."""
    source = ArchiveSource(str(archive))
    return dict(
        source.read_many([p for p, e in source.inventory().entries.items() if e.kind == "file"])
    )


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return prefix_with_package(tmp_path / "e")


def test_without_the_package_cache_the_packaged_files_come_back(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.tar")
    found = contents(tmp_path / "o.tar")
    assert HOLD.encode() in found["share/p.cfg"]
    assert HOLD.encode() in found["lib/p.so"]
    assert len(found["lib/p.so"]) == (env / "lib" / "p.so").stat().st_size
    assert found["bin/p"].startswith(b"#!/usr/bin/env python3.11\n")
    assert {r[0]: r[1:] for r in unpack_records(found[UNPACK])} == {
        "share/p.cfg": (HOLD, "text"),
        "lib/p.so": (HOLD, "binary"),
    }


@pytest.mark.parametrize("dest", [None, "/opt/app"], ids=["for conda-unpack", "for one place"])
def test_each_file_is_opened_once(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dest: str | None
) -> None:
    (env / "lib" / "p.so").chmod(0o644)
    for name, data in {
        "bin/tool": b"#!" + os.fsencode(env) + b"/bin/python3.11\n",
        "bin/plain": b"#!/bin/sh\n",
        "lib/unknown.so": b"\x7fELF\0" + os.fsencode(env),
        "lib/large.txt": b"text " * 100_000,
    }.items():
        (env / name).write_bytes(data)
    source = PrefixSource(str(env))
    plan = plan_for(source)
    opened: list[str] = []
    plain = {"os.open": os.open, "builtins.open": open}

    def counted(name: str) -> Callable[..., object]:
        def opens(path: object, *rest: object, **more: object) -> object:
            if isinstance(path, (str, bytes)):
                opened.append(os.fsdecode(path))
            return plain[name](path, *rest, **more)  # type: ignore[operator]

        return opens

    with monkeypatch.context() as patch:
        for name in plain:
            patch.setattr(name, counted(name))
        pack(source, tmp_path / "o.tar", plan, dest_prefix=dest)
    inside = sorted(path for path in opened if path.startswith(f"{env}/"))
    files = [e.path for e in plan.inventory.entries.values() if e.kind == "file"]
    assert inside == sorted(f"{env}/{path}" for path in files)


def test_conda_unpack_makes_everything_right(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "out")
    out = tmp_path / "out"
    subprocess.run([sys.executable, out / UNPACK], check=True)
    for path in ("share/p.cfg", "lib/p.so"):
        there, here = (out / path).read_bytes(), (env / path).read_bytes()
        assert os.fsencode(out) in there
        assert there.rstrip(b"\0") != b""
        assert here.replace(os.fsencode(env), b"").replace(b"\0", b"") == there.replace(
            os.fsencode(out), b""
        ).replace(b"\0", b"")


@pytest.mark.parametrize("twice", [False, True], ids=["from a prefix", "from an archive"])
def test_a_destination_needs_no_conda_unpack(env: Path, tmp_path: Path, twice: bool) -> None:
    source = env
    if twice:
        pack(env, tmp_path / "first.tar")
        source = tmp_path / "first.tar"
    pack(source, tmp_path / "o.tar", dest_prefix="/opt/app")
    found = contents(tmp_path / "o.tar")
    assert found["share/p.cfg"].startswith(b"root=/opt/app/share\n")
    assert b"\0/opt/app/lib\0" in found["lib/p.so"]
    assert found["bin/p"].startswith(b"#!/opt/app/bin/python3.11\n")
    assert UNPACK not in found
    assert not any(b"/usr/bin/env python3" in data for data in found.values())


@pytest.mark.parametrize("twice", [False, True], ids=["from a prefix", "from an archive"])
@pytest.mark.parametrize(
    ("start", "told"),
    [
        pytest.param(make_macho(), True, id="for Apple's processors"),
        pytest.param(make_fat(make_macho(), make_macho(bits=32)), True, id="for several"),
        pytest.param(make_macho(bits=32), False, id="for an older Mac"),
        pytest.param(b"\x7fELF\0", False, id="for Linux"),
    ],
)
def test_rewritten_binaries_of_macos_are_to_be_signed_again(
    tmp_path: Path, twice: bool, start: bytes, told: bool
) -> None:
    source = prefix_with_package(tmp_path / "e", start)
    if twice:
        outcome = pack(source, tmp_path / "first.tar")
        assert "codesign" not in " ".join(outcome.notes)  # conda-unpack signs them
        source = tmp_path / "first.tar"
    notes = " ".join(pack(source, tmp_path / "o.tar", dest_prefix="/opt/app").notes)
    assert ("codesign" in notes) is told
    assert ("lib/p.so" in notes) is told


def test_a_destination_that_is_too_long_is_refused(env: Path, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="too long"):
        pack(env, tmp_path / "o.tar", dest_prefix="/" + "x" * 300)
    assert sorted(os.listdir(tmp_path)) == ["e"]


def test_a_changed_binary_stays_and_is_named(env: Path, tmp_path: Path) -> None:
    (env / "lib" / "p.so").write_bytes(b"\x7fELF\0" + os.fsencode(env) + b"/lib\0no room\0")
    outcome = pack(env, tmp_path / "o.tar")
    assert "lib/p.so" in " ".join(outcome.notes)
    found = contents(tmp_path / "o.tar")
    assert found["lib/p.so"] == (env / "lib" / "p.so").read_bytes()
    assert "lib/p.so" not in {r[0] for r in unpack_records(found[UNPACK])}


def test_unmanaged_text_gets_a_record_only_where_it_holds_the_prefix(tmp_path: Path) -> None:
    env = tmp_path / "e"
    make_prefix(
        env,
        {
            f"{SITE}/x.pth": os.fsencode(env) + b"/src\n",
            f"{SITE}/plain.py": b"import os\n",
            "bin/tool": b"#!" + os.fsencode(env) + b"/bin/python3.11\nx = 1\n",
        },
    )
    pack(env, tmp_path / "o.tar")
    found = contents(tmp_path / "o.tar")
    assert unpack_records(found[UNPACK]) == [(f"{SITE}/x.pth", str(env), "text")]
    assert found["bin/tool"].startswith(b"#!/usr/bin/env python3.11\n")


def test_records_of_what_goes_are_not_written(env: Path, tmp_path: Path) -> None:
    source = PrefixSource(str(env))
    pack(source, tmp_path / "o.tar", plan_for(source, ["lib/p.so"]))
    found = contents(tmp_path / "o.tar")
    assert [r[0] for r in unpack_records(found[UNPACK])] == ["share/p.cfg"]
    assert found["bin/conda_unpack_progress.py"]
    assert (
        ArchiveSource(str(tmp_path / "o.tar"))
        .inventory()
        .entries["bin/conda_unpack_progress.py"]
        .mode
        == 0o644
    )


def test_editable_installs_are_refused_by_name(tmp_path: Path) -> None:
    env = tmp_path / "e"
    info = f"{SITE}/mine-1.0.dist-info"
    make_prefix(
        env,
        {
            f"{info}/METADATA": b"Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n",
            f"{info}/direct_url.json": b'{"url": "file:///x", "dir_info": {"editable": true}}',
        },
    )
    with pytest.raises(SinkError, match="mine"):
        pack(env, tmp_path / "o.tar")
    pack(env, tmp_path / "o.tar", ignore_editable=True)


def test_conda_metas_paths_of_this_machine_are_blanked(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.tar")
    assert json.loads(contents(tmp_path / "o.tar")["conda-meta/p-1-0.json"])["link"]["source"] == ""


def test_absolute_links_into_the_prefix_become_relative(tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "e", {"lib/a/x": b"1"})
    os.symlink(env / "bin", env / "lib" / "a" / "link")
    pack(env, tmp_path / "o.tar")
    assert (
        ArchiveSource(str(tmp_path / "o.tar")).inventory().entries["lib/a/link"].target
        == "../../bin"
    )


def test_the_users_own_folders_stay_and_condas_base_folders_do_not(tmp_path: Path) -> None:
    files = {"users/me.txt": b"1", "pkgs/x-1-0/info/index.json": b"{}", "envs/other/y": b""}
    env = make_prefix(tmp_path / "plain", files)
    pack(env, tmp_path / "plain.tar")
    assert set(files) <= set(contents(tmp_path / "plain.tar"))
    base = make_prefix(tmp_path / "base", files, packages={"conda": []})
    outcome = pack(base, tmp_path / "base.tar")
    assert "users/me.txt" in contents(tmp_path / "base.tar")
    assert "envs/other/y" not in contents(tmp_path / "base.tar")
    assert "pkgs" in " ".join(outcome.notes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"#!/env/bin/python\n", "/env", id="a shebang"),
        pytest.param(b"-I/env/include -L/env/lib", "/env", id="compiler flags"),
        pytest.param(b"file:///env/x", "/env", id="a URL"),
        pytest.param(b"PATH=/a:/env/bin", "/env", id="a path list"),
        pytest.param(b"#!/usr/bin/env python\n", None, id="only the end of another path"),
        pytest.param(b"/environment /env-2 /env.d", None, id="only the beginning of other names"),
        pytest.param(b"#!/usr/bin/env python\nx='/env/lib'", STAND_IN, id="both"),
    ],
)
def test_a_short_prefix_is_told_from_its_namesakes(text: bytes, expected: str | None) -> None:
    out, placeholder = with_stand_in(text, b"/env")
    assert placeholder == expected
    if expected is not None:
        assert out.replace(expected.encode(), b"/env") == text
        assert b"/usr/bin" not in out or b"/usr/bin/env" in out


def test_binaries_are_turned_back_only_where_there_is_room() -> None:
    file = PrefixFile("x", "/place_holder_of_package", "binary")
    packed = b"a\0/place_holder_of_package/lib:/place_holder_of_package/b\0end\0"
    gap = bytes(2 * (len("/place_holder_of_package") - len("/short")))
    installed = packed.replace(b"/place_holder_of_package", b"/short").replace(
        b"/b\0", b"/b\0" + gap
    )
    assert packaged(installed, file, b"/short") == packed
    assert packaged(b"a\0/short/lib\0end\0", file, b"/short") is None
