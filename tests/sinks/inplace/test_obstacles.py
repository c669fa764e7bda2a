"""What would stop a run halfway is found before its first change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from condaprune.cli import run
from condaprune.errors import CondapruneError, SinkError, UsageProblem
from condaprune.planning.edits.sbom import SBOM
from condaprune.sinks.inplace import obstacles
from condaprune.sinks.inplace.journal import STATUS
from condaprune.sinks.inplace.run import recover, undo
from tests.sinks.inplace.prefixes import LIBRARY, SITE, build, make_plan, snapshot
from tests.sinks.inplace.test_conflicts import _lstats as lstats
from tests.sinks.inplace.test_sink import carry_out

RECORD = f"{SITE}/pkg-1.0.dist-info/RECORD"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return build(tmp_path)


def link(path: str) -> Callable[[Path], str]:
    """A link to a folder outside in the place of a folder."""

    def make(root: Path) -> str:
        outside = root.parent / "outside"
        if (root / path).is_dir():
            shutil.copytree(root / path, outside)
            shutil.rmtree(root / path)
        else:
            outside.mkdir()
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(outside)
        return path

    return make


def file(path: str) -> Callable[[Path], str]:
    """A file in the place of a folder."""

    def make(root: Path) -> str:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
        return path

    return make


def folder(path: str) -> Callable[[Path], str]:
    """A folder in the place of a file."""

    def make(root: Path) -> str:
        (root / path).mkdir(parents=True)
        return path

    return make


def other(path: str, make_it: Callable[[Path], object]) -> Callable[[Path], str]:
    """Something else in the place of a file."""

    def make(root: Path) -> str:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        make_it(root / path)
        return path

    return make


PLACES = {
    "share is a link": link("share"),
    "share is a file": file("share"),
    "share/condaprune is a link": link("share/condaprune"),
    "share/condaprune is a file": file("share/condaprune"),
    "conda-meta is a link": link("conda-meta"),
    "conda-meta/condaprune is a link": link("conda-meta/condaprune"),
    "conda-meta/condaprune is a file": file("conda-meta/condaprune"),
    "conda-meta/condaprune is a FIFO": other("conda-meta/condaprune", os.mkfifo),
    "status.json is a folder": folder(STATUS),
    "status.json is a FIFO": other(STATUS, os.mkfifo),
    "status.json is a link": other(STATUS, lambda p: p.symlink_to("../history")),
    "status.json is a link to nowhere": other(STATUS, lambda p: p.symlink_to("nowhere")),
    "the bill of materials is a folder": folder(SBOM),
    "the bill of materials is a FIFO": other(SBOM, os.mkfifo),
}


@pytest.mark.parametrize("move", [False, True], ids=["unlinking", "setting aside"])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_in_the_place_of_what_is_written_stops_the_run(
    place: str, move: bool, root: Path
) -> None:
    path = PLACES[place](root)
    before = lstats(root)
    with pytest.raises(SinkError, match="nothing was touched") as caught:
        carry_out(root, undoable=move)
    assert caught.value.where.endswith(path)
    assert lstats(root) == before
    assert recover(str(root)) == ""


def test_a_bill_of_materials_that_is_there_already_is_replaced(root: Path) -> None:
    (root / SBOM).parent.mkdir(parents=True)
    (root / SBOM).write_bytes(b"of an earlier run")
    before = snapshot(root)
    carry_out(root, undoable=True)
    assert (root / SBOM).read_bytes() == b"{}\n"
    undo(str(root))
    assert snapshot(root) == before


@pytest.fixture
def immutable(root: Path) -> Iterator[Callable[[str], None]]:
    """Marks an entry as immutable, until the test ends."""
    marked = []

    def mark(path: str) -> None:
        command = ["chattr", "+i", root / path]
        if not shutil.which("chattr") or subprocess.run(command, check=False).returncode:
            pytest.skip("files cannot be made immutable here")
        marked.append(root / path)

    yield mark
    for path in marked:
        subprocess.run(["chattr", "-i", path], check=True)


@pytest.mark.parametrize("move", [False, True], ids=["unlinking", "setting aside"])
@pytest.mark.parametrize("path", [RECORD, LIBRARY, "conda-meta/history", STATUS, SBOM, "share"])
def test_an_immutable_file_that_is_rewritten_stops_the_run(
    path: str, move: bool, root: Path, immutable: Callable[[str], None]
) -> None:
    if path == "share":
        (root / path).mkdir()
    elif path in (STATUS, SBOM):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes(b"")
    immutable(path)
    before = snapshot(root)
    with pytest.raises(SinkError, match=r"immutable.*nothing was touched") as caught:
        carry_out(root, undoable=move)
    assert path in caught.value.where
    assert snapshot(root) == before


@pytest.mark.parametrize(
    "epoch",
    [
        "99999999999999999999",
        "9223372037",
        "-1",
        "now",
        "1.5",
        " 17",
        "1_000",
        "\u0661",
        "1" * 5000,
    ],
)
def test_a_silly_source_date_epoch_stops_the_run(
    epoch: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, before = make_plan(root), snapshot(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(UsageProblem) as caught:
        carry_out(root, plan)
    assert caught.value.where == "SOURCE_DATE_EPOCH"
    assert snapshot(root) == before


@pytest.mark.parametrize("epoch", ["", "0", "1700000000", "9223372036"])
def test_any_time_that_files_can_have_is_taken(
    epoch: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    carry_out(root)
    assert not (root / "include").exists()


@pytest.mark.parametrize("move", [False, True], ids=["unlinking", "setting aside"])
def test_no_room_for_the_new_files_stops_the_run(
    move: bool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = os.statvfs_result((4096, 4096, 1000, 1, 1, 1000, 500, 500, 0, 255))
    monkeypatch.setattr(obstacles.os, "fstatvfs", lambda _handle: full)
    before = snapshot(root)
    with pytest.raises(SinkError, match=r"4,096 are free, nothing was touched"):
        carry_out(root, undoable=move)
    assert snapshot(root) == before


def test_a_file_system_that_does_not_say_is_tried(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(obstacles.os, "fstatvfs", lambda _handle: silent)
    carry_out(root)
    assert not (root / "include").exists()


@pytest.mark.parametrize("shape", ["link", "file", "FIFO"])
@pytest.mark.parametrize("command", ["prune", "undo"])
def test_a_state_folder_that_is_none_is_named(
    shape: str, command: str, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = root / ".condaprune"
    if shape == "link":
        state.symlink_to("lib")
    elif shape == "file":
        state.write_bytes(b"")
    else:
        os.mkfifo(state)
    before = lstats(root)
    arguments = [command, str(root)] + ["--isolated"] * (command == "prune")
    assert run(arguments) == 2
    assert lstats(root) == before
    assert ".condaprune: is a" in capfd.readouterr().err


STATUSES = {
    "deep": b"[" * 200_000,
    "deep in a run": b'{"runs": [' + b'{"a":' * 100_000,
    "Infinity": b'{"runs": [{"files_before": Infinity}]}',
    "not UTF-8": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "runs that are text": b'{"runs": "abc"}',
    "a run that is a list": b'{"runs": [[1, 2, 3]]}',
    "numbers that are too long": json.dumps(
        {
            "runs": [
                {
                    "version": "1",
                    "profile": "p",
                    "rules": [],
                    "files_before": 10**400,
                    "bytes_before": 10**400,
                }
            ]
        }
    ).encode(),
    "negative numbers": b'{"runs": [{"version": "1", "profile": "p", "rules": [],'
    b' "files_before": -5, "bytes_before": -5}]}',
    "empty": b"",
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_planted_status_is_no_status(status: str, root: Path) -> None:
    (root / STATUS).parent.mkdir()
    (root / STATUS).write_bytes(STATUSES[status])
    assert run(["status", str(root)]) == 0
    carry_out(root, undoable=True)
    assert len(json.loads((root / STATUS).read_bytes())["runs"]) == 1
    undo(str(root))
    assert (root / STATUS).read_bytes() == STATUSES[status]


@pytest.mark.parametrize("shape", ["too large", "FIFO", "folder", "link", "in a link"])
def test_a_status_that_is_no_file_is_an_error_at_once(shape: str, root: Path) -> None:
    path = root / STATUS
    if shape == "in a link":
        (root / "other").mkdir()
        (root / "other/status.json").write_bytes(b"{}")
        path.parent.symlink_to("../other")
    else:
        path.parent.mkdir()
    if shape == "too large":
        with path.open("wb") as stream:
            stream.truncate(1 << 40)
    elif shape == "FIFO":
        os.mkfifo(path)
    elif shape == "folder":
        path.mkdir()
    elif shape == "link":
        path.symlink_to("/etc/passwd")
    assert run(["status", str(root)]) == 2
    before = lstats(root)
    with pytest.raises(CondapruneError):
        carry_out(root)
    assert lstats(root) == before


@pytest.mark.parametrize("mark", [b"9" * 19, b"9" * 20, b"9" * 3000, b"-1", b"abc", b"\xff"])
def test_a_planted_time_of_the_prefix_is_no_obstacle(mark: bytes, root: Path) -> None:
    try:
        os.setxattr(root, "user.condaprune.mtime", mark)
    except OSError:
        pytest.skip("no user attributes here")
    (root / ".condaprune").mkdir()
    assert "traces are gone" in recover(str(root))
    carry_out(root)
    assert os.listxattr(root) == []
