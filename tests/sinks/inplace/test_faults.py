"""A run is killed at every file-system call; the next call ends in exactly one of two trees."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.errors import VerificationFailed
from condaprune.live.activation import Wrap
from condaprune.live.heal.verifier import Verifier
from condaprune.live.trials import Failure
from condaprune.model import Plan, Progress
from condaprune.sinks.inplace.run import CannotUndo, recover, undo
from condaprune.sinks.inplace.sink import InPlaceOptions, InPlaceSink
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.faults import Counting, kill_at
from tests.sinks.inplace.prefixes import build, difference, inodes, make_plan, snapshot

Snapshot = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Says:
    """A trial that says yes or no."""

    good: bool
    name: str = "says"
    recordable: bool = False

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Nothing to learn."""

    def run(self, plan: Plan, *, seconds: float = 0.0, wrap: Wrap | None = None) -> Failure | None:
        """Yes or no."""
        return None if self.good else Failure(self.name, "said no", "")


VERIFIED = ("verified", "failing", "both")


def options(kind: str, filesystem: Counting) -> InPlaceOptions:
    """The options of each kind of run."""
    return InPlaceOptions(
        verified=kind in VERIFIED,
        undoable=kind in ("undoable", "both"),
        filesystem=filesystem,
    )


def prune(root: Path, kind: str, filesystem: Counting) -> None:
    """A run of that kind on the prefix."""
    sink = InPlaceSink(options(kind, filesystem))
    try:
        verifier = Verifier([Says(kind != "failing")]) if kind in VERIFIED else None
        carry_out(make_plan(root), PrefixSource(str(root)), sink, verifier=verifier)
    except VerificationFailed:
        assert kind == "failing"


def without_state(found: Snapshot) -> Snapshot:
    """A snapshot without the state folder."""
    return {path: told for path, told in found.items() if not path.startswith(".condaprune")}


# Every call of the three ways a run can go, and a dense sample of their combinations.
STEPS = {"plain": 1, "verified": 1, "undoable": 1, "failing": 3, "both": 7}


@pytest.fixture(autouse=True)
def _fixed_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr("condaprune.sinks.inplace.sink.notes_before", lambda _prefix: [])


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: thousands of small trees are made in it."""
    try:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            os.setxattr(folder, "user.condaprune.probe", b"")
            yield Path(folder)
    except OSError:
        yield tmp_path


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, Snapshot]:
    """The original and the finished tree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        root = build(tmp_path_factory.mktemp("expected"))
        original = snapshot(root)
        prune(root, "plain", Counting())
        return original, snapshot(root)


def calls_of(where: Path, work: Callable[[Path, Counting], object]) -> int:
    """How many file-system calls *work* takes on a fresh prefix."""
    counting = Counting()
    work(build(where), counting)
    return counting.calls


@pytest.mark.parametrize("kind", ["plain", "verified", "undoable", "both", "failing"])
def test_a_run_killed_at_any_call_is_finished_or_undone_by_the_next(
    kind: str, base: Path, expected: tuple[Snapshot, Snapshot]
) -> None:
    original, finished = expected
    (base / "count").mkdir()
    calls = calls_of(base / "count", lambda root, fs: prune(root, kind, fs))
    assert calls > 100
    for last in range(1, calls + 1, STEPS[kind]):
        where = base / f"{last}"
        where.mkdir()
        root = build(where)
        cache = snapshot(where / "cache")
        kill_at(last, lambda fs: prune(root, kind, fs))  # noqa: B023
        recover(str(root), filesystem=Counting())
        found = snapshot(root)
        if kind in ("undoable", "both"):
            ended = without_state(found)
            assert ended in (original, _as_links(finished, ended)), last
        else:
            assert found in (original, finished), (last, difference(found, finished))
        if kind == "verified" or (kind == "plain" and found == original):
            prune(root, kind, Counting())
            assert snapshot(root) == finished, (last, difference(snapshot(root), finished))
        assert _content(snapshot(where / "cache")) == _content(cache)


@pytest.mark.parametrize("kind", ["verified", "undoable", "both"])
def test_a_run_killed_at_any_call_can_be_undone_while_what_went_is_set_aside(
    kind: str, base: Path, expected: tuple[Snapshot, Snapshot]
) -> None:
    original, finished = expected
    (base / "count").mkdir()
    calls = calls_of(base / "count", lambda root, fs: prune(root, kind, fs))
    undone = 0
    for last in range(1, calls + 1, 3):
        where = base / f"{last}"
        where.mkdir()
        root = build(where)
        before = inodes(root)
        kill_at(last, lambda fs: prune(root, kind, fs))  # noqa: B023
        try:
            undo(str(root), filesystem=Counting())
        except CannotUndo:
            recover(str(root), filesystem=Counting())
            assert snapshot(root) in (original, finished), last
        else:
            undone += 1
            assert snapshot(root) == original, (last, difference(snapshot(root), original))
            assert inodes(root) == before, last
    assert undone > 40


def test_an_undo_killed_at_any_call_is_finished_by_the_next(
    base: Path, expected: tuple[Snapshot, Snapshot]
) -> None:
    original, _ = expected

    def kept(where: Path) -> Path:
        where.mkdir()
        root = build(where)
        prune(root, "undoable", Counting())
        return root

    counting = Counting()
    undo(str(kept(base / "count")), filesystem=counting)
    assert counting.calls > 100
    for last in range(2, counting.calls + 1, 2):
        root = kept(base / f"{last}")
        kill_at(last, lambda fs: undo(str(root), filesystem=fs))  # noqa: B023
        if not recover(str(root), filesystem=Counting()) and snapshot(root) != original:
            undo(str(root))  # killed before it began
        assert snapshot(root) == original, (last, difference(snapshot(root), original))


def test_a_recovery_killed_at_any_call_is_finished_by_the_next(
    base: Path, expected: tuple[Snapshot, Snapshot]
) -> None:
    _, finished = expected

    def half(where: Path) -> Path:
        where.mkdir()
        root = build(where)
        kill_at(121, lambda fs: prune(root, "plain", fs))
        return root

    counting = Counting()
    recover(str(half(base / "count")), filesystem=counting)
    assert counting.calls > 50
    for last in range(1, counting.calls + 1, 2):
        root = half(base / f"{last}")
        kill_at(last, lambda fs: recover(str(root), filesystem=fs))  # noqa: B023
        recover(str(root), filesystem=Counting())
        assert snapshot(root) == finished, (last, difference(snapshot(root), finished))


def _as_links(finished: Snapshot, like: Snapshot) -> Snapshot:
    """The finished tree with the link counts that files have while others are set aside."""
    return {
        path: (*told[:5], like[path][5] if path in like else told[5], *told[6:])
        for path, told in finished.items()
    }


def _content(found: Snapshot) -> Snapshot:
    """A snapshot without the link counts, which a removal elsewhere lowers."""
    return {path: (*told[:5], 0, *told[6:]) for path, told in found.items()}
