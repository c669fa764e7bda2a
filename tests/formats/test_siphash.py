"""The hashes of sources are those that each version of Python computes."""

from __future__ import annotations

import importlib.util

import pytest

from condaprune.formats.siphash import siphash, source_hash

SOURCE = bytes(i * 7 % 256 for i in range(1000))
# importlib.util.source_hash(SOURCE[:n]) of that Python, by n.
KNOWN = {
    "3.8": (
        "550d0d0a",
        {
            0: "81e4881b3643e8e9",
            7: "1ea85156b608193a",
            8: "024449e5dd973045",
            1000: "1e073a313e5d0f7e",
        },
    ),
    "3.10": (
        "6f0d0d0a",
        {
            0: "8cc0cd2525e7fd27",
            7: "d3baee85c956b3d0",
            8: "82a06edd474e808f",
            1000: "1692a8b7c6bd20c3",
        },
    ),
    "3.11": (
        "a70d0d0a",
        {
            0: "738d9cd5d5e87f73",
            7: "64ddc96acc5afe1f",
            8: "11caa8aadf675b0e",
            1000: "cda37a7b0f757104",
        },
    ),
    "3.13": (
        "f30d0d0a",
        {
            0: "27ec6d312f93b814",
            7: "f959c06604d59a7f",
            8: "b7c53035617ed434",
            1000: "acebdf49bce17b79",
        },
    ),
}


@pytest.mark.parametrize("version", KNOWN)
def test_as_that_version_of_python_computes_them(version: str) -> None:
    magic, known = KNOWN[version]
    for length, expected in known.items():
        assert source_hash(bytes.fromhex(magic), SOURCE[:length]).hex() == expected


@pytest.mark.parametrize("version", KNOWN)
def test_without_the_running_pythons_own(version: str) -> None:
    magic, known = KNOWN[version]
    rounds = (2, 4) if version in ("3.8", "3.10") else (1, 3)
    key = int.from_bytes(bytes.fromhex(magic), "little")
    for length, expected in known.items():
        assert siphash(*rounds, key, SOURCE[:length]).hex() == expected


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 255, 1000])
def test_as_the_running_python_computes_them(length: int) -> None:
    magic, source = importlib.util.MAGIC_NUMBER, SOURCE[:length]
    assert source_hash(magic, source) == importlib.util.source_hash(source)
