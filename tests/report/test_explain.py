"""What `explain` says of an entry by each basis of its decision."""

from __future__ import annotations

import json

import pytest

from condaprune.errors import UsageProblem
from condaprune.planning.account import make_account
from condaprune.report.explain import Answers, find
from condaprune.report.forms import EXPLANATION, render
from condaprune.report.layout import Show
from tests.report.plans import made_up_plan


def answers(*questions: str) -> Answers:
    plan = made_up_plan()
    count = make_account(plan).count
    return Answers(plan, count, tuple(find(plan, question) for question in questions))


def text(*questions: str) -> str:
    return render("text", EXPLANATION, answers(*questions), Show())


VETOED = """\
include/vetoed.h  (file, 5.00 kB)
  owner     conda:zlib 1.3
  decision  kept by the guard toolchain, against c-headers
  rule      c-headers (risk low): Headers serve compilers.
  breaks    building against them
  see       https://example.org/headers
  because   toolchain: lib/jit.py:3 compiles with it
     <-     lib/jit.py is kept: no rule wants it
  override  --no-guard toolchain (for the whole run; what it protects may break)
"""


def test_a_vetoed_file_has_its_evidence_down_to_the_root() -> None:
    assert text("include/vetoed.h") == VETOED


@pytest.mark.parametrize(
    ("path", "decision", "override"),
    [
        pytest.param(
            "include/a.h",
            "goes: rule c-headers",
            "--keep '/include/a.h', or --ignore c-headers",
            id="a rule",
        ),
        pytest.param(
            "include/b.h",
            "goes: --drop /include/b.h",
            "--keep '/include/b.h'",
            id="an option",
        ),
        pytest.param(
            "include/kept.h",
            "kept by --keep /include/kept.h, against c-headers",
            "leave out the --keep or --trace that keeps it",
            id="a keep",
        ),
        pytest.param(
            "include/traced.h",
            "kept by a trace, against c-headers",
            "leave out the --keep or --trace that keeps it",
            id="a trace",
        ),
        pytest.param(
            "include/held.h",
            "kept by the rule compilers, against c-headers",
            "--ignore compilers",
            id="a rule's own keep",
        ),
        pytest.param(
            "lib/jit.py",
            "kept: no rule wants it",
            "--drop '/lib/jit.py' (the guards still check it)",
            id="the default",
        ),
    ],
)
def test_each_decision_says_why_and_how_to_override_it(
    path: str, decision: str, override: str
) -> None:
    lines = text(path).splitlines()
    assert f"  decision  {decision}" in lines
    assert lines[-1] == f"  override  {override}"


def test_a_trace_is_the_evidence() -> None:
    assert "  because   app.trace: opened by app\n" in text("/env/include/traced.h")


def test_a_folder_is_summed_up_by_decision() -> None:
    said = text("include")
    assert said.startswith("include: folder, 6 files, 50.1 kB, of which 42.0 kB goes\n")
    assert "\ngoes: rule c-headers: 1 file, 40.0 kB, such as\n" in said


def test_the_whole_environment_counts_as_the_account_does() -> None:
    data = json.loads(render("json", EXPLANATION, answers("."), Show()))[0]
    assert (data["reading"], data["bytes"], data["freed"]) == ("environment", 51_110, 42_600)


def test_a_package_is_found_by_its_name_and_label() -> None:
    names = {explanation.reading for explanation in answers("zlib", "conda:zlib").explanations}
    assert names == {"package"}


def test_an_unknown_name_has_a_suggestion() -> None:
    with pytest.raises(UsageProblem) as caught:
        answers("vetoed.h")
    assert caught.value.remedy == "Did you mean include/vetoed.h?"
    with pytest.raises(UsageProblem, match="no such path, module or package"):
        answers("zlob")


def test_the_json_has_the_facts_of_each_entry() -> None:
    data = json.loads(render("json", EXPLANATION, answers("include/vetoed.h"), Show()))
    assert data[0]["entries"] == [
        {
            "path": "include/vetoed.h",
            "kind": "file",
            "bytes": 5_000,
            "freed": 0,
            "owners": ["conda:zlib"],
            "remove": False,
            "basis": "guard",
            "name": "toolchain",
            "wanted": "c-headers",
            "chain": [
                "toolchain: lib/jit.py:3 compiles with it",
                "lib/jit.py is kept: no rule wants it",
            ],
        }
    ]
