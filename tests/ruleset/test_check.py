"""What `condaprune rules test` finds fault with."""

from __future__ import annotations

import doctest

import pytest

from condaprune.rule import Rule
from condaprune.ruleset import check, check_rules, patterns, validate
from tests.ruleset.made import rule

SITE = "lib/python3.12/site-packages"
GOOD = {
    "remove": ["{site}/made/tests/"],
    "removed_examples": [f"{SITE}/made/tests/x.py"],
    "kept_examples": [f"{SITE}/made/core.py"],
}


def made(**changes: object) -> Rule:
    return rule("made", **{**GOOD, **changes})  # type: ignore[arg-type]


def test_a_good_rule_has_no_problems() -> None:
    assert check_rules([made()]) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"removed_examples": [f"{SITE}/made/core.py"]}, "is not removed"),
        ({"kept_examples": [f"{SITE}/made/tests/y.py"]}, "is not kept"),
        ({"remove": ["{site}/made/tests/", "{site}/made/x/"]}, "no example needs the line"),
        ({"kept_examples": []}, "no example distinguishes the line"),
        ({"keep": ["{site}/made/tests/keep.py"]}, "no example needs the line"),
        ({"remove": ["tests/"]}, "is not anchored"),
        ({"references": ["see there"]}, "is not a URL"),
    ],
)
def test_a_faulty_rule_is_reported(changes: dict[str, object], what: str) -> None:
    assert any(what in str(problem) for problem in check_rules([made(**changes)]))


def test_an_id_used_twice_is_reported() -> None:
    assert any("taken" in problem.what for problem in check_rules([made(), made()]))


def test_a_rule_that_another_makes_idle_is_reported() -> None:
    wide = rule(
        "wide",
        ["{site}/*/tests/"],
        removed_examples=[f"{SITE}/a/tests/x"],
        kept_examples=[f"{SITE}/a/x", f"{SITE}/x"],
    )
    assert [problem.rule for problem in check_rules([wide, made()])] == ["made"]
    assert check_rules([wide, made(risk="safe")]) == []


def test_a_rule_that_another_shields_is_reported() -> None:
    shield = rule(
        "shield",
        ["{site}/"],
        keep=["{site}/made/"],
        removed_examples=[f"{SITE}/a/x"],
        kept_examples=[f"{SITE}/made/x", "lib/x"],
    )
    assert any("kept by rule shield" in problem.what for problem in check_rules([shield, made()]))


@pytest.mark.parametrize("module", [check, patterns, validate])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
