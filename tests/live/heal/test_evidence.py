"""The removed entries that messages name."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.heal.evidence import Removed, read_output
from condaprune.sources.prefix import PrefixSource
from tests.sinks.inplace.prefixes import SITE, build


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("ModuleNotFoundError: No module named 'pkg.tests'", f"{SITE}/pkg/tests/__init__.py"),
        ("cat: /elsewhere/x: No such file or directory\nzlib.h: not found", "include/zlib.h"),
        ("ImportError: liblink.so: cannot open shared object file", "lib/liblink.so"),
        (
            "PackageNotFoundError: No package metadata was found for pkg",
            f"{SITE}/pkg-1.0.dist-info/METADATA",
        ),
    ],
    ids=["a module", "a relative path", "a library", "a distribution"],
)
def test_a_message_names_what_was_removed(output: str, path: str, tmp_path: Path) -> None:
    inventory = PrefixSource(str(build(tmp_path))).inventory()
    removed = Removed(inventory, inventory.entries)
    assert path in [clue.path for clue in read_output(output, removed)]
