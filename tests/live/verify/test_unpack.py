"""The check `unpack`: conda-unpack works on a copy and names no file that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.verify.checks.unpack import recorded
from condaprune.live.verify.proof import compare
from condaprune.live.verify.results import Verification
from tests.live.verify.conftest import Environments, MakePair, executable, remove

UNPACK = """#!/usr/bin/env python
from conda_unpack_progress import progressbar
_prefix_records = [
('etc/settings.ini', '/placeholder', 'text'),
('share/tool.pc', '/placeholder', 'text')
]
if __name__ == '__main__':
    import os
    prefix = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for path, old, mode in _prefix_records:
        with open(os.path.join(prefix, path), 'rb+') as file:
            data = file.read().replace(old.encode(), prefix.encode())
            file.seek(0)
            file.write(data)
"""
TREE = {
    "etc/settings.ini": b"home = /placeholder\n",
    "share/tool.pc": b"prefix=/placeholder\n",
    "share/other": b"",
    "bin/conda_unpack_progress.py": b"progressbar = None\n",
}


def unpack(pair: Environments) -> Verification:
    return compare(*pair, checks=["unpack"])


@pytest.fixture
def pair(make_pair: MakePair) -> Environments:
    before, after = make_pair(TREE)
    for prefix in (before, after):
        executable(prefix, "bin/conda-unpack", UNPACK)
    return before, after


@pytest.mark.parametrize(
    ("gone", "text"),
    [
        pytest.param((), UNPACK, id="an exact copy loses nothing"),
        pytest.param(("share/other",), UNPACK, id="a file that is not recorded may go"),
        pytest.param(
            ("share/tool.pc",),
            UNPACK.replace("('share/tool.pc', '/placeholder', 'text')\n", ""),
            id="a recorded file may go with its record",
        ),
    ],
)
def test_finds_no_loss_and_rewrites_nothing(
    pair: Environments, gone: tuple[str, ...], text: str
) -> None:
    remove(pair[1], *gone)
    executable(pair[1], "bin/conda-unpack", text)
    found = unpack(pair)
    assert found.ok
    assert found.counts["unpack"].compared == 1 + text.count("/placeholder'")
    assert (pair[1] / "etc/settings.ini").read_bytes() == TREE["etc/settings.ini"]


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        pytest.param(
            "share/tool.pc",
            {("record", "share/tool.pc"), ("command", "bin/conda-unpack")},
            id="a file that a record names",
        ),
        pytest.param(
            "bin/conda_unpack_progress.py",
            {("command", "bin/conda-unpack")},
            id="the module that conda-unpack imports",
        ),
    ],
)
def test_finds_what_is_lost(pair: Environments, gone: str, lost: set[tuple[str, str]]) -> None:
    remove(pair[1], gone)
    found = unpack(pair)
    assert {(f.kind, f.name) for f in found.lost} == lost
    assert all([c.path for c in f.removed] == [gone] for f in found.lost)


def test_what_did_not_unpack_before_is_no_loss(pair: Environments) -> None:
    for prefix in pair:
        remove(prefix, "share/tool.pc")
    assert unpack(pair).ok


def test_a_script_that_conda_pack_did_not_write_is_named(pair: Environments) -> None:
    for prefix in pair:
        executable(prefix, "bin/conda-unpack", "#!/bin/sh\n")
    found = unpack(pair)
    assert found.ok
    assert [u.subject for u in found.unchecked] == ["bin/conda-unpack"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(b"_prefix_records = []", [], id="no records"),
        pytest.param(b"_prefix_records = [('a', 'b', 'text')]", ["a"], id="one record"),
        pytest.param(b"_prefix_records = f()", None, id="a list that is computed"),
        pytest.param(b"x = 1", None, id="no list"),
        pytest.param(b"\x7fELF\0", None, id="no script"),
    ],
)
def test_records_are_read_without_running_anything(
    script: bytes, expected: list[str] | None
) -> None:
    assert recorded(script) == expected


def test_an_environment_without_conda_unpack_has_nothing_to_lose(
    make_pair: MakePair, tmp_path: Path
) -> None:
    assert unpack(make_pair(TREE)).counts["unpack"].compared == 0
