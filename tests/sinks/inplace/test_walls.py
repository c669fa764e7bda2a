"""Every journal that a plan makes is within the walls; one step outside is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from condaprune import api
from condaprune.edit import Patch
from condaprune.errors import SinkError
from condaprune.sinks.inplace.contents import check_contents
from condaprune.sinks.inplace.filesystem import Filesystem, Folders
from condaprune.sinks.inplace.journal import (
    FORMAT,
    Fingerprint,
    Journal,
    Mode,
    Phase,
    Rewrite,
    dump,
    load,
)
from condaprune.sinks.inplace.prepare import make_journal
from condaprune.sinks.inplace.walls import check, tamed
from lab.envs.model import BuiltEnvironment
from tests.sinks.inplace.prefixes import LIBRARY, SITE, build, make_plan

RECORD = f"{SITE}/pkg-1.0.dist-info/RECORD"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal, _ = make_journal(make_plan(build(tmp_path)), mode="move", verified=False)
    assert journal is not None
    return journal


@pytest.mark.parametrize("phase", Phase)
def test_the_journal_of_a_plan_is_within(phase: Phase, journal: Journal) -> None:
    check(load(dump(journal), "here"), phase)


REQUESTS = {
    "the default": api.Request(),
    "all edits": api.Request(strip=True, bytecode="hash", keep_conda_meta="slim"),
    "minimal": api.Request(profile="minimal", strip=True),
}


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("mode", ["unlink", "move"])
def test_the_journals_of_a_real_environment_are_within(
    request_name: str, mode: Mode, fresh_tiny: BuiltEnvironment
) -> None:
    plan = api.plan(fresh_tiny.prefix, REQUESTS[request_name])
    journal, _ = make_journal(plan, mode=mode, verified=False)
    assert journal is not None
    check(journal, Phase.APPLY)
    root = os.open(fresh_tiny.prefix, os.O_RDONLY)
    folders = Folders(Filesystem(), root)
    check_contents(journal, folders, ".condaprune/moved")
    folders.release()
    os.close(root)


def _bare(
    journal: Journal,
    rewrites: tuple[Rewrite, ...] = (),
    removals: tuple[Fingerprint, ...] = (),
    made: tuple[str, ...] = (),
    times: tuple[tuple[str, int], ...] = (),
) -> Journal:
    return replace(journal, rewrites=rewrites, removals=removals, made=made, times=times)


def _file(path: str) -> Fingerprint:
    return Fingerprint(path, "file", 100, 0, 1)


def _rewrite(path: str, data: bytes = b"", patch: Patch | None = None, old: str = "") -> Rewrite:
    return Rewrite(path, data, 0o644, 0, (0, 0), _file(old or path), patch)


_ELF = b"\x7fELF" + bytes(60)
OUTSIDE = {
    "a program": _rewrite("bin/python", b"code"),
    "a module": _rewrite(f"{SITE}/pkg/__init__.py", b"code"),
    "a list of another name": _rewrite(f"{SITE}/pkg-1.0.dist-info/RECORDS", b"code"),
    "a list elsewhere": _rewrite("bin/RECORD", b"code"),
    "a record in a folder": _rewrite("conda-meta/x/y.json", b"{}"),
    "a history with content": _rewrite("conda-meta/history", b"x"),
    "the fingerprint of another file": _rewrite(RECORD, b"", old="bin/python"),
    "a patch of a script": _rewrite("bin/tool", patch=Patch(b"#!/bin/evil")),
    "a patch without an end": _rewrite("lib/a.so", patch=Patch(_ELF)),
    "a patch that grows": _rewrite("lib/a.so", patch=Patch(_ELF, 90, b"x" * 10)),
    "a patch with a long head": _rewrite("lib/a.so", patch=Patch(_ELF + b"x", 80)),
    "a patch with a negative end": _rewrite("lib/a.so", patch=Patch(_ELF, -1)),
    "a patch of much bytecode": _rewrite("a.pyc", patch=Patch(b"x" * 17)),
    "a patch of bytecode with a tail": _rewrite("a.pyc", patch=Patch(b"x" * 16, None, b"x")),
    "a patch and content": _rewrite("a.pyc", b"x", Patch(b"x" * 16)),
    "a new program": replace(_rewrite("bin/new"), replaces=None),
    "a new list": replace(_rewrite(RECORD), replaces=None),
}


@pytest.mark.parametrize("outside", OUTSIDE)
def test_what_no_edit_writes_is_outside(outside: str, journal: Journal) -> None:
    with pytest.raises(ValueError, match="which no plan does in this way"):
        check(_bare(journal, rewrites=(OUTSIDE[outside],)), Phase.APPLY)


PATHS = (
    "", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", "./a", "a/.", "a//b", "a/", "a\0b",
    ".condaprune", ".condaprune/journal.kept", "a/\ud800",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_path_of_an_entry_is_outside(path: str, journal: Journal) -> None:
    for bad in (
        _bare(journal, removals=(_file(path),)),
        _bare(journal, rewrites=(_rewrite(path),)),
        _bare(journal, made=(path,)),
        _bare(journal, times=((path or "..", 0),)),  # the prefix itself has no name
    ):
        with pytest.raises(ValueError, match="not the path of an entry"):
            check(bad, Phase.APPLY)


@pytest.mark.parametrize("path", ["a", "...", "..a", "a..", "a b", "\udce9", "x/.condaprune", "-"])
def test_odd_names_are_names(path: str, journal: Journal) -> None:
    check(_bare(journal, removals=(_file(path),)), Phase.APPLY)


def test_a_path_twice_is_outside(journal: Journal) -> None:
    first = journal.removals[0]
    with pytest.raises(ValueError, match="twice"):
        check(replace(journal, removals=(first, *journal.removals)), Phase.APPLY)


def test_a_path_below_a_file_is_outside(journal: Journal) -> None:
    with pytest.raises(ValueError, match="is a file, and a folder"):
        check(replace(journal, removals=(_file("a"), _file("a/b"))), Phase.APPLY)


def test_folders_before_their_content_are_outside(journal: Journal) -> None:
    with pytest.raises(ValueError, match="in disorder"):
        check(replace(journal, removals=journal.removals[::-1]), Phase.APPLY)


def test_nothing_is_given_by_a_journal(journal: Journal) -> None:
    loud = [replace(r, mode=0o7777, owner=(0, 0)) for r in (*journal.rewrites, journal.status)]
    raised = replace(journal, rewrites=tuple(loud[:-1]), status=loud[-1], owner=(0, 0))
    quiet = tamed(raised, (7, 8))
    assert {r.owner for r in (*quiet.rewrites, quiet.status)} | {quiet.owner} == {(7, 8)}
    assert all(
        r.mode == (0o644 if r.replaces is None else 0o777) for r in (*quiet.rewrites, quiet.status)
    )


# -- contents


@pytest.fixture
def folders(tmp_path: Path, journal: Journal) -> Folders:
    return Folders(Filesystem(), os.open(tmp_path / "env", os.O_RDONLY))


def _only(journal: Journal, path: str) -> Journal:
    return replace(journal, rewrites=tuple(r for r in journal.rewrites if r.path == path))


@pytest.mark.parametrize("name", ["RECORD", "history", ".pyc"])
def test_what_follows_from_the_old_file_may_be_written(
    name: str, journal: Journal, folders: Folders
) -> None:
    (path,) = (r.path for r in journal.rewrites if r.path.endswith(name))
    check_contents(_only(journal, path), folders, ".condaprune/moved")


@pytest.mark.parametrize("data", [b"pkg/__init__.py,,\nbin/evil,,\n", b"../../../etc/passwd,,\n"])
def test_a_list_that_names_more_may_not(data: bytes, journal: Journal, folders: Folders) -> None:
    record = replace(_only(journal, RECORD).rewrites[0], data=data)
    with pytest.raises(ValueError, match="RECORD does not follow"):
        check_contents(replace(journal, rewrites=(record,)), folders, ".condaprune/moved")


def test_a_patch_that_stripping_would_not_make_may_not(journal: Journal, folders: Folders) -> None:
    with pytest.raises(ValueError, match="does not follow"):
        check_contents(_only(journal, LIBRARY), folders, ".condaprune/moved")


def test_a_program_with_the_rights_of_its_owner_is_left_alone(
    journal: Journal, folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "env" / RECORD).chmod(0o4755)
    with pytest.raises(ValueError, match="rights of its owner"):
        check_contents(_only(journal, RECORD), folders, ".condaprune/moved")


def test_a_list_that_is_another_file_by_now_is_left_alone(
    journal: Journal, folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "env" / RECORD).write_text("other,,\n")
    with pytest.raises(ValueError, match="is not the file"):
        check_contents(_only(journal, RECORD), folders, ".condaprune/moved")


def test_a_damaged_journal_does_not_take_long(tmp_path: Path) -> None:
    data = b'{"format":%d,"removals":[' % FORMAT + b'["a","file",1,1,1],' * 200_000 + b"[]]}"
    with pytest.raises(SinkError, match="damaged"):
        load(data, "here")


def test_the_tests_of_this_folder_reach_no_private_file_of_the_user() -> None:
    assert "condaprune-tests-" in os.environ["XDG_STATE_HOME"]


@pytest.mark.parametrize(
    "time", [-1, -(1 << 63) * 10**9, 1 << 63, 13_569_465_600 * 10**9, ((1 << 63) - 1) * 10**9]
)
def test_a_time_that_a_file_system_can_have_is_within(time: int, journal: Journal) -> None:
    removals = (journal.removals[0]._replace(mtime_ns=time), *journal.removals[1:])
    check(replace(journal, removals=removals, times=(("", time),)), Phase.APPLY)


@pytest.mark.parametrize("time", [-(1 << 63) * 10**9 - 1, (1 << 63) * 10**9])
def test_a_time_that_no_file_system_has_is_refused(time: int, journal: Journal) -> None:
    with pytest.raises(ValueError, match="a time that no file has"):
        check(replace(journal, times=(("", time),)), Phase.APPLY)
