"""Extended attributes go along where a format holds them, and are counted where not."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from condaprune.edit import Edit
from condaprune.model import Outcome
from condaprune.sinks.attributes import ACLS, CAPABILITY
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.prefix import PrefixSource
from tests.sinks.outputs.helpers import Node, build, pack, plan_for

ACCESS, DEFAULT = ACLS
OWN = "user.demo"
VALUE = b"any\0bytes\n\xff="
CAPABILITIES = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service+ep


def acl(group: int) -> bytes:
    """An access list: rwx for the owner and one more user, and these bits for the group."""
    rows = [(1, 7, -1), (2, 7, 4321), (4, group, -1), (16, 7, -1), (32, 0, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *row) for row in rows)


def listed(path: Path) -> dict[str, bytes]:
    """The attributes of a path that a test set."""
    return {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
        if name.startswith(("user.", "system.", CAPABILITY))
    }


def set_all(path: Path, attributes: dict[str, bytes]) -> None:
    try:
        for name, value in attributes.items():
            os.setxattr(path, name, value)
    except OSError:
        pytest.skip("no such attributes here, or not for this user")


@pytest.fixture
def env(tmp_path: Path) -> Path:
    tree = {"d": Node(), "d/own": Node(data=b"1"), "big": Node(data=b"x" * 600_000)}
    tree |= {
        "able": Node(data=b"#!", mode=0o755),
        "listed": Node(data=b"2"),
        "bare": Node(data=b""),
    }
    tree |= {"link": Node(target="able"), "again": Node(same_as="d/own")}
    root = build(tmp_path / "env", tree)
    set_all(root / "lib/d/own", {OWN: VALUE, "user.other": b""})
    set_all(root / "lib/big", {OWN: VALUE})
    set_all(root / "lib/able", {CAPABILITY: CAPABILITIES})
    set_all(root / "lib/listed", {ACCESS: acl(5)})
    set_all(root / "lib/d", {DEFAULT: acl(7), OWN: b"folder"})
    return root


EXPECTED = {
    "lib/d/own": {OWN: VALUE, "user.other": b""},
    "lib/again": {OWN: VALUE, "user.other": b""},
    "lib/big": {OWN: VALUE},
    "lib/able": {CAPABILITY: CAPABILITIES},
    "lib/listed": {ACCESS: acl(5)},
    "lib/d": {DEFAULT: acl(7), OWN: b"folder"},
}


def found(root: Path) -> dict[str, dict[str, bytes]]:
    every = {str(p.relative_to(root)): listed(p) for p in root.rglob("*") if not p.is_symlink()}
    return {path: names for path, names in every.items() if names}


def notes(outcome: Outcome) -> list[str]:
    return [note for note in outcome.notes if "extended attributes" in note]


def test_a_folder_gets_them(env: Path, tmp_path: Path) -> None:
    outcome = pack(env, tmp_path / "out", mode="keep")
    assert found(tmp_path / "out") == EXPECTED
    assert not notes(outcome)


@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_programs_read_them_back(env: Path, tmp_path: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    outcome = pack(env, tmp_path / "o.tar", mode="keep")
    assert not notes(outcome)
    out = tmp_path / "out"
    out.mkdir()
    options = ["--xattrs", "--xattrs-include=*"] if program == "tar" else ["--xattrs", "--acls"]
    subprocess.run([program, "-C", out, *options, "-xpf", tmp_path / "o.tar"], check=True)
    assert found(out) == EXPECTED


def test_they_are_written_as_gnu_tar_does(env: Path, tmp_path: Path) -> None:
    pack(env, tmp_path / "o.tar", mode="keep")
    theirs = tmp_path / "theirs.tar"
    subprocess.run(
        ["tar", "-C", env, "--xattrs", "--xattrs-include=*", "--format=pax", "-cf", theirs, "lib"],
        check=True,
    )
    headers = []
    for path in (tmp_path / "o.tar", theirs):
        with tarfile.open(path, encoding="latin-1") as tar:
            headers.append(
                {
                    (member.name, key): value
                    for member in tar
                    for key, value in member.pax_headers.items()
                    if key.startswith("SCHILY.xattr.") and "selinux" not in key
                }
            )
    ours, expected = headers
    assert {key: value for key, value in expected.items() if key in ours} == ours
    missing = {name for name, _ in expected.keys() - ours.keys()}
    assert missing <= {"lib/again"}, "hard links repeat nothing"


@pytest.mark.parametrize("mode", ["normal", "keep"])
def test_access_lists_go_along_where_permissions_do(env: Path, tmp_path: Path, mode: str) -> None:
    outcome = pack(env, tmp_path / "out", mode=mode)
    kept = {name for names in found(tmp_path / "out").values() for name in names}
    assert (ACCESS in kept) == (DEFAULT in kept) == (mode == "keep")
    expected = ["extended attributes of 2 files are not in the output"] if mode != "keep" else []
    assert [note.partition(" (first")[0] for note in notes(outcome)] == expected


def test_a_zip_has_none_and_says_so(env: Path, tmp_path: Path) -> None:
    outcome = pack(env, tmp_path / "o.zip", mode="keep", zip_symlinks=True)
    (note,) = notes(outcome)
    assert note.startswith("extended attributes of 6 files are not in the output")
    assert CAPABILITY in note
    assert "lib/able" in note


def test_a_tree_without_any_is_packed_as_ever(tmp_path: Path) -> None:
    env = build(tmp_path / "env", {"a": Node(data=b"1"), "b": Node(target="a")})
    outcome = pack(env, tmp_path / "1.tar")
    os.setxattr(env / "lib/a", "user.overlay.origin", b"label of a host")
    pack(env, tmp_path / "2.tar")
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    assert not notes(outcome)


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"user.a=b": b"1"}, id="a name with an equals sign"),
        pytest.param({"user.a": b"x" * 60_000, "user.b": b"x" * 6000}, id="more than fits"),
    ],
)
def test_what_has_no_place_in_a_header_is_counted(
    tmp_path: Path, attributes: dict[str, bytes]
) -> None:
    large = any(len(value) > 1000 for value in attributes.values())
    place = "/dev/shm" if large and os.path.isdir("/dev/shm") else tmp_path
    with tempfile.TemporaryDirectory(dir=place) as folder:
        env = build(Path(folder, "env"), {"a": Node(data=b"1")})
        set_all(env / "lib/a", attributes)
        assert "lib/a" in notes(pack(env, tmp_path / "o.tar"))[0]


def test_rewritten_content_has_no_capabilities(env: Path, tmp_path: Path) -> None:
    source = PrefixSource(str(env))
    edit = Edit("lib/able", b"other", 0o755, "test", True)
    set_all(env / "lib/able", {OWN: b"1"})
    outcome = pack(source, tmp_path / "out", plan_for(source, edits=(edit,)))
    assert listed(tmp_path / "out/lib/able") == {OWN: b"1"}
    assert any(f"{CAPABILITY} of lib/able" in note for note in notes(outcome))


def test_those_of_an_archive_are_not_carried_over(env: Path, tmp_path: Path) -> None:
    """Whoever sends an archive grants nothing here: as for setuid bits."""
    pack(env, tmp_path / "o.tar", mode="keep")
    outcome = pack(
        ArchiveSource(str(tmp_path / "o.tar")), tmp_path / "out", mode="keep", arcroot=""
    )
    assert found(tmp_path / "out") == {}
    (note,) = notes(outcome)
    assert note.startswith("extended attributes of 5 files of the archive are not carried over")


def test_a_squashfs_has_what_it_holds(env: Path, tmp_path: Path) -> None:
    if shutil.which("mksquashfs") is None or shutil.which("unsquashfs") is None:
        pytest.skip("no squashfs-tools here")
    outcome = pack(env, tmp_path / "o.squashfs", mode="keep")
    out = tmp_path / "out"
    subprocess.run(["unsquashfs", "-d", out, tmp_path / "o.squashfs"], check=True, stdout=-3)
    lists = {"lib/listed": {ACCESS}, "lib/d": {DEFAULT}}
    assert found(out) == {
        path: left
        for path, names in EXPECTED.items()
        if (left := {k: v for k, v in names.items() if k not in lists.get(path, ())})
    }
    assert notes(outcome)[0].startswith("extended attributes of 2 files are not in the output")
