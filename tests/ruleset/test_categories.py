"""The categories are a closed list: used, documented, and checked by `rules test`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from condaprune.ruleset import check_rules, load_builtin
from condaprune.ruleset.categories import CATEGORIES
from tests.ruleset.test_check import made

PAGE = Path(__file__).parents[2] / "docs" / "rule-format.md"
# Of no built-in rule; guards know them in rules of users.
OF_USERS = {"debug", "sanitizer", "sourceless", "static"}


def test_the_built_in_rules_use_all_of_them_and_no_others() -> None:
    assert {rule.category for rule in load_builtin()} == CATEGORIES.keys() - OF_USERS


def test_the_page_has_the_list() -> None:
    table = PAGE.read_text("utf-8").partition("## Categories")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.M)) == CATEGORIES


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_each_is_accepted(category: str) -> None:
    assert check_rules([made(category=category)]) == []


@pytest.mark.parametrize(
    ("category", "remedy"),
    [
        pytest.param("tols", "Did you mean 'tools'?", id="a slip"),
        pytest.param("test", "Did you mean 'tests'?", id="in the singular"),
        pytest.param("zzzzzz", "Known: ", id="like none"),
    ],
)
def test_another_is_a_problem_that_names_the_nearest(category: str, remedy: str) -> None:
    (problem,) = check_rules([made(category=category)])
    assert f"the category {category!r} is none of the list. {remedy}" in str(problem)
