"""A journal that is not ours: no command carries it out, and with the user's word it stays within
its walls."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from condaprune.cli import run
from tests.sinks.inplace.planted import JOURNALS, build_with_outside, plant, raw_journal

_PRUNE = ("--isolated", "--profile", "safe", "--drop", "/include/**")
READING = {
    "status": ["status", "{env}"],
    "a dry run": ["{env}", "--dry-run", *_PRUNE],
    "audit": ["audit", "{env}", "--quick", "--isolated"],
    "explain": ["explain", "{env}", "bin/python", "--isolated"],
}
REFUSING = {
    "prune": ["{env}", *_PRUNE],
    "prune --verify": ["{env}", *_PRUNE, "--verify", "true"],
    "undo": ["undo", "{env}"],
    "undo --forget": ["undo", "{env}", "--forget"],
}
PACKING = {
    "-o archive": ["{env}", *_PRUNE, "-o", "{out}/x.tar"],
    "-o folder": ["{env}", *_PRUNE, "-o", "{out}/x/"],
}
TRUSTING = {
    "prune --trust-journal": ["{env}", *_PRUNE, "--trust-journal"],
    "undo --trust-journal": ["undo", "{env}", "--trust-journal"],
    "undo --forget --trust-journal": ["undo", "{env}", "--forget", "--trust-journal"],
}
DISCARDING = {
    "prune --discard-journal": ["{env}", *_PRUNE, "--discard-journal"],
    "undo --discard-journal": ["undo", "{env}", "--discard-journal"],
}
KEPT = ("puts back a folder for a file",)
"""Journals of runs that have ended: packing has nothing to fear from them."""


def call(command: list[str], env: Path, out: Path) -> int:
    """The exit status of a command on a prefix."""
    out.mkdir(exist_ok=True)
    return run([word.format(env=env, out=out) for word in command])


def special(root: Path) -> list[Path]:
    """The files that run with the rights of their owner."""
    return [p for p in root.rglob("*") if p.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)]


def lstats(root: Path) -> dict[str, tuple[int, ...]]:
    """What can be known of a tree with FIFOs in it without opening anything."""
    return {
        str(path): (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino, info.st_nlink)
        for path in [root, *root.rglob("*")]
        if (info := path.lstat())
    }


@pytest.mark.parametrize("journal", JOURNALS)
def test_no_command_carries_it_out(
    journal: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
) -> None:
    root, out = build_with_outside(tmp_path), tmp_path_factory.mktemp("out")
    JOURNALS[journal](root)
    before = lstats(tmp_path)
    for name, command in {**READING, **REFUSING, **PACKING}.items():
        status = call(command, root, out)
        told = capfd.readouterr()
        assert lstats(tmp_path) == before, name
        if name in PACKING and journal in KEPT:
            assert status == 0, name
            continue
        if name in READING:
            assert status in (0, 1, 2) if name == "status" else status == 0, (name, told.err)
        else:
            assert status == 2, (name, told)
        assert "journal" in told.err + told.out * (name == "status"), (name, told)
        assert "Traceback" not in told.err


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_trusted_one_stays_within_its_walls(journal: str, tmp_path: Path) -> None:
    for name, command in TRUSTING.items():
        where = tmp_path / name.replace(" ", "")
        where.mkdir()
        root = build_with_outside(where)
        JOURNALS[journal](root)
        outside, program = lstats(where / "outside"), (root / "bin/python").read_bytes()
        assert call(command, root, tmp_path) in (0, 1, 2), name
        assert lstats(where / "outside") == outside, name
        assert special(root) == [], name
        assert all(p.lstat().st_uid == root.stat().st_uid for p in root.rglob("*")), name
        assert (root / "bin/python").read_bytes() == program, name
        if (root / "bin/conda-unpack").exists():
            assert (root / "bin/conda-unpack").read_bytes().startswith(b"#!/usr/bin/env"), name
        assert not (root / "bin/new").exists()
        assert not (root / "lib/python3.11/site-packages/x.pth").exists()


@pytest.mark.parametrize("command", DISCARDING)
@pytest.mark.parametrize("journal", JOURNALS)
def test_discarding_is_a_way_out_of_every_one(journal: str, command: str, tmp_path: Path) -> None:
    root = build_with_outside(tmp_path)
    JOURNALS[journal](root)
    outside = lstats(tmp_path / "outside")
    assert call(DISCARDING[command], root, tmp_path) in (0, 2)
    assert not (root / ".condaprune").exists()
    assert not (root / ".condaprune").is_symlink()
    assert lstats(tmp_path / "outside") == outside
    share = root / "share"
    if share.is_symlink():
        share.unlink()
    assert run([str(root), *_PRUNE, "-q"]) == 0
    assert run(["status", str(root)]) == 0


def test_a_whole_one_is_carried_out_on_the_users_word(tmp_path: Path) -> None:
    root = build_with_outside(tmp_path)
    plant(root, raw_journal(root))
    assert run([str(root), *_PRUNE, "-q"]) == 2
    assert (root / "lib/libdemo.a").exists()
    assert run([str(root), *_PRUNE, "-q", "--trust-journal"]) == 0
    assert not (root / "lib/libdemo.a").exists()
    assert (root / "conda-meta/history").read_bytes() == b""
    assert not (root / ".condaprune").exists()


def test_what_was_set_aside_is_not_lost_by_discarding(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = build_with_outside(tmp_path)
    assert run([str(root), *_PRUNE, "-q", "--undoable"]) == 0
    kept = sorted(p.name for p in (root / ".condaprune/moved").iterdir())
    assert kept
    before = lstats(root)
    assert run(["undo", str(root), "--discard-journal"]) == 0
    assert "condaprune-set-aside" in capfd.readouterr().out
    assert sorted(p.name for p in (root / "condaprune-set-aside/moved").iterdir()) == kept
    after = {p.replace("condaprune-set-aside", ".condaprune"): i for p, i in lstats(root).items()}
    assert {p for p in before if before[p] != after[p]} == {str(root)}
    (root / ".condaprune").mkdir()
    (root / ".condaprune/unknown").mkdir()
    assert run(["undo", str(root), "--discard-journal"]) == 0
    assert (root / "condaprune-set-aside-1/unknown").is_dir()


def test_a_journal_is_not_both_trusted_and_discarded(tmp_path: Path) -> None:
    root = build_with_outside(tmp_path)
    assert run([str(root), *_PRUNE, "--trust-journal", "--discard-journal"]) == 2
    assert run([str(root), *_PRUNE, "--trust-journal", "-o", str(tmp_path / "x.tar")]) == 2
