"""Sets of regular expressions: google-re2 and Python agree."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.errors import RuleError
from condaprune.ruleset.patterns import translate
from condaprune.ruleset.regexset import by_python, compile_set

CHARACTERS = "[]!^-ab\\:.*?&|~/ \u00e9\udcff"


@pytest.mark.filterwarnings("ignore::FutureWarning")  # Python's of && and the like in a class
@given(st.text(CHARACTERS, min_size=1, max_size=8), st.text(CHARACTERS + "\n", max_size=5))
def test_both_read_a_pattern_alike(pattern: str, path: str) -> None:
    try:
        regex = translate(pattern)
    except RuleError:
        return
    assert list(compile_set([regex])(path)) == list(by_python([regex])(path))


def test_no_expressions_match_nothing() -> None:
    assert list(compile_set([])("lib")) == []


def test_more_expressions_than_one_set_holds_keep_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("condaprune.ruleset.regexset._MOST", 2)
    hits = compile_set(["^a", "^b", "^ab", "^c", "^abc"])
    assert sorted(hits("abc")) == [0, 2, 4]


def test_python_matches_where_google_re2_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    assert list(compile_set(["^a/", "^b$"])("a/x")) == [0]
