"""The list of conda-unpack is read and shortened without touching anything else."""

from __future__ import annotations

import pytest

from condaprune.errors import ArchiveError
from condaprune.formats.unpack_list import rewrite_unpack, unpack_records

SCRIPT = b"""#!/usr/bin/env python
# \xc3\xa9
other = [1]

_prefix_records = [
('bin/a', '/old', 'text'),
('lib/b.so', '/old_placehold', 'binary'),
('share/\\udcff', '/old', 'text')
]

if __name__ == '__main__':
    print('x')
"""


def test_records_are_read_in_order() -> None:
    assert unpack_records(SCRIPT) == [
        ("bin/a", "/old", "text"),
        ("lib/b.so", "/old_placehold", "binary"),
        ("share/\udcff", "/old", "text"),
    ]


def test_nothing_removed_is_identity() -> None:
    assert rewrite_unpack(SCRIPT, {"bin/a", "lib/b.so", "share/\udcff"}) == SCRIPT


@pytest.mark.parametrize(
    "keep",
    [
        pytest.param(set(), id="all go"),
        pytest.param({"bin/a"}, id="the last ones go"),
        pytest.param({"share/\udcff"}, id="the first ones go"),
        pytest.param({"bin/a", "share/\udcff"}, id="the middle one goes"),
    ],
)
def test_only_kept_records_stay_and_other_bytes_are_untouched(keep: set[str]) -> None:
    out = rewrite_unpack(SCRIPT, keep)
    assert [r for r in unpack_records(SCRIPT) if r[0] in keep] == unpack_records(out)
    before, after = SCRIPT.split(b"_prefix_records = ["), out.split(b"_prefix_records = [")
    assert before[0] == after[0]
    assert before[1].split(b"]\n", 1)[1] == after[1].split(b"]\n", 1)[1]
    assert rewrite_unpack(out, keep) == out


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(b"x = (", id="no Python"),
        pytest.param(b"a\0b", id="a NUL byte"),
        pytest.param(b"x = 1\n", id="no list"),
        pytest.param(b"_prefix_records = [f()]\n", id="a call"),
        pytest.param(b"_prefix_records = [('a', 'b')]\n", id="a pair"),
        pytest.param(b"_prefix_records = [('a', 'b', 'other')]\n", id="an unknown mode"),
    ],
)
def test_a_broken_script_is_a_typed_error(script: bytes) -> None:
    with pytest.raises(ArchiveError, match="conda-unpack"):
        unpack_records(script)
