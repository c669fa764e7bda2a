"""A few hundred journals at random on every run; `fuzz_journal` is made for many more."""

from __future__ import annotations

import random

import pytest

from tests.sinks.inplace.fuzzing import fuzz_journal


@pytest.mark.parametrize("seed", range(8))
def test_no_journal_does_harm_outside(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        fuzz_journal(chance.randbytes(40))


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b'{"format": 4}', b"\x00" * 40, b"\xff" * 40])
def test_edges(data: bytes) -> None:
    fuzz_journal(data)
