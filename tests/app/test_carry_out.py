"""The one composition: begin, apply, verify, heal by a new plan, then commit or undo, and close."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from condaprune.app.carry_out import carry_out
from condaprune.errors import SinkError, VerificationFailed
from condaprune.live.heal.units import Keep
from condaprune.model import Inventory, Layout, Outcome, Plan, Progress, no_progress
from condaprune.sources.base import Source
from condaprune.sources.pathlist import PathListSource

SOURCE = PathListSource("env.txt")
INVENTORY = Inventory("env", "", {}, {}, (), (), Layout("linux-64", "", {}))
OUTCOME = Outcome(2, 1)


def plan(name: str) -> Plan:
    """An empty plan that can be told from others."""
    return Plan(INVENTORY, {}, (), name, (), ())


class FakeSink:
    """Notes what is called; an act that is named in *failing* fails."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.calls: list[str] = []

    def note(self, act: str) -> None:
        self.calls.append(act)
        if act in self.failing:
            raise SinkError(f"{act} failed")

    def begin(self, plan: Plan, source: Source) -> FakeRun:
        self.note(f"begin {plan.profile}")
        return FakeRun(self)

    def close(self) -> None:
        self.note("close")


class FakeRun:
    """A run of a `FakeSink`."""

    def __init__(self, sink: FakeSink) -> None:
        self.sink = sink

    def apply(self, progress: Progress) -> None:
        self.sink.note("apply")

    def commit(self) -> Outcome:
        self.sink.note("commit")
        return OUTCOME

    def undo(self) -> None:
        self.sink.note("undo")


class FakeVerifier:
    """Finds the patterns of each round in turn to keep; None fails."""

    def __init__(self, sink: FakeSink, *rounds: str | None) -> None:
        self.sink = sink
        self.rounds = list(rounds)

    def prepare(self, plan: Plan, progress: Progress) -> None:
        self.sink.note("prepare")

    def verify(self, run: FakeRun, plan: Plan, progress: Progress) -> Sequence[Keep]:
        self.sink.note("verify")
        pattern = self.rounds.pop(0)
        if pattern is None:
            raise VerificationFailed("no")
        return [Keep(pattern, "", "")] if pattern else []


def test_a_plan_is_applied_committed_and_closed() -> None:
    sink = FakeSink()
    carried = carry_out(plan("a"), SOURCE, sink)
    assert sink.calls == ["begin a", "apply", "commit", "close"]
    assert (carried.outcome, carried.keeps) == (OUTCOME, ())


@pytest.mark.parametrize(
    ("failing", "calls"),
    [
        ("begin a", ["begin a", "close"]),
        ("apply", ["begin a", "apply", "undo", "close"]),
        ("commit", ["begin a", "apply", "commit", "close"]),
    ],
)
def test_only_what_can_still_be_undone_is_undone(failing: str, calls: list[str]) -> None:
    sink = FakeSink(failing)
    with pytest.raises(SinkError, match=failing):
        carry_out(plan("a"), SOURCE, sink)
    assert sink.calls == calls


def test_a_failed_verification_undoes_the_run() -> None:
    sink = FakeSink()
    with pytest.raises(VerificationFailed):
        carry_out(plan("a"), SOURCE, sink, verifier=FakeVerifier(sink, None))
    assert sink.calls == ["prepare", "begin a", "apply", "verify", "undo", "close"]


def test_healing_plans_again_with_all_that_was_found_so_far() -> None:
    sink = FakeSink()
    asked: list[list[str]] = []

    def replan(patterns: Sequence[str]) -> tuple[Plan, Source]:
        asked.append(list(patterns))
        return plan(f"without {len(patterns)}"), SOURCE

    verifier = FakeVerifier(sink, "/one", "/two", "")
    carried = carry_out(plan("a"), SOURCE, sink, verifier=verifier, replan=replan)
    assert asked == [["/one"], ["/one", "/two"]]
    assert [keep.pattern for keep in carried.keeps] == ["/one", "/two"]
    assert carried.plan.profile == "without 2"
    once = ["apply", "verify", "undo"]
    assert sink.calls == [
        *["prepare", "begin a", *once, "begin without 1", *once],
        *["begin without 2", "apply", "verify", "commit", "close"],
    ]


def test_a_refused_new_plan_leaves_the_run_undone() -> None:
    sink = FakeSink()

    def replan(patterns: Sequence[str]) -> tuple[Plan, Source]:
        raise SinkError("refused")

    with pytest.raises(SinkError, match="refused"):
        carry_out(
            plan("a"),
            SOURCE,
            sink,
            verifier=FakeVerifier(sink, "/one"),
            replan=replan,
            progress=no_progress,
        )
    assert sink.calls[-2:] == ["undo", "close"]
