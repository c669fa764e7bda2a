"""Two audits side by side: rows that changed, and whose the files of a pruned side are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.app.audit import audit
from condaprune.report.audit.compare import Comparison, compare
from tests.trees import distribution, make_prefix

LIB = {"lib/liba.so": b"a" * 100, "lib/liba.a": b"a" * 900}
PIP = distribution("click", {"click/__init__.py": b"x" * 50, "click/new.py": b"y" * 10})


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """An environment with conda's records, and what a prune left of it: no records, a new file."""
    packages = {"a": [*LIB], "click": [path for path in PIP if "new.py" not in path]}
    before = make_prefix(tmp_path / "before", {**LIB, **PIP}, packages=packages)
    kept = {"lib/liba.so": LIB["lib/liba.so"], **PIP, "share/condaprune/sbom.json": b"{}"}
    after = make_prefix(tmp_path / "after", kept)
    return os.fspath(before), os.fspath(after)


def packages(found: Comparison) -> dict[str, tuple[int, int]]:
    return {c.name: (c.before.bytes, c.after.bytes) for c in found.views["package"]}


def test_files_of_a_side_without_records_are_those_of_the_other_sides_packages(
    pair: tuple[str, str],
) -> None:
    found = packages(compare(audit(pair[0]), audit(pair[1])))
    before, after = found["conda:a"]
    assert before > 1000  # its record is its own too
    assert after == 100
    assert found["conda:click"][1] > 50
    back = packages(compare(audit(pair[1]), audit(pair[0])))
    assert back["conda:a"] == (after, before)


def test_what_only_the_side_without_records_has_stays_unowned(pair: tuple[str, str]) -> None:
    first, second = audit(pair[0]), audit(pair[1])
    found = compare(first, second)
    row = found.after.row("package", "(unowned)")
    assert row is not None
    assert {i.path for i in found.after.items if i.path.startswith("share/") and not i.package} >= {
        "share/condaprune/sbom.json"
    }
    assert sum(r.bytes for r in found.after.view("package")) == second.total.bytes


def test_a_side_with_records_of_its_own_keeps_its_packages(tmp_path: Path) -> None:
    before = make_prefix(tmp_path / "before", LIB, packages={"a": [*LIB]})
    after = make_prefix(tmp_path / "after", LIB, packages={"b": [*LIB]})
    found = packages(compare(audit(os.fspath(before)), audit(os.fspath(after))))
    assert found["conda:a"][1] == 0
    assert found["conda:b"][0] == 0


def test_equal_sides_have_no_rows(pair: tuple[str, str]) -> None:
    assert not any(compare(audit(pair[0]), audit(pair[0])).views.values())
