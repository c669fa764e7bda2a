"""Matching: scopes, layouts, the user's patterns, odd names."""

from __future__ import annotations

import pytest

from condaprune.errors import UsageProblem
from condaprune.model import Layout
from condaprune.rule import When
from condaprune.ruleset import Match, compile_rules
from tests.ruleset.made import distribution, inventory_of, record, rule

SITE = "lib/python3.12/site-packages"


def test_a_package_rule_holds_for_that_package_only() -> None:
    paths = [f"{SITE}/a/tests/x.py", f"{SITE}/b/tests/x.py", f"{SITE}/c/tests/x.py"]
    owners = {paths[0]: (record("A.b"),), paths[1]: (distribution("a-b"),)}
    inventory = inventory_of(paths, owners=owners)
    for package, expected in (
        ("a_b", paths[:2]),
        ("conda:a-b", paths[:1]),
        ("pypi:a-b", [paths[1]]),
    ):
        rules = [rule("r", ["{site}/*/tests/"], package=(package,))]
        assert expected == list(compile_rules(rules, inventory).match(inventory))


def test_an_owned_rule_leaves_a_users_own_files_alone() -> None:
    inventory = inventory_of(["app/x.a", "lib/x.a"], owners={"lib/x.a": (record("zlib"),)})
    rules = [rule("r", ["*.a"], owned=True)]
    assert {"lib/x.a": Match(rule="r")} == compile_rules(rules, inventory).match(inventory)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(version=">=1,<2"), True),
        (When(version=">=2"), False),
        (When(python=">=3.11"), True),
        (When(python="<3"), False),
        (When(platform=("linux", "osx")), True),
        (When(platform=("win",)), False),
    ],
)
def test_conditions_decide_where_a_rule_holds(when: When, holds: bool) -> None:
    inventory = inventory_of(["lib/x.a"], owners={"lib/x.a": (record("zlib", "1.3"),)})
    rules = [rule("r", ["*.a"], package=("zlib",), when=when)]
    assert holds == bool(compile_rules(rules, inventory).match(inventory))


def test_a_version_that_cannot_be_told_means_no() -> None:
    inventory = inventory_of(["lib/x.a"], owners={"lib/x.a": (record("openssl", "1.1.1k"),)})
    rules = [rule("r", ["*.a"], package=("openssl",), when=When(version=">=1"))]
    assert compile_rules(rules, inventory).match(inventory) == {}


def test_roots_follow_the_layout_and_a_missing_root_matches_nothing() -> None:
    windows = Layout("win", "3.12", {"site": ("Lib/site-packages",), "lib": ("Library/lib",)})
    inventory = inventory_of(["Lib/site-packages/p/x.c", "Library/lib/x.a"], layout=windows)
    rules = [rule("r", ["{site}/*/*.c", "{lib}/*.a", "{include}/"])]
    assert len(compile_rules(rules, inventory).match(inventory)) == 2


def test_the_users_patterns_are_told_apart_and_keep_wins_nothing_by_itself() -> None:
    inventory = inventory_of(["lib/x.a", "lib/y.a"])
    found = compile_rules([rule()], inventory, ["/lib/x.*"], ["{lib}/", "!y.a"]).match(inventory)
    assert Match(keep="/lib/x.*", drop="{lib}/", rule="made") == found["lib/x.a"]
    assert Match(rule="made") == found["lib/y.a"]


def test_a_bad_pattern_of_the_user_is_a_usage_problem() -> None:
    with pytest.raises(UsageProblem, match="--drop"):
        compile_rules([], inventory_of([]), drop=["../x"])


def test_names_of_any_bytes_match_like_others() -> None:
    odd = ["lib/\udcff.a", "lib/new\nline.a", "lib/\U0001f40d.a"]
    inventory = inventory_of([*odd, "lib/x.a\n"])
    assert set(odd) == set(compile_rules([rule()], inventory).match(inventory))


def test_names_of_one_shape_are_told_apart_where_a_pattern_does() -> None:
    patterns = [
        "*.opt-1.pyc",
        "test_*.py",
        "*.",
        "t*t",
        "taken.py",
        "*.tar.gz",
        "*_x.so*",
        "**/s/*.d",
    ]
    going = [
        "a/m.cpython-311.opt-1.pyc",
        "a/n.cpython-311.opt-1.pyc",
        "a/.opt-1.pyc",
        "a/test_1.py",
        "a/test_2.py",
        "a/taken.py",
        "a/dot.",
        "a/tart",
        "a/b.tar.gz",
        "a/b_x.so.1",
        "a/s/x.d",
    ]
    staying = [
        "a/m.cpython-311.pyc",
        "a/m.cpython-311.opt-11.pyc",
        "a/opt-1.pyc",
        "a/tes_1.py",
        "a/tests.py",
        "a/token.py",
        "a/nodot",
        "a/tara",
        "a/btar.gz",
        "a/tar.gz",
        "a/b_y.so.1",
        "a/x.d",
    ]
    for paths in ([*going, *staying], [*staying, *going]):
        inventory = inventory_of(paths)
        found = compile_rules([rule("r", patterns)], inventory).match(inventory)
        assert sorted(found) == sorted(going)


def test_owners_that_are_equal_but_not_the_same_tuple_count_alike() -> None:
    paths = [f"lib/{number}.a" for number in range(4)]
    one, other = record("zlib"), record("bzip2")
    owners = {
        paths[0]: (one, other),
        paths[1]: (other,),
        paths[2]: (one, *[other]),
        paths[3]: (*[other],),
    }
    inventory = inventory_of(paths, owners=owners)
    rules = [rule("r", ["*.a"], package=("zlib",))]
    assert compile_rules(rules, inventory).match(inventory).keys() == {paths[0], paths[2]}


def test_matches_are_shared() -> None:
    inventory = inventory_of(["lib/x.a", "lib/y.a"])
    found = compile_rules([rule("one"), rule("two", ["/lib/"])], inventory).match(inventory)
    assert Match(rule="one", others=("two",)) == found["lib/x.a"]
    assert found["lib/x.a"] is found["lib/y.a"]
