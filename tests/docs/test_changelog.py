"""CHANGELOG.md: the sections are those that releases have, and what is counted is counted right."""

from __future__ import annotations

import re

from condaprune.guards import GUARDS
from condaprune.ruleset import load_builtin
from tests.docs.blocks import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text("utf-8")
UNRELEASED = TEXT.partition("\n## Unreleased\n")[2].partition("\n## ")[0]


def test_the_sections_are_those_of_a_changelog() -> None:
    allowed = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    sections = re.findall(r"^### (.+)$", UNRELEASED, re.MULTILINE)
    assert set(sections) <= allowed
    assert len(sections) == len(set(sections))


def test_the_rules_and_guards_to_come_are_counted_right() -> None:
    stated = re.search(r"(\d+) rules, (\d+) of them for single packages", UNRELEASED)
    guards = re.search(r"(\d+) guards", UNRELEASED)
    assert stated
    assert guards
    rules = load_builtin()
    single = [rule for rule in rules if rule.package]
    assert (int(stated[1]), int(stated[2])) == (len(rules), len(single))
    assert int(guards[1]) == len(GUARDS)
