"""Names in bytes: the same as looking for each name by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.evidence.modules import NameIndex

WORDS = st.text("abé", min_size=1, max_size=4)
NAMES = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(".".join), max_size=12)


@given(names=NAMES, data=st.text("abé.z", max_size=60))
def test_it_finds_what_a_search_for_each_name_finds(names: list[str], data: str) -> None:
    found = sorted(NameIndex(names).find(data.encode()))
    assert found == sorted({name for name in names if name.encode() in data.encode()})


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"Z\x0fpandas.tests.ioz\x03abc", ["pandas.tests.io"], id="after its length"),
        pytest.param(b"zApandas.tests.ioN", ["pandas.tests.io"], id="glued to what lies beside it"),
        pytest.param(b"pandas.test", [], id="not where it is cut short"),
        pytest.param(b"", [], id="not in an empty file"),
    ],
)  # fmt: skip
def test_a_name_is_found_by_its_bytes(data: bytes, found: list[str]) -> None:
    assert list(NameIndex(["pandas.tests.io"]).find(data)) == found
