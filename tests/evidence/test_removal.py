"""What a removal names: typed once from the ids of a plan's decisions."""

from __future__ import annotations

import pytest

from condaprune.evidence.removal import Removal, removals
from tests.guards.helpers import make_rule


def removal(name: str, **fields: object) -> Removal:
    rules = {name: make_rule(name, **fields)} if fields else {}  # type: ignore[arg-type]
    return removals([name, name], rules)[name]


@pytest.mark.parametrize(
    ("name", "origin", "whole"),
    [
        pytest.param("a-rule", "rule", False, id="a rule"),
        pytest.param("--drop **/x", "pattern", False, id="a pattern of the user"),
        pytest.param("--drop-package numpy", "packages", True, id="a package"),
        pytest.param("--only-packages", "packages", True, id="packages that were not named"),
        pytest.param("--with-orphans", "packages", True, id="an orphan"),
        pytest.param("--only-traced", "untraced", False, id="what no trace holds"),
    ],
)
def test_origin(name: str, origin: str, whole: bool) -> None:
    assert (removal(name).origin, removal(name).whole) == (origin, whole)


@pytest.mark.parametrize(
    ("made", "named"),
    [
        pytest.param(removal("r", remove=("**/libfoo*.so*",)), True, id="its name is spelled"),
        pytest.param(removal("r", remove=("**/*.so*",)), False, id="a sweep"),
        pytest.param(removal("r", remove=("lib*.so",)), False, id="any library"),
        pytest.param(removal("r", remove=("**/x",), package=("Foo",)), True, id="its package"),
        pytest.param(removal("r", remove=("**/x",), category="debug"), True, id="its kind"),
        pytest.param(removal("--drop lib/libfoo.so.1"), True, id="the user's pattern"),
        pytest.param(removal("--drop *.so.1"), False, id="the user's sweep"),
        pytest.param(removal("--drop-package foo"), True, id="the user's package"),
        pytest.param(removal("--only-traced"), False, id="no trace"),
        pytest.param(removal("unknown"), False, id="a rule that is not given"),
    ],
)
def test_names_library(made: Removal, named: bool) -> None:
    assert made.names_library("lib/libfoo.so.1") is named


def test_a_file_is_named_by_rules_for_a_package_alone() -> None:
    remove = ("**/notes*.json", "!**/keep.json")
    assert removal("r", remove=remove, package=("foo",)).names_file("a/notes-1.json")
    assert not removal("r", remove=remove, package=("foo",)).names_file("a/keep.json")
    assert not removal("r", remove=remove).names_file("a/notes-1.json")


def test_there_is_one_removal_for_each_id() -> None:
    made = removals(["a", "b", "a"], {"a": make_rule("a", package=("Ruamel.Yaml",))})
    assert set(made) == {"a", "b"}
    assert made["a"].packages == {"ruamel-yaml"}
