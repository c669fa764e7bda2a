"""PEP 440 versions and ranges, with packaging as the oracle."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version as Oracle

from condaprune.ruleset.versions import Range, Version

TEXTS = [
    "0", "1", "1.0", "1.0.0", "1.1", "1.2.3", "1.10", "2", "2.0", "2!1.0", "1.0a1", "1.0b2",
    "1.0rc1", "1.0.dev1", "1.0a1.dev2", "1.0.post1", "1.0.post1.dev3", "1.0-1", "1.1.dev4",
    "2.0rc1", "2021.4", "1.0.post2", "v1.0", "1.0c1", "1.1.post1",
]  # fmt: skip
versions = st.sampled_from(TEXTS)


@given(versions, versions)
def test_order_is_that_of_packaging(one: str, other: str) -> None:
    mine, its = Version.parse(one), Version.parse(other)
    assert mine is not None
    assert its is not None
    assert (Oracle(one) < Oracle(other)) == (mine < its)
    assert (Oracle(one) == Oracle(other)) == (mine == its)


@pytest.mark.parametrize("operator", ["==", "!=", ">=", "<=", ">", "<", "~="])
def test_ranges_are_those_of_packaging(operator: str) -> None:
    for bound, text in product(TEXTS, TEXTS):
        wanted, version = Range.parse(operator + bound), Version.parse(text)
        assert version is not None
        if wanted is None:
            assert operator == "~="
            assert len(Oracle(bound).release) == 1
            continue
        expected = SpecifierSet(operator + bound).contains(text, prereleases=True)
        assert expected == (version in wanted), f"{text} in {operator}{bound}"


@pytest.mark.parametrize(
    ("clause", "inside", "outside"),
    [
        ("==1.2.*", "1.2.9", "1.3"),
        ("!=1.2.*", "1.3", "1.2"),
        (">=1,<2", "1.9", "2.0"),
        ("==1.0", "1.0+local", "1.1"),
        ("==1.0+local", "1.0+local", "1.0"),
    ],
)
def test_clauses_hold_where_they_should(clause: str, inside: str, outside: str) -> None:
    wanted, good, bad = Range.parse(clause), Version.parse(inside), Version.parse(outside)
    assert wanted is not None
    assert good is not None
    assert bad is not None
    assert good in wanted
    assert bad not in wanted


@pytest.mark.parametrize("text", ["1.1.1k", "", "x", "1..2", "2020a_b"])
def test_what_is_no_version_parses_to_nothing(text: str) -> None:
    assert Version.parse(text) is None


@pytest.mark.parametrize("text", ["", "1.0", ">=x", "=>1", ">=1,", "~=1", ">=1+local"])
def test_what_is_no_range_parses_to_nothing(text: str) -> None:
    assert Range.parse(text) is None
