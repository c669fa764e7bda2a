"""Patterns that match nothing, and the path that each may have meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune import api
from condaprune.model import Inventory
from condaprune.ruleset.unmatched import nearest_path, unmatched
from tests.trees import SITE, make_prefix


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    files = {f"{SITE}/demo/tests/data.csv": b"", "lib/liba.so.1": b"", "share/a/b.txt": b""}
    prefix: Path = make_prefix(tmp_path_factory.mktemp("env"), files)
    return api.inventory(prefix)


@pytest.mark.parametrize(
    "pattern",
    ["*.csv", "/lib/liba*", "share/", "share/a/b.txt", "{site}/demo/", "!*.csv", "glob:*data*",
     "!glob:share/*.txt", "**/b.txt"],
)  # fmt: skip
def test_a_pattern_that_matches_is_none_of_them(inventory: Inventory, pattern: str) -> None:
    assert unmatched((pattern,), inventory) == ()


@pytest.mark.parametrize(
    "pattern", ["*.cvs", "/liba*", "b.txt/", "{site}/dome/", "{include}/x.h", "glob:a/*", "!none"]
)
def test_a_pattern_that_does_not_is(inventory: Inventory, pattern: str) -> None:
    assert unmatched(("*.csv", pattern, "share"), inventory) == (pattern,)


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("lib/liba.so.2", "lib/liba.so.1"),
        ("/lib/libb*", "lib/liba.so.1"),
        ("dta.csv", f"{SITE}/demo/tests/data.csv"),
        ("{site}/dmo/tests/", f"{SITE}/demo"),
        ("share/a/c/d/e", "share/a"),
        ("glob:share/a/c.txt", "share/a/b.txt"),
        ("zzzzzz", ""),
        ("*", ""),
        ("/", ""),
    ],
)
def test_the_nearest_path(inventory: Inventory, pattern: str, near: str) -> None:
    assert nearest_path(pattern, inventory) == near
