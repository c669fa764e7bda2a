"""The files of a run are exchanged at every call: nobody's bytes get the rights of somebody else.

The environment belongs to another user, who may rename what lies in his folders; root runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.edit import Edit, Patch
from condaprune.errors import CondapruneError
from condaprune.model import Decision, Outcome, Plan
from condaprune.sinks.attributes import CAPABILITY
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.run import recover, undo
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.faults import Counting, Killed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users take root")

OTHER = 12345
MARK = (b"\x7fELF" + b"the other user's program" * 5)[:100]
GOOD = (b"\x7fELF" + b"a program of root's ...." * 5)[:100]
NEIGHBOUR = (b"\x7fELF" + b"another one of root's .." * 5)[:100]
CAPABILITIES = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service+ep
TIME = 1_600_000_000_000_000_000
SETUID, LIST, GONE, CAPABLE = "bin/setuid", "lib/a.dist-info/RECORD", "lib/gone", "bin/capable"
PATCHED = Patch(b"\x7fELF A PROGRAM".ljust(64, b"."), 90, b"!")


def make_file(path: Path, data: bytes, mode: int, owner: int = 0) -> None:
    path.write_bytes(data)
    os.chown(path, owner, owner)
    path.chmod(mode)
    os.utime(path, ns=(TIME, TIME))


@pytest.fixture
def where() -> Iterator[Path]:
    """A folder in memory, where it matters that thousands of runs are quick."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as at:
        yield Path(at)


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """Nothing waits for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(240)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr("condaprune.sinks.inplace.sink.notes_before", lambda _prefix: [])


def build(where: Path) -> Path:
    """An environment of the other user, with files of root's in it."""
    root = where / "env"
    for folder in (
        root,
        *(root / name for name in ("bin", "lib", "lib/a.dist-info", "conda-meta")),
    ):
        folder.mkdir(parents=True)
        os.chown(folder, OTHER, OTHER)
    make_file(root / SETUID, GOOD, 0o4755)
    make_file(root / CAPABLE, GOOD, 0o755)
    os.setxattr(root / CAPABLE, CAPABILITY, CAPABILITIES)
    make_file(root / LIST, GOOD, 0o644)
    make_file(root / GONE, GOOD, 0o4755)
    make_file(root / "conda-meta/history", b"", 0o644, OTHER)
    make_file(where / "neighbour", NEIGHBOUR, 0o4755)
    return root


def plan(root: Path, made_from: bytes = GOOD) -> Plan:
    """A plan that patches two programs, writes a list and removes a program."""
    source = hashlib.sha256(made_from).digest()
    listed = made_from.replace(b"program", b"PROGRAM")
    edits = (
        Edit(SETUID, b"", 0o4755, "patched", True, PATCHED, source),
        Edit(CAPABLE, b"", 0o755, "patched", True, PATCHED, source),
        Edit(LIST, listed, 0o644, "shorter", True, None, source),
    )
    inventory = PrefixSource(str(root)).inventory()
    return Plan(inventory, {GONE: Decision(True, "rule", "demo")}, edits, "runtime", (), ())


def around(path: Path) -> Path:
    """The folder that the environment of a path lies in."""
    return next(folder for folder in path.parents if folder.name == "env").parent


def theirs(path: Path) -> None:
    path.unlink()
    make_file(path, MARK, 0o755, OTHER)


def linked(path: Path) -> None:
    path.unlink()
    os.link(around(path) / "neighbour", path)


def pointing(path: Path) -> None:
    make_file(around(path) / "theirs", MARK, 0o755, OTHER)
    path.unlink()
    path.symlink_to(around(path) / "theirs")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def written(path: Path) -> None:
    """Written in place, which only a file of his own can be, and given its time back."""
    if path.stat().st_uid != OTHER:
        theirs(path)
    with open(path, "r+b") as stream:
        stream.write(MARK[::-1])
    os.utime(path, ns=(TIME, TIME))


def missing(path: Path) -> None:
    path.unlink()


def above(path: Path) -> None:
    """The folder around it becomes a link to another one with the same names."""
    other = around(path) / "elsewhere"
    other.mkdir()
    for name in os.listdir(path.parent):
        make_file(other / name, MARK, 0o755, OTHER)
    path.parent.rename(around(path) / "was")
    path.parent.symlink_to(other)


EXCHANGES: list[Callable[[Path], None]] = [
    theirs, linked, pointing, pipe, folder, written, missing, above,
]  # fmt: skip


class Exchanging(Filesystem):
    """Calls *act* before call number *at*, and *back* before the one after (0: never)."""

    def __init__(self, at: int, act: Callable[[], None], back: Callable[[], None] | None) -> None:
        self.calls = 0
        self.at, self.act, self.back = at, act, back

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if name.startswith("_") or name in ("calls", "at", "act", "back", "close"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                with contextlib.suppress(OSError):
                    self.act()
            if self.calls == self.at + 1 and self.back is not None:
                with contextlib.suppress(OSError):
                    self.back()
            return None if name == "sync" else value(*args, **kwargs)

        return call


def run(root: Path, filesystem: Filesystem, made: Plan, *, undoable: bool) -> Outcome | None:
    sink = InPlaceSink(InPlaceOptions(undoable=undoable, filesystem=filesystem))
    try:
        return carry_out(made, PrefixSource(str(root)), sink).outcome
    except CondapruneError:
        return None


def check(where: Path) -> None:
    """No bytes of the other user are in a file that is not his, or that has rights of its own."""
    for name, _, names in os.walk(where):
        for path in (os.path.join(name, other) for other in names):
            info = os.lstat(path)
            if not stat.S_ISREG(info.st_mode):
                continue
            with open(path, "rb") as stream:
                data = stream.read()
            if any(text in data for text in (MARK, MARK[::-1], MARK[64:90], MARK[::-1][64:90])):
                assert info.st_uid == OTHER, path
                assert not info.st_mode & 0o6000, path
                assert CAPABILITY not in os.listxattr(path), path
            elif info.st_mode & 0o4000:
                assert data in (GOOD, NEIGHBOUR, b"".join(PATCHED.apply([GOOD]))), path


def back(path: Path) -> Callable[[], None]:
    """What puts the file of root's back that an exchange replaced."""
    kept = around(path) / "kept"
    os.link(path, kept)

    def put() -> None:
        if path.parent.is_symlink():
            path.parent.unlink()
            (around(path) / "was").rename(path.parent)
        with contextlib.suppress(IsADirectoryError, FileNotFoundError):
            path.unlink()
        if path.is_dir():
            path.rmdir()
        os.link(kept, path)

    return put


def calls(where: Path, *, undoable: bool) -> int:
    counting = Exchanging(0, lambda: None, None)
    root = build(where / "count")
    assert run(root, counting, plan(root), undoable=undoable) is not None
    return counting.calls


@pytest.mark.parametrize("undoable", [False, True], ids=["plain", "undoable"])
@pytest.mark.parametrize("victim", [SETUID, CAPABLE, LIST, GONE])
@pytest.mark.parametrize("returns", [False, True], ids=["for good", "for one call"])
@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda e: e.__name__)
def test_an_exchange_at_any_call_gives_nobody_rights(
    exchange: Callable[[Path], None], returns: bool, victim: str, undoable: bool, where: Path
) -> None:
    (where / "count").mkdir()
    step = 1 if victim == SETUID else 2
    for at in range(1, calls(where, undoable=undoable) + 1, step):
        here = where / f"{at}"
        here.mkdir()
        root = build(here)
        made = plan(root)
        put = back(root / victim) if returns else None
        run(root, Exchanging(at, lambda: exchange(root / victim), put), made, undoable=undoable)  # noqa: B023
        check(here)
        with contextlib.suppress(CondapruneError):
            undo(str(root)) if undoable else recover(str(root))
        check(here)
        shutil.rmtree(here)


@pytest.mark.parametrize("undoable", [False, True], ids=["plain", "undoable"])
def test_what_was_planned_from_other_bytes_is_not_written(where: Path, undoable: bool) -> None:
    """His file lay there while the plan was made, of the same size, and is gone again."""
    root = build(where)
    outcome = run(root, Filesystem(), plan(root, MARK), undoable=undoable)
    check(where)
    assert outcome is not None
    assert "changed since the plan was made" in " ".join(outcome.notes)
    assert [(root / path).read_bytes() for path in (SETUID, CAPABLE, LIST)] == [GOOD] * 3


@pytest.mark.parametrize("undoable", [False, True], ids=["plain", "undoable"])
def test_a_plan_of_his_files_gives_him_nothing(where: Path, undoable: bool) -> None:
    """The plan knows his files: they are his afterwards."""
    root = build(where)
    for path in (SETUID, CAPABLE, LIST):
        theirs(root / path)
    run(root, Filesystem(), plan(root, MARK), undoable=undoable)
    check(where)
    assert (root / LIST).stat().st_uid == OTHER


class Refusing(Filesystem):
    """Renames nothing out of its folder, as across layers of an overlay."""

    def rename(self, name: bytes, folder: int, new: bytes, to: int) -> None:
        if new.isdigit() and folder != to:
            raise OSError(18, "Invalid cross-device link")
        super().rename(name, folder, new, to)


class ExchangingCopies(Exchanging, Refusing):
    """Both at once."""


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda e: e.__name__)
def test_an_exchange_while_a_file_is_copied_gives_nobody_rights(
    exchange: Callable[[Path], None], where: Path
) -> None:
    (where / "count").mkdir()
    root = build(where / "count")
    counting = ExchangingCopies(0, lambda: None, None)
    run(root, counting, plan(root), undoable=True)
    for at in range(1, counting.calls + 1):
        here = where / f"{at}"
        here.mkdir()
        root = build(here)
        run(
            root,
            ExchangingCopies(at, lambda: exchange(root / GONE), None),  # noqa: B023
            plan(root),
            undoable=True,
        )
        check(here)
        with contextlib.suppress(CondapruneError):
            undo(str(root))
        check(here)
        shutil.rmtree(here)


@pytest.mark.parametrize("undoable", [False, True], ids=["plain", "undoable"])
def test_an_interrupted_run_leaves_a_program_with_rights_whole(where: Path, undoable: bool) -> None:
    """A journal that was read again gives none; what was set aside for it goes back."""
    (where / "count").mkdir()
    new = b"".join(PATCHED.apply([GOOD]))
    found = set()
    for last in range(1, calls(where, undoable=undoable) + 1):
        here = where / f"{last}"
        here.mkdir()
        root = build(here)
        with contextlib.suppress(Killed):
            run(root, Counting(last), plan(root), undoable=undoable)
        recover(str(root), filesystem=Counting())
        check(here)
        for path, mode in ((SETUID, 0o4755), (CAPABLE, 0o755)):
            assert (root / path).stat().st_mode & 0o7777 == mode, last
            assert (root / path).read_bytes() in (GOOD, new), last
            found.add((path, (root / path).read_bytes()))
        assert os.getxattr(root / CAPABLE, CAPABILITY) == CAPABILITIES
        shutil.rmtree(here)
    assert len(found) == 4
