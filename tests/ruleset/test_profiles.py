"""Profiles, selections and parameters."""

from __future__ import annotations

import pytest

from condaprune.errors import RuleError, UsageProblem
from condaprune.rule import Parameter, Rule
from condaprune.ruleset import Match, choose, compile_rules, profiles, rename_notes
from condaprune.ruleset.format import Retired
from tests.ruleset.made import inventory_of, rule

DATA = ("{site}/botocore/data/*/", "!{site}/botocore/data/{param.services}/")
SERVICES = Parameter("services", "Those that stay.", ("*",), example=("s3",))
RULES = (
    rule("one", risk="safe"),
    rule("two", risk="low", category="other"),
    rule("three", risk="medium"),
    rule("four", risk="high", remove=DATA, parameters=[SERVICES]),
)
EC2 = "lib/python3.12/site-packages/botocore/data/ec2/service-2.json"
S3 = "lib/python3.12/site-packages/botocore/data/s3/service-2.json"


def ids(chosen: tuple[Rule, ...]) -> list[str]:
    return [rule.id for rule in chosen]


def test_profiles_add_risk_by_risk() -> None:
    assert ids(choose(RULES, "safe")) == ["one"]
    assert ids(choose(RULES)) == ["one", "two"]
    assert ids(choose(RULES, "minimal")) == ["one", "two", "three"]


def test_rules_and_categories_are_selected_and_ignored_by_name() -> None:
    assert ids(choose(RULES, "safe", select=["three"])) == ["one", "three"]
    assert ids(choose(RULES, "runtime", ignore=["other"])) == ["one"]
    assert ids(choose(RULES, "safe", select=["tests"], ignore=["tests"])) == []


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"profile": "runtme"}, "'runtime'"),
        ({"select": ["thre"]}, "'three'"),
        ({"ignore": ["zzzz"]}, "rules list"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(
    arguments: dict[str, list[str]], remedy: str
) -> None:
    with pytest.raises(RuleError) as caught:
        choose(RULES, **arguments)  # type: ignore[arg-type]
    assert remedy in caught.value.remedy


def test_a_setting_selects_its_rule_and_fills_its_patterns() -> None:
    chosen = choose(RULES, "safe", settings=["four.services=s3, sts"])
    assert ids(chosen) == ["one", "four"]
    inventory = inventory_of([EC2, S3])
    found = compile_rules(chosen, inventory).match(inventory)
    assert Match(rule="four") == found[EC2]
    assert S3 not in found


def test_a_rule_whose_parameter_is_not_set_does_what_its_default_says() -> None:
    inventory = inventory_of([EC2, S3])
    assert compile_rules(choose(RULES, select=["four"]), inventory).match(inventory) == {}


@pytest.mark.parametrize(
    "text",
    ["four", "four=s3", "for.services=s3", "four.service=s3", "one.x=1", "four.services=a/b"],
)
def test_a_setting_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        choose(RULES, settings=[text])
    assert caught.value.remedy


def test_a_renamed_rule_can_still_be_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {
        "old": Retired(id="old", since="0.2", why="It grew.", now="three"),
        "dead": Retired(id="dead", since="0.2", why="It was wrong.", now=""),
    }
    monkeypatch.setattr(profiles, "load_retired", lambda: gone)
    assert ids(choose(RULES, "safe", select=["old"])) == ["one", "three"]
    assert rename_notes(["old", "one"]) == ("Rule old was renamed to three in 0.2: It grew.",)
    with pytest.raises(RuleError, match=r"dead was removed in 0\.2"):
        choose(RULES, select=["dead"])
