"""Links of an archive that leave its root are found, each in time linear in its own target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.paths import follow
from condaprune.sources.links import links_out


@pytest.mark.parametrize(
    ("links", "out"),
    [
        pytest.param({"a": "b", "b": "lib/x"}, [], id="inside"),
        pytest.param({"a": "../x"}, ["a"], id="above the root"),
        pytest.param({"lib/a": "../x"}, [], id="upwards, and still inside"),
        pytest.param({"lib/a": "../../x"}, ["lib/a"], id="too far upwards"),
        pytest.param({"a": "/etc"}, ["a"], id="absolute"),
        pytest.param({"a": "b/../x", "b": "lib/deep"}, [], id="back from where a link leads"),
        pytest.param({"a": "b/../../x", "b": "lib"}, ["a"], id="out by where a link leads"),
        pytest.param({"a": "b", "b": "../x"}, ["a", "b"], id="by another link"),
        pytest.param({"a": "a"}, [], id="to itself"),
        pytest.param({"a": "b", "b": "a/.."}, [], id="in a circle"),
        pytest.param({"a": "not/there/../../.."}, ["a"], id="by folders that are not there"),
        pytest.param({"a": "", "b": "."}, [], id="to nothing, and to the root"),
        pytest.param({"l": ".", "a": "l/l/.."}, ["a"], id="out of the root by a link to it"),
    ],
)
def test_links_out(links: dict[str, str], out: list[str]) -> None:
    assert links_out(links) == out


def test_a_chain_of_more_links_than_systems_follow_leads_nowhere() -> None:
    chain = {f"l{number}": f"l{number + 1}" for number in range(45)}
    assert links_out({**chain, "l45": "lib"}) == []
    assert links_out({**chain, "l45": "lib", "a": "l0/../.."}) == []
    assert links_out({**chain, "l45": "lib", "a": "l20/../.."}) == ["a"]


def test_a_hundred_thousand_links_in_a_chain_need_no_stack() -> None:
    chain = {f"l{number}": f"l{number + 1}" for number in range(100_000)}
    assert links_out(chain) == []


_NAMES = st.sampled_from(["a", "b", "c", "d/a", "d/e/b"])
_PARTS = st.sampled_from(["a", "b", "c", "d", "e", "x", "..", "..", ".", ""])
_TARGETS = st.lists(_PARTS, min_size=1, max_size=6).map("/".join)


@given(st.dictionaries(_NAMES, _TARGETS, max_size=5))
def test_it_says_what_following_each_link_says(links: dict[str, str]) -> None:
    out = links_out(links)
    for path in links:
        trail = follow(path, links.get)
        if path in out:
            assert trail.outside
        elif trail.outside:
            # Following a circle again and again may lead out by text; no system gets round it.
            assert len(trail.links) > len(links)
