"""The built-in rules: every file under rules/ is picked up, and no line of it is idle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from condaprune.rule import Rule
from condaprune.ruleset import check_rules, load_builtin, load_retired
from condaprune.ruleset.check import check_rule, loosened
from lab.path_lists import CHECKOUT

RULES = load_builtin()


def by_id(rule: Rule) -> str:
    return rule.id


def test_all_rules_pass_their_checks() -> None:
    assert [str(problem) for problem in check_rules(RULES)] == []


def test_there_are_at_least_80_rules_and_40_of_packages() -> None:
    assert len(RULES) >= 80
    assert sum(bool(rule.package) for rule in RULES) >= 40


def test_every_rule_file_is_loaded_and_names_the_schema() -> None:
    loaded = {rule.origin for rule in RULES}
    for folder, _, names in os.walk(os.path.join(CHECKOUT, "rules")):
        for name in names:
            path = os.path.join(folder, name)
            origin = os.path.relpath(path, CHECKOUT).replace(os.sep, "/")
            if name == "retired.toml" or origin.startswith("rules/knowledge/"):
                continue
            assert origin in loaded
            with open(path, encoding="utf-8") as stream:
                schema = stream.readline().removeprefix("#:schema ").strip()
            assert os.path.isfile(os.path.join(folder, schema))


@pytest.mark.parametrize("rule", RULES, ids=by_id)
def test_a_rule_lies_where_it_belongs(rule: Rule) -> None:
    if rule.package:
        assert rule.origin.startswith("rules/packages/")
    assert rule.id not in load_retired()


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule with one line deleted, loosened or unanchored."""
    for field in ("remove", "keep"):
        lines = getattr(rule, field)
        for at, text in enumerate(lines):
            rest = (*lines[:at], *lines[at + 1 :])
            yield f"without {text}", replace(rule, **{field: rest})
            wider = loosened(text) if field == "remove" else loosened(text)[:1]
            if field == "remove" and text.startswith(("/", "{")):
                bare = text.rstrip("/").rpartition("/")[2].strip("{}")
                wider.append(bare + "/" * text.endswith("/"))
            for other in wider:
                changed = (*lines[:at], other, *lines[at + 1 :])
                yield f"{other} for {text}", replace(rule, **{field: changed})


@pytest.mark.parametrize("rule", RULES, ids=by_id)
def test_deleting_or_loosening_any_line_is_noticed(rule: Rule) -> None:
    unnoticed = [what for what, mutant in mutants(rule) if not check_rule(mutant)]
    assert unnoticed == []
