"""The part of the wheel set that fits CI: the wheels of the small environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.envs.model import BuiltEnvironment
from lab.wheelset.groups import GROUPS, PYTHON
from lab.wheelset.groups.helpers import runs, serves
from lab.wheelset.place import Place
from lab.wheelset.run import Outcome, announced_modules, prune, regressions, run_checks

PASSED, FAILED = Outcome(True), Outcome(False, "Traceback\nValueError: no")
GONE = Outcome(False, "Traceback\nModuleNotFoundError: No module named 'pip'")


def test_only_what_passed_before_can_be_lost() -> None:
    before = {"a": PASSED, "b": PASSED, "c": FAILED}
    after = {"a": PASSED, "b": FAILED, "c": FAILED}
    assert regressions(before, after) == {"b": FAILED.said}


def test_a_package_that_a_rule_announces_to_take_is_no_regression(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"rules": [{"breaks": ["`pip`, and pip's command"]}, {}]}))
    assert announced_modules(manifest) == {"pip"}
    assert regressions({"a": PASSED}, {"a": GONE}, {"pip"}) == {}
    assert regressions({"a": PASSED}, {"a": GONE}, {"numpy"}) == {"a": GONE.said}


def test_a_check_that_fails_is_seen(tiny_env: BuiltEnvironment) -> None:
    checks = {"good": "import click", "bad": "import click.nothing_of_the_kind"}
    found = run_checks(tiny_env.prefix, checks)
    assert found["good"].passed
    assert not found["bad"].passed
    assert "nothing_of_the_kind" in found["bad"].said


def test_every_check_is_a_program() -> None:
    for group in GROUPS.values():
        for name, code in group.checks.items():
            compile(code, name, "exec")


def test_commands_and_servers_that_fail_are_seen(tiny_env: BuiltEnvironment) -> None:
    asked = "as page: assert get('check_.py')"
    checks = {
        "command": runs("run('python', '-c', '1'); run('python', '-c', 'exit(3)', wanted=3)"),
        "bad command": runs("run('python', '-c', 'exit(3)')"),
        "server": serves(f"with serves('python', '-m', 'http.server', PORT) {asked}"),
        "bad server": serves(f"with serves('python', '-c', 'exit(3)') {asked}"),
    }
    passed = {name: found.passed for name, found in run_checks(tiny_env.prefix, checks).items()}
    assert passed == {name: not name.startswith("bad") for name in checks}


def test_an_environment_by_pip_is_put_back_after_a_prune(workspace: Path) -> None:
    place = Place(workspace, ("click",), None, pip=True)
    env = place.fresh("runtime")
    prune(env, "runtime", workspace / "manifest.json")
    told = json.loads((workspace / "manifest.json").read_text("utf-8"))
    gone = next(row["path"] for row in told["removed"] if row["kind"] == "file")
    assert not (env / gone).exists()
    assert (place.untouched() / gone).exists()
    assert (place.fresh("minimal") / gone).exists()


@pytest.mark.parametrize("profile", ["runtime", "minimal"])
def test_the_wheels_of_the_small_environment_still_work(
    profile: str, small_env: BuiltEnvironment, fresh_small: BuiltEnvironment, tmp_path: Path
) -> None:
    checks = {**PYTHON, **GROUPS["base"].checks}
    before = run_checks(small_env.prefix, checks)
    assert all(outcome.passed for outcome in before.values()), before
    after = fresh_small.prefix
    manifest = tmp_path / "manifest.json"
    prune(after, profile, manifest)
    assert regressions(before, run_checks(after, checks), announced_modules(manifest)) == {}
