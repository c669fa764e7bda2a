"""What a rewritten or copied file keeps of the old one, and what is said of the rest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.edit import Edit, Patch
from condaprune.model import Decision, Outcome, Plan
from condaprune.sinks.attributes import ACLS, CAPABILITY
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.run import undo
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.test_exchange import CAPABILITIES, OTHER
from tests.sinks.inplace.test_sink import Across
from tests.sinks.outputs.test_attributes import acl

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="capabilities and owners take root")

PROGRAM, LIST, GONE = "bin/program", "lib/a.dist-info/RECORD", "lib/gone"
DATA = (b"\x7fELF" + b"a program of many bytes" * 5)[:100]
HEAD = b"\x7fELF another program".ljust(64, b".")
OWN = {"user.demo": b"any\0value", ACLS[0]: acl(5)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An environment whose files have all there is to keep."""
    root = tmp_path / "env"
    for path, mode in (
        (PROGRAM, 0o6751),
        (LIST, 0o6644),
        (GONE, 0o6751),
        ("conda-meta/history", 0),
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(DATA)
        os.chown(file, OTHER, OTHER + 1)
        file.chmod(mode)
        for name, value in {**OWN, CAPABILITY: CAPABILITIES}.items():
            os.setxattr(file, name, value)
    return root


def plan(root: Path) -> Plan:
    source = hashlib.sha256(DATA).digest()
    edits = (
        Edit(PROGRAM, b"", 0o755, "patched", True, Patch(HEAD, 90, b"!"), source),
        Edit(LIST, b"shorter", 0o644, "shorter", True, None, source),
    )
    inventory = PrefixSource(str(root)).inventory()
    return Plan(inventory, {GONE: Decision(True, "rule", "demo")}, edits, "runtime", (), ())


def run(root: Path, filesystem: Filesystem | None = None, *, undoable: bool = False) -> Outcome:
    sink = InPlaceSink(InPlaceOptions(undoable=undoable, filesystem=filesystem or Filesystem()))
    return carry_out(plan(root), PrefixSource(str(root)), sink).outcome


def told(path: Path) -> tuple[int, int, int, dict[str, bytes]]:
    """Mode, owner, group, attributes."""
    info = path.stat()
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    attributes.pop("security.selinux", None)
    return info.st_mode & 0o7777, info.st_uid, info.st_gid, attributes


@pytest.mark.parametrize("undoable", [False, True], ids=["plain", "undoable"])
def test_a_patched_program_keeps_everything(root: Path, undoable: bool) -> None:
    before = told(root / PROGRAM)
    outcome = run(root, undoable=undoable)
    assert (root / PROGRAM).read_bytes() == HEAD + DATA[64:90] + b"!"
    assert told(root / PROGRAM) == before
    assert before[3] == {**OWN, CAPABILITY: CAPABILITIES}
    assert not any("extended attributes" in note for note in outcome.notes)


def test_a_list_keeps_all_but_what_was_granted_to_its_content(root: Path) -> None:
    mode, *owner, _ = told(root / LIST)
    run(root)
    assert (root / LIST).read_bytes() == b"shorter"
    assert told(root / LIST) == (mode & 0o777, *owner, OWN)


@pytest.mark.parametrize("filesystem", [Filesystem, Across], ids=["renamed", "copied"])
def test_what_is_set_aside_comes_back_as_it_was(root: Path, filesystem: type[Filesystem]) -> None:
    before = {path: told(root / path) for path in (PROGRAM, LIST, GONE)}
    run(root, filesystem(), undoable=True)
    assert not (root / GONE).exists()
    undo(str(root))
    assert {path: told(root / path) for path in (PROGRAM, LIST, GONE)} == before


class Bare(Filesystem):
    """Sets no attribute, as a file system without any, or one that forbids it."""

    def set_attribute(self, handle: int, name: str, value: bytes) -> None:
        raise PermissionError(1, "Operation not permitted")


class BareAcross(Bare, Across):
    """And copies."""


def test_what_could_not_be_kept_is_said(root: Path) -> None:
    before = told(root / PROGRAM)[:3]
    notes = [note for note in run(root, Bare()).notes if "extended attributes" in note]
    (note,) = notes
    assert note.startswith("extended attributes of 2 files could not be kept (first: ")
    assert "of bin/program" in note
    assert told(root / PROGRAM)[:3] == before


def test_what_a_copy_could_not_keep_is_said(root: Path) -> None:
    outcome = run(root, BareAcross(), undoable=True)
    assert any("extended attributes of 3 files could not be kept" in n for n in outcome.notes)


class Poor(Filesystem):
    """Gives no file away, as for a user who is not root."""

    def chown(self, handle: int, user: int, group: int) -> None:
        raise PermissionError(1, "Operation not permitted")


def test_who_cannot_give_a_file_to_its_owner_gives_it_no_rights(root: Path) -> None:
    before, *_ = told(root / PROGRAM)
    assert before & 0o6000 == 0o6000
    run(root, Poor())
    mode, user, _, attributes = told(root / PROGRAM)
    assert (mode, user) == (before & 0o777, 0)
    assert CAPABILITY not in attributes
