"""Trials of a pruned environment: commands and imports."""

from __future__ import annotations

import pytest

from condaprune.errors import UsageProblem
from condaprune.live.trials import CommandTrial, ImportsTrial, make_trials
from condaprune.model import Decision, Plan, no_progress
from condaprune.sources.prefix import PrefixSource
from tests.live.verify.conftest import SITE, MakePair, make_pair, remove, site

__all__ = ["make_pair"]


def test_each_value_is_a_trial_once() -> None:
    trials = make_trials(["imports", "true", "true"])
    assert [trial.name for trial in trials] == ["imports", "true"]
    assert [trial.recordable for trial in trials] == [False, True]
    assert make_trials(["none"]) == ()


@pytest.mark.parametrize("values", [["none", "true"], [" "], ["imports", ""]])
def test_values_that_say_nothing_are_refused(values: list[str]) -> None:
    with pytest.raises(UsageProblem):
        make_trials(values)


def test_imports_that_worked_must_still_work(make_pair: MakePair) -> None:
    root, _ = make_pair(site({"a.py": "import b\n", "b.py": "", "c.py": "import nothing\n"}))
    plan = Plan(PrefixSource(str(root)).inventory(), {}, (), "runtime", (), ())
    trial = ImportsTrial()
    trial.prepare(str(root), no_progress)
    assert trial.run(plan) is None
    remove(root, f"{SITE}/b.py")
    removed = Plan(
        plan.inventory, {f"{SITE}/b.py": Decision(True, "rule", "demo")}, (), "runtime", (), ()
    )
    failure = trial.run(removed, seconds=30.0)
    assert failure is not None
    assert failure.ending == "1 module can no longer be imported"
    assert failure.output.startswith("a: ")


@pytest.mark.parametrize(
    ("command", "ending"),
    [("exit 3", "ended with exit status 3"), ("kill -9 $$", "was ended by signal SIGKILL")],
)
def test_a_command_must_end_with_0(command: str, ending: str, make_pair: MakePair) -> None:
    root, _ = make_pair({})
    plan = Plan(PrefixSource(str(root)).inventory(), {}, (), "runtime", (), ())
    failure = CommandTrial(command).run(plan)
    assert failure is not None
    assert failure.ending == ending
    assert CommandTrial("true").run(plan) is None
    late = CommandTrial("sleep 60").run(plan, seconds=0.2)
    assert late is not None
    assert "did not end" in late.ending
