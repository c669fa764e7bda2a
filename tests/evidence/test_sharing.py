"""Facts are read by several processes: the same facts, whatever becomes of the processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.envs import BuiltEnvironment
from tests.evidence import sharing_cases

ROOT = Path(__file__).parents[2]
CASES = (
    sharing_cases.each_does_a_part,
    sharing_cases.large_results_arrive_whole,
    sharing_cases.what_a_killed_member_had_is_lacking,
    sharing_cases.what_fails_is_lacking,
    sharing_cases.members_hold_no_handles,
    sharing_cases.an_interruption_ends_all,
    sharing_cases.members_end_when_the_process_is_killed,
    sharing_cases.where_the_system_refuses_the_caller_works_alone,
    sharing_cases.a_process_of_several_threads_is_not_forked,
)
OF_FACTS = (
    sharing_cases.facts_are_the_same,
    sharing_cases.progress_goes_forward,
    sharing_cases.facts_are_the_same_where_members_die,
    sharing_cases.the_same_file_is_reported,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="shared on Linux only")


def run(case: str, *arguments: str) -> str:
    """Run a case in a process of its own. Returns what it and its members printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.evidence.sharing_cases", case, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("case", [case.__name__ for case in CASES])
def test_sharing(case: str) -> None:
    assert run(case) == ""


def test_members_end_in_silence() -> None:
    said = run("members_end_in_silence").splitlines()
    assert said[0] == "written once"
    assert len(said) == 2
    assert said[1].startswith("the end of ")


@pytest.mark.parametrize("case", [case.__name__ for case in OF_FACTS])
def test_facts_of_small(case: str, small_env: BuiltEnvironment) -> None:
    assert run(case, str(small_env.prefix)) == ""


def test_facts_of_big(big_env: BuiltEnvironment) -> None:
    assert run("facts_are_the_same", str(big_env.prefix)) == ""
