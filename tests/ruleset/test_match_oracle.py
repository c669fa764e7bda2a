"""Matching against a slow and plain reading of the rules with pathspec's simple backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pathspec import PathSpec

from condaprune.model import Inventory, Layout, Owner
from condaprune.rule import Rule
from condaprune.ruleset import Match, compile_rules, match
from condaprune.ruleset.regexset import Hits, by_python, compile_set
from tests.ruleset.made import LAYOUT, distribution, inventory_of, record, rule

NAMES = ["a", "a", "a", "b", "b", "lib", "lib", "a.c", "a.c", "x.tar.gz", "a-b", "A", ".a", "b\n"]
SEGMENTS = ["a", "a", "b", "lib", "*", "*", "**", "**", "*.c", "a*", "?", "*.gz", "[ab]", "*a*"]
SEGMENTS += ["\\a", "a.?", "[!a]", "[a-b]*", "[]ab]", "*.[c[]"]
OWNERS: list[tuple[Owner, ...]] = [
    (),
    (record("numpy", "1.2"),),
    (distribution("numpy", "2.0"),),
    (record("zlib", "1.0"), distribution("other", "1")),
]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    segments = draw(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3))
    head = draw(
        st.sampled_from(["", "", "/", "/", "/lib/", "{site}/", "{include}/", "!", "!/", "!{site}/"])
    )
    return head + "/".join(segments) + draw(st.sampled_from(["", "/"]))


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        scope = draw(st.sampled_from([(), (), ("numpy",), ("pypi:numpy",), ("conda:zlib", "x")]))
        made.append(
            rule(
                f"rule-{number}",
                remove=draw(st.lists(patterns(), min_size=1, max_size=4)),
                keep=draw(st.lists(patterns(), max_size=2)),
                package=scope,
                owned=draw(st.booleans()),
            )
        )
    return made


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    paths = draw(
        st.lists(
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join), max_size=12
        )
    )
    owners = {path: draw(st.sampled_from(OWNERS)) for path in paths}
    return inventory_of(paths, owners=owners, layout=LAYOUT)


def spec_matches(texts: tuple[str, ...], path: str, layout: Layout) -> bool:
    """The last matching pattern decides, as pathspec's plain backend has it."""
    lines = []
    for text in texts:
        sign, body = ("!", text[1:]) if text.startswith("!") else ("", text)
        if body.startswith("{"):
            root, _, rest = body[1:].partition("}")
            lines += [f"{sign}/{folder}{rest}" for folder in layout.roots.get(root, ())]
        else:
            lines.append(text)
    # pathspec's regular expressions take a newline for the end of a path: spell it otherwise.
    return PathSpec.from_lines("gitignore", lines, backend="simple").match_file(
        path.replace("\n", "N")
    )


def slow(
    rules: list[Rule], inventory: Inventory, keep: list[str], drop: list[str]
) -> dict[str, Match]:
    found = {}
    for path, entry in inventory.entries.items():
        shown = path + "/" if entry.kind == "folder" else path

        def holds(one: Rule, owners: tuple[Owner, ...] = inventory.owners_of(path)) -> bool:
            if one.package:
                labels = {owner.label for owner in owners} | {owner.name for owner in owners}
                return bool(labels & set(one.package))
            return bool(owners) or not one.owned

        def user(texts: list[str], shown: str = shown) -> str:
            last = ""
            for text in texts:
                if spec_matches((text.removeprefix("!"),), shown, inventory.layout):
                    last = "" if text.startswith("!") else text
            return last

        removing = [
            one.id
            for one in rules
            if holds(one) and spec_matches(one.remove, shown, inventory.layout)
        ]
        keeping = [
            one.id
            for one in rules
            if holds(one) and spec_matches(one.keep, shown, inventory.layout)
        ]
        rule = next(iter(removing), "")
        made = Match(user(keep), next(iter(keeping), ""), user(drop), rule, tuple(removing[1:]))
        if made != Match():
            found[path] = made
    return found


@pytest.mark.parametrize("engine", [compile_set, by_python])
@settings(max_examples=200, deadline=None)
@example([rule("r", ["**/**"])], inventory_of(["a"]), [], ["**/", "/**/"])
@given(rules(), inventories(), st.lists(patterns(), max_size=2), st.lists(patterns(), max_size=2))
def test_equals_the_slow_reading_of_the_rules(
    engine: Callable[[Sequence[str]], Hits],
    rules: list[Rule],
    inventory: Inventory,
    keep: list[str],
    drop: list[str],
) -> None:
    expected = slow(rules, inventory, keep, drop)
    with patch.object(match, "compile_set", engine):
        matcher = compile_rules(rules, inventory, keep, drop)
    assert expected == matcher.match(inventory)


def test_what_a_negation_spares_is_left_to_later_rules() -> None:
    spared = [
        rule("wide", remove=["*", "!a"]),
        rule("near", remove=["a/a"]),
        rule("far", remove=["a"]),
    ]
    inventory = inventory_of(["a/a"])
    assert compile_rules(spared, inventory).match(inventory)["a/a"].rule == "near"
