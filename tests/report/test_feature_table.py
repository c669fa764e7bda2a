"""tests/report/audit-features.md promises nothing that no test shows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "tests/report/audit-features.md").read_text("utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")][1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_the_table_has_a_row_for_each_of_the_features() -> None:
    assert len(ROWS) == 18


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_names_tests_that_are_there(row: str) -> None:
    named = NAMED.findall(row)
    assert named
    for file, function in named:
        text = (ROOT / file).read_text("utf-8")
        assert f"def {function or 'test_'}" in text, (file, function)
