"""An undo overwrites nothing that was made or changed since: it names it, and puts nothing back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import SinkError, VerificationFailed
from condaprune.planning.edits.sbom import SBOM
from condaprune.sinks.inplace.journal import STATUS
from condaprune.sinks.inplace.run import recover, undo
from tests.sinks.inplace.faults import Counting, kill_at
from tests.sinks.inplace.prefixes import BYTECODE, LIBRARY, SITE, build, difference, snapshot
from tests.sinks.inplace.test_faults import prune
from tests.sinks.inplace.test_sink import carry_out

RECORD = f"{SITE}/pkg-1.0.dist-info/RECORD"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = build(tmp_path)
    prune(root, "undoable", Counting())
    return root


def put(path: str, *, replaced: bool = False) -> Callable[[Path], None]:
    """Puts a file of the user's own there, perhaps in the place of one."""

    def change(root: Path) -> None:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if replaced:
            file.unlink()
        file.write_bytes(b"my own")

    change.__doc__ = path
    return change


def a_folder(root: Path) -> None:
    """lib/libdemo.a"""
    (root / "lib/libdemo.a").mkdir()


def a_link(root: Path) -> None:
    """bin/alias"""
    (root / "bin/alias").symlink_to("python")


def a_file_for_a_folder(root: Path) -> None:
    """include"""
    (root / "include").write_bytes(b"my own")


def a_link_for_a_folder(root: Path) -> None:
    """include"""
    (root / "elsewhere").mkdir()
    (root / "include").symlink_to("elsewhere")


def a_link_above(root: Path) -> None:
    """site-packages/pkg"""
    (root / SITE / "pkg").rename(root / "moved")
    (root / SITE / "pkg").symlink_to(root / "moved")


def nothing_above(root: Path) -> None:
    """site-packages/pkg"""
    shutil.rmtree(root / SITE / "pkg")


def a_link_for_a_list(root: Path) -> None:
    """RECORD"""
    (root / RECORD).unlink()
    (root / RECORD).symlink_to("METADATA")


def a_fifo_for_a_list(root: Path) -> None:
    """RECORD"""
    (root / RECORD).unlink()
    os.mkfifo(root / RECORD)


def a_folder_for_the_status(root: Path) -> None:
    """status.json"""
    (root / STATUS).unlink()
    (root / STATUS).mkdir()


def another_end(root: Path) -> None:
    """libstripped.so"""
    data = (root / LIBRARY).read_bytes()
    (root / LIBRARY).write_bytes(data[:-1] + b"!")


CONFLICTS = {
    "a file where one went": put("lib/libdemo.a"),
    "a file where a link went": put("bin/alias"),
    "a folder where a file went": a_folder,
    "a link where one went": a_link,
    "a file where a folder went": a_file_for_a_folder,
    "a link where a folder went": a_link_for_a_folder,
    "a file in a folder that went": put("include/zlib.h"),
    "a link for a folder above": a_link_above,
    "no folder above": nothing_above,
    "another list": put(RECORD, replaced=True),
    "a list written into": put(RECORD),
    "a link for a list": a_link_for_a_list,
    "a FIFO for a list": a_fifo_for_a_list,
    "another bill of materials": put(SBOM),
    "another history": put("conda-meta/history"),
    "a library that was upgraded": put(LIBRARY),
    "a library with another end": another_end,
    "a folder for the status": a_folder_for_the_status,
}


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_what_was_made_since_stops_an_undo_before_it_begins(conflict: str, root: Path) -> None:
    change = CONFLICTS[conflict]
    change(root)
    before = _lstats(root)
    with pytest.raises(SinkError, match="nothing was touched") as caught:
        undo(str(root))
    assert str(change.__doc__) in caught.value.where
    assert caught.value.exit_code == 2
    assert _lstats(root) == before


def test_with_it_moved_away_the_undo_gets_on(root: Path, tmp_path: Path) -> None:
    put("lib/libdemo.a")(root)
    put("include/zlib.h")(root)
    with pytest.raises(SinkError, match=r"and 1 more: lib/libdemo\.a"):
        undo(str(root))
    for path in ("lib/libdemo.a", "include/zlib.h"):
        (root / path).unlink()
    undo(str(root))
    assert difference(snapshot(build(_below(tmp_path))), snapshot(root)) == []


@pytest.mark.parametrize("path", [BYTECODE, f"{SITE}/pkg/tests/__pycache__/test_a.cpython-311.pyc"])
def test_bytecode_that_python_has_written_since_is_no_obstacle(
    path: str, root: Path, tmp_path: Path
) -> None:
    put(path)(root)
    undo(str(root))
    assert difference(snapshot(build(_below(tmp_path))), snapshot(root)) == []


def test_folders_that_were_made_since_are_merged(root: Path) -> None:
    put("include/mine.h")(root)
    undo(str(root))
    assert (root / "include/mine.h").read_bytes() == b"my own"
    assert (root / "include/zlib.h").exists()


def test_what_was_removed_since_comes_back(root: Path, tmp_path: Path) -> None:
    (root / RECORD).unlink()
    (root / SBOM).unlink()
    (root / STATUS).unlink()
    undo(str(root))
    assert difference(snapshot(build(_below(tmp_path))), snapshot(root)) == []


def test_the_same_file_made_anew_is_no_conflict(root: Path, tmp_path: Path) -> None:
    original = build(_below(tmp_path)) / "lib/libdemo.a"
    shutil.copy2(original, root / "lib/libdemo.a")
    undo(str(root))
    assert (root / "lib/libdemo.a").read_bytes() == original.read_bytes()


def test_forgetting_is_possible_with_any_conflict(root: Path) -> None:
    put("lib/libdemo.a")(root)
    undo(str(root), forget=True)
    assert (root / "lib/libdemo.a").read_bytes() == b"my own"


def test_a_recovery_that_undoes_overwrites_nothing_either(tmp_path: Path) -> None:
    root = build(_below(tmp_path))
    counting = Counting()
    prune(build(_below(tmp_path)), "verified", counting)
    last = next(
        call for call in range(counting.calls, 0, -1) if _in_verification(_below(tmp_path), call)
    )
    kill_at(last, lambda fs: prune(root, "verified", fs))
    put("lib/libdemo.a")(root)
    with pytest.raises(SinkError, match="nothing was touched"):
        recover(str(root))
    assert (root / "lib/libdemo.a").read_bytes() == b"my own"
    (root / "lib/libdemo.a").unlink()
    assert "it is undone" in recover(str(root))


def _in_verification(where: Path, last: int) -> bool:
    """Whether a run that is killed at that call is one to be undone."""
    root = build(where)
    kill_at(last, lambda fs: prune(root, "verified", fs))
    return (root / ".condaprune/journal.apply").exists() and not (root / "include").exists()


def test_a_failed_verification_takes_its_own_traces_with_it(tmp_path: Path) -> None:
    root = build(_below(tmp_path))
    before = snapshot(root)
    with pytest.raises(VerificationFailed):
        carry_out(root, command='echo made > "$CONDA_PREFIX/lib/libdemo.a"; exit 1')
    assert difference(before, snapshot(root)) == []


_NUMBER = iter(range(1000))


def _below(where: Path) -> Path:
    folder = where / f"below{next(_NUMBER)}"
    folder.mkdir()
    return folder


def _lstats(root: Path) -> dict[str, tuple[int, ...]]:
    return {
        str(path): (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino)
        for path in [root, *root.rglob("*")]
        if (info := path.lstat())
    }
