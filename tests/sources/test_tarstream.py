"""Headers of tar members."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.sources.tarstream import BLOCK, byte_sum


@given(st.binary(min_size=BLOCK, max_size=BLOCK))
def test_the_sum_of_a_block(block: bytes) -> None:
    assert byte_sum(block) == sum(block)


@pytest.mark.parametrize("byte", [0, 1, 254, 255])
def test_the_sum_of_equal_bytes(byte: int) -> None:
    assert byte_sum(bytes([byte]) * BLOCK) == byte * BLOCK
